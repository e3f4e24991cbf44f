#!/usr/bin/env bash
# Compiles Kubernetes, Argo Workflows and what a node needs beside them into $CACHE/bin, from the pinned modules in modules/*/go.{mod,sum}.
# Needs Go >= 1.26 and the network. Cold: about 20 minutes on two cores and 10 GB; a binary whose module has not changed is not built again.
#   build.sh            everything        build.sh helm kubeconform     only these        build.sh all      and what `make e2e-full` wants
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export CGO_ENABLED=0
mkdir -p "$BIN"

fresh() { # binary, module folder: is it built from what the module pins now?
  key=$(cat "$HERE/modules/$2/go.mod" "$HERE/modules/$2/go.sum" | sha256sum | cut -c1-16)
  [ -x "$BIN/$1" ] && [ "$(cat "$BIN/.$1.key" 2>/dev/null)" = "$key" ]
}

build() { # binary, module folder, package, extra flags...
  local out=$1 module=$2 package=$3 started=$SECONDS
  shift 3
  if fresh "$out" "$module"; then return; fi
  (cd "$HERE/modules/$module" && go build -trimpath -mod=readonly -o "$BIN/$out" "$@" "$package")
  echo "$key" > "$BIN/.$out.key"
  say "built $out in $((SECONDS - started)) s"
}

kubernetes() {
  local v=k8s.io/component-base/version
  build "$1" k8s "k8s.io/kubernetes/cmd/$1" \
    -ldflags "-s -w -X $v.gitVersion=v$K8S_VERSION -X $v.gitMajor=1 -X $v.gitMinor=34 -X $v.gitTreeState=clean"
}

# Two things that Argo's module lacks are supplied in a local copy, which a go.mod beside the copy puts in place of the module: the
# output of the UI's build, which the CLI embeds, and signal_linux.go, upstream a symlink to signal_darwin.go (module zips drop symlinks).
ARGO=github.com/argoproj/argo-workflows/v4
argo_source() {
  local copy=$CACHE/src/argo-$ARGO_VERSION
  if [ ! -d "$copy" ]; then
    mkdir -p "$CACHE/src"
    (cd "$HERE/modules/argo" && go mod download $ARGO)
    rm -rf "$copy.new"
    cp -r "$(cd "$HERE/modules/argo" && go list -m -f '{{.Dir}}' $ARGO)" "$copy.new"
    chmod -R u+w "$copy.new"
    mkdir -p "$copy.new/ui/dist/app"
    echo '<!doctype html><title>no UI in this build</title>' > "$copy.new/ui/dist/app/index.html"
    cp "$copy.new"/workflow/executor/osspecific/signal_{darwin,linux}.go
    mv "$copy.new" "$copy"
  fi
  cp "$HERE/modules/argo/go.mod" "$CACHE/src/argo.mod"
  cp "$HERE/modules/argo/go.sum" "$CACHE/src/argo.sum"
  go mod edit -replace "$ARGO=$copy" "$CACHE/src/argo.mod"
}

argo() {
  argo_source
  build "$1" argo "$ARGO/cmd/$1" -modfile "$CACHE/src/argo.mod" \
    -ldflags "-s -w -X $ARGO.version=v$ARGO_VERSION -X $ARGO.gitTag=v$ARGO_VERSION -X $ARGO.gitTreeState=clean"
}

# Argo CD's module, as Argo's, lacks the UI's build output, which `server` embeds. It asks for a newer Go than the others; Go fetches that as a module.
ARGOCD=github.com/argoproj/argo-cd/v3
argocd() {
  local copy=$CACHE/src/argocd-$ARGOCD_VERSION
  export GOTOOLCHAIN=go1.27.0
  if ! fresh argocd argocd || [ ! -d "$copy" ]; then
    mkdir -p "$CACHE/src"
    (cd "$HERE/modules/argocd" && go mod download $ARGOCD)
    rm -rf "$copy.new" "$copy"
    cp -r "$(cd "$HERE/modules/argocd" && go list -m -f '{{.Dir}}' $ARGOCD)" "$copy.new"
    chmod -R u+w "$copy.new"
    mkdir -p "$copy.new/ui/dist/app/assets/images/resources"
    echo '<!doctype html><title>no UI in this build</title>' > "$copy.new/ui/dist/app/index.html"
    echo > "$copy.new/ui/dist/app/assets/images/resources/none"
    mv "$copy.new" "$copy"
  fi
  cp "$HERE/modules/argocd/go.mod" "$CACHE/src/argocd.mod"
  cp "$HERE/modules/argocd/go.sum" "$CACHE/src/argocd.sum"
  go mod edit -replace "$ARGOCD=$copy" "$CACHE/src/argocd.mod"
  build argocd argocd $ARGOCD/cmd -modfile "$CACHE/src/argocd.mod" -ldflags "-s -w -X $ARGOCD/common.version=$ARGOCD_VERSION"
  unset GOTOOLCHAIN
}

pause() { # holds a pod's namespaces; signals end it
  [ -x "$BIN/pause" ] && return
  need gcc gcc
  gcc -O2 -static -x c -o "$BIN/pause" - <<'C'
#include <signal.h>
#include <unistd.h>
static void leave(int signal_number) { (void)signal_number; _exit(0); }
int main(void) { signal(SIGTERM, leave); signal(SIGINT, leave); for (;;) pause(); }
C
}

ALL="kubeconform kubectl helm etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy
 argoexec workflow-controller argo versitygw coredns pause"
FULL="jobset trainer kustomize kube-router argocd keda argo-events nats-server"   # for `make e2e-full`: dear to build
new_go || die "Go 1.26 or later is missing; see https://go.dev/dl"
[ "${1:-}" != all ] || set -- $ALL $FULL
for name in ${*:-$ALL}; do
  case $name in
    kube*form) build kubeconform kubeconform github.com/yannh/kubeconform/cmd/kubeconform -ldflags '-s -w' ;;
    kube-router) build kube-router netpol github.com/cloudnativelabs/kube-router/v2/cmd/kube-router -ldflags '-s -w' ;;
    kube*) kubernetes "$name" ;;
    argo | argoexec | workflow-controller) argo "$name" ;;
    etcd) build etcd etcd go.etcd.io/etcd/server/v3 -ldflags '-s -w' ;;
    versitygw) build versitygw versitygw github.com/versity/versitygw/cmd/versitygw -ldflags '-s -w' ;;
    helm) build helm helm helm.sh/helm/v4/cmd/helm -ldflags '-s -w' ;;
    argocd) argocd ;;
    argo-events) build argo-events events github.com/argoproj/argo-events/cmd -ldflags '-s -w' ;;
    nats-server) build nats-server events github.com/nats-io/nats-server/v2 -ldflags '-s -w' ;;
    keda) build keda keda github.com/kedacore/keda/v2/cmd/operator -ldflags '-s -w' ;;
    jobset) build jobset training sigs.k8s.io/jobset -ldflags '-s -w' ;;
    trainer) build trainer training github.com/kubeflow/trainer/v2/cmd/trainer-controller-manager -ldflags '-s -w' ;;
    kustomize) build kustomize kustomize sigs.k8s.io/kustomize/kustomize/v5 -ldflags '-s -w' ;;
    coredns) build coredns coredns github.com/coredns/coredns -ldflags '-s -w' ;;
    pause) pause ;;
    *) die "no binary is called $name; one of: $ALL $FULL" ;;
  esac
done
