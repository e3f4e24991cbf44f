#!/usr/bin/env bash
# Starts one real node with Argo Workflows, DNS and S3 in about half a minute, as root, from what build.sh and images.sh made.
# All of it lives in one network namespace with no way out, and in $RUN: nothing it does can reach another machine. down.sh removes it.
#   up.sh; nsenter --net=/run/netns/writ-e2e env KUBECONFIG=/var/tmp/writ-e2e/admin.conf kubectl get nodes
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$HERE/pki.sh"
[ "$(id -u)" = 0 ] || die "a node needs root; or set KUBECONFIG to a cluster that you have, and run the tests against it"
for p in containerd:containerd runc:runc iptables:iptables conntrack:conntrack nft:nftables ip:iproute2 openssl:openssl nsenter:util-linux; do need "${p%:*}" "${p#*:}"; done
[ -x /usr/lib/cni/bridge ] || die "CNI plugins are missing; on Debian: apt-get install containernetworking-plugins"
[ ! -e "$RUN/apiserver.pid" ] || die "a cluster is there in $RUN already; down.sh removes it"

mkdir -p "$RUN"/{pki,log,cni/conf,s3/writ}
cd "$RUN"
# `ip netns exec` would hide the cgroup mounts (it mounts /sys anew): only the network namespace is entered.
ENTER="nsenter --net=/run/netns/$NS"
KUBECTL="$ENTER kubectl --kubeconfig $RUN/admin.conf"

start() { # name, command: a process of the node, logged and remembered by its id
  local name=$1; shift
  # shellcheck disable=SC2086
  setsid nohup $ENTER "$@" > "log/$name.log" 2>&1 < /dev/null &
  echo $! > "$name.pid"
}
until_true() { # command: three minutes, more where the command itself takes long
  for _ in $(seq 720); do "$@" >/dev/null 2>&1 && return; sleep 0.25; done
  die "never came true: $*"
}

network() {
  if ! ip netns list | grep -qw "$NS"; then
    ip netns add "$NS"
    ip -n "$NS" link set lo up
    ip -n "$NS" link add node0 type bridge            # a dummy device would do, where the kernel has one
    ip -n "$NS" addr add $NODE_IP/24 dev node0
    ip -n "$NS" link set node0 up
    ip -n "$NS" route add default dev node0           # kubelet and kube-proxy want one; it leads nowhere
  fi
  $ENTER sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
}

control_plane() {
  start etcd etcd --data-dir etcd --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
  start apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address=$NODE_IP --secure-port=6443 \
    --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key --client-ca-file=pki/ca.crt \
    --kubelet-client-certificate=pki/admin.crt --kubelet-client-key=pki/admin.key --kubelet-preferred-address-types=InternalIP \
    --service-account-key-file=pki/sa.pub --service-account-signing-key-file=pki/sa.key \
    --service-account-issuer=https://kubernetes.default.svc --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true
  until_true $KUBECTL get --raw /readyz
  start kcm kube-controller-manager --kubeconfig=kcm.conf --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt \
    --use-service-account-credentials --cluster-cidr=10.244.0.0/16 --allocate-node-cidrs=false --leader-elect=false --bind-address=127.0.0.1
  start sched kube-scheduler --kubeconfig=sched.conf --leader-elect=false --bind-address=127.0.0.1
}

runtime() {
  cat > cni/conf/10-bridge.conflist <<C
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$RUN/cni/ipam"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
C
  cat > containerd.toml <<C
version = 2
root = "$RUN/containerd/root"
state = "$RUN/containerd/state"
[grpc]
  address = "$RUN/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:3.10"
  restrict_oom_score_adj = true   # without CAP_SYS_RESOURCE runc would fail to lower it
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$RUN/cni/conf"
C
  start containerd containerd -c containerd.toml
  until_true ctr -a containerd.sock version
  local archive
  for archive in "$CACHE"/images/*.tar; do load "$archive"; done
}
load() { ctr -a "$RUN/containerd.sock" -n k8s.io images import "$1" >/dev/null; }

node() {
  cat > kubelet.yaml <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $RUN/pki/ca.crt}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$RUN/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
failSwapOn: false
podLogsDir: $RUN/podlogs
resolvConf: /dev/null
maxPods: 200
evictionHard: {memory.available: 200Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
C
  start kubelet kubelet --config=kubelet.yaml --kubeconfig=kubelet.conf --hostname-override=node1 --node-ip=$NODE_IP \
    --root-dir="$RUN/kubelet" --cert-dir="$RUN/kubelet/pki"
  start proxy kube-proxy --kubeconfig=proxy.conf --hostname-override=node1 --cluster-cidr=10.244.0.0/16 --proxy-mode=nftables \
    --conntrack-max-per-core=0
  until_true sh -c "$KUBECTL get node node1 | grep -q ' Ready'"
}

s3() { # http://192.0.2.10:9000 from pods; each tenant gets a bucket or prefix and a key of its own from the tests
  ROOT_ACCESS_KEY=writ ROOT_SECRET_KEY=writ-e2e-secret start s3 versitygw --port :9000 --iam-dir "$RUN/s3-iam" posix "$RUN/s3"
}

argo() { # Argo's CRDs are too large for anything but server-side apply
  local manifests=$CACHE/src/argo-$ARGO_VERSION/manifests
  $KUBECTL create namespace argo >/dev/null
  $KUBECTL apply --server-side -k "$manifests/base/crds/full" >/dev/null
  $KUBECTL kustomize "$manifests/cluster-install-no-crds" | "$PYTHON" "$HERE/argo_manifests.py" $ARGO_VERSION \
    | $KUBECTL apply --server-side -f - >/dev/null
  until_true $KUBECTL -n argo wait --for=condition=Available --timeout=1s deployment/workflow-controller
}

all_credentials
network
control_plane
runtime
node
say "node ready after $SECONDS s"
mkdir -p s3-iam
s3
$KUBECTL apply --server-side -f "$HERE/coredns.yaml" >/dev/null
argo
until_true $KUBECTL -n kube-system wait --for=condition=Available --timeout=1s deployment/coredns
say "Argo, DNS and S3 ready after $SECONDS s"
