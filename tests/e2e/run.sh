#!/usr/bin/env bash
# What `make e2e` does. With KUBECONFIG set: the tests against that cluster. Without: builds (cached), starts, tests and removes one of its own.
#   run.sh [pytest arguments]        KEEP=1 run.sh      leaves the cluster running        FULL=1 run.sh      the slow tests too
# Three tests run at a time, each process of them with a platform in a namespace of its own: they mostly wait. The slow ones run one by one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PYTEST=("${PYTHON:-.venv/bin/python}" -m pytest -o addopts= -ra -q --durations=12 tests/e2e "$@")
tests() {
  "${PYTEST[@]}" -n "${JOBS:-3}" --dist loadgroup -m "not slow"
  [ -z "${FULL:-}" ] || "${PYTEST[@]}" -m slow
}
if [ -n "${KUBECONFIG:-}" ]; then tests; exit; fi
if [ "$(uname)" != Linux ] || [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: the end-to-end tests need Linux and root to start a cluster, or KUBECONFIG to use one that is there. Nothing was tested." >&2
  exit 0
fi
need=(buildah debootstrap containerd runc containernetworking-plugins iptables nftables conntrack iproute2 openssl gcc libc6-dev)
[ -z "${FULL:-}" ] || need+=(git redis-server)
if command -v apt-get >/dev/null && ! dpkg -s "${need[@]}" >/dev/null 2>&1; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi
started=$SECONDS
tests/e2e/cluster/build.sh
[ -z "${FULL:-}" ] || tests/e2e/cluster/build.sh full
tests/e2e/cluster/images.sh
tests/e2e/cluster/images.sh writ plan tasks instructions simulate verify dataset report model-server launch evaluate   # those that the tests start
echo "binaries and images ready after $((SECONDS - started)) s" >&2
tests/e2e/cluster/down.sh
[ -n "${KEEP:-}" ] || trap tests/e2e/cluster/down.sh EXIT
tests/e2e/cluster/up.sh
tests
echo "end-to-end tests done after $((SECONDS - started)) s" >&2
