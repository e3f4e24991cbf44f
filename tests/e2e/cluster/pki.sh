# Sourced by up.sh: certificates and kubeconfigs of one cluster, in $RUN/pki and $RUN/*.conf. Python 3.13 verifies strictly: keys say what for, and by whom.

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=writ-e2e \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout pki/ca.key -out pki/ca.crt 2>/dev/null
  openssl ecparam -genkey -name prime256v1 -noout -out pki/sa.key 2>/dev/null
  openssl ec -in pki/sa.key -pubout -out pki/sa.pub 2>/dev/null
}

certificate() { # name, subject, names and addresses
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$2" -keyout "pki/$1.key" -out "pki/$1.csr" 2>/dev/null
  openssl x509 -req -in "pki/$1.csr" -CA pki/ca.crt -CAkey pki/ca.key -CAcreateserial -days 30 -out "pki/$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash' "${3:-DNS:localhost,IP:127.0.0.1}") 2>/dev/null
}

kubeconfig() { # name of the certificate, and of the file
  local c=(kubectl config "--kubeconfig=$1.conf")
  "${c[@]}" set-cluster e2e --server=https://127.0.0.1:6443 --certificate-authority=pki/ca.crt --embed-certs >/dev/null
  "${c[@]}" set-credentials "$1" --client-certificate="pki/$1.crt" --client-key="pki/$1.key" --embed-certs >/dev/null
  "${c[@]}" set-context e2e --cluster=e2e --user="$1" >/dev/null
  "${c[@]}" use-context e2e >/dev/null
}

all_credentials() {
  local own=DNS:localhost,IP:127.0.0.1 name
  authority
  certificate apiserver /CN=kube-apiserver \
    "$own,DNS:kubernetes,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:10.96.0.1,IP:$NODE_IP"
  certificate admin /O=system:masters/CN=admin
  certificate kcm /CN=system:kube-controller-manager
  certificate sched /CN=system:kube-scheduler
  certificate proxy /CN=system:kube-proxy
  certificate kubelet /O=system:nodes/CN=system:node:node1 "DNS:node1,IP:127.0.0.1,IP:$NODE_IP"
  for name in admin kcm sched proxy kubelet; do kubeconfig "$name"; done
}
