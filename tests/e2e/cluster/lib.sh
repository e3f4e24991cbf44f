# Sourced by the scripts beside it: where things are, and what they are called.
# Everything built lives outside the checkout, in WRIT_CLUSTER_CACHE; a running cluster lives in WRIT_CLUSTER_RUN.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${WRIT_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/writ/cluster}
RUN=${WRIT_CLUSTER_RUN:-/var/tmp/writ-e2e}
NS=${WRIT_CLUSTER_NETNS:-writ-e2e}   # the network namespace of the node
NODE_IP=192.0.2.10                   # TEST-NET-1: routed nowhere
BIN=$CACHE/bin
PYTHON=${PYTHON:-$( [ -x "$HERE/../../../.venv/bin/python" ] && echo "$HERE/../../../.venv/bin/python" || echo python3 )}   # with pyyaml
PATH=$BIN:$PATH

K8S_VERSION=1.34.4
ARGO_VERSION=4.0.7
ARGOCD_VERSION=3.6.1
COREDNS_VERSION=1.14.3
VERSITYGW_VERSION=1.8.0

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || die "$1 is missing; on Debian: apt-get install $2"; }
new_go() { local v; v=$(cd "$HERE/modules/k8s" 2>/dev/null && go env GOVERSION 2>/dev/null) && printf '%s\n' go1.26 "$v" | sort -V -C; }
