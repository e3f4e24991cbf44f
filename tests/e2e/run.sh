#!/usr/bin/env bash
# What `make e2e` does. With KUBECONFIG set: the tests against that cluster. Without: builds (cached), starts, tests and removes one of its own.
#   run.sh [pytest arguments]        KEEP=1 run.sh      leaves the cluster running        FULL=1 run.sh      the slow tests too
# BUILD_WITHIN_S, IMAGES_WITHIN_S: a machine that has not compiled all, or made all images, by then is skipped; what is done stays in the cache, and
# the next run goes on from there. OPTIONAL=1: a machine on which no image can be made, or no node comes up, is skipped too, with the last words.
# TESTS_WITHIN_S: the tests are stopped, as failed, where all of them take longer.
# First what has a time to keep, alone. Then JOBS tests at a time, each process of them with a platform in a namespace of its own: they mostly
# wait. The slow ones run one by one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/e2e/cluster/lib.sh
TIMED=tests/e2e/test_cluster_pipeline.py

tests() {
  local until=$((SECONDS + ${TESTS_WITHIN_S:-14400}))
  if [ $# -gt 0 ]; then within $until "$@"; return; fi
  within $until $TIMED
  within $until -n "${JOBS:-3}" -m "not slow" tests/e2e --ignore $TIMED
  [ -z "${FULL:-}" ] || within $until -m slow tests/e2e
}

within() { # the second of this script at which it ends, pytest's arguments
  local left=$(($1 - SECONDS))
  shift
  timeout $((left > 1 ? left : 1)) "${PYTHON:-.venv/bin/python}" -m pytest -o addopts= -ra -q --durations=12 "$@" || {
    local code=$?
    [ $code != 124 ] || echo "FAILED: the end-to-end tests took longer than ${TESTS_WITHIN_S:-14400} s (TESTS_WITHIN_S)" >&2
    return $code
  }
}

skip() {
  echo "SKIPPED: no end-to-end test was run, as $1. To run them on a cluster that is there, set KUBECONFIG." >&2
  exit 0
}

control_groups() {
  local probe=/sys/fs/cgroup/writ-probe controller
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    echo "+cpu +memory +pids" 2>/dev/null > /sys/fs/cgroup/cgroup.subtree_control || return 1
    mkdir $probe 2>/dev/null && rmdir $probe
    return
  fi
  for controller in cpu memory pids; do
    probe=/sys/fs/cgroup/$controller/writ-probe
    { mkdir $probe && rmdir $probe; } 2>/dev/null || return 1
  done
}

able() { # can a node live on this machine?
  [ "$(uname)" = Linux ] || skip "a cluster of their own needs Linux"
  [ "$(id -u)" = 0 ] || skip "a cluster of their own needs root"
  new_go || skip "Go 1.26 or later, which compiles the cluster, is not on PATH"
  install_packages || skip "a package of: ${NEED[*]} is missing and cannot be installed"
  [ "$(awk '/MemTotal/ {print int($2 / 1048576)}' /proc/meminfo)" -ge 6 ] || skip "a cluster and its tests want 8 GB of memory"
  local room=20; [ ! -x "$CACHE/bin/kube-apiserver" ] || room=8   # what is compiled lies in the cache already
  [ "$(df --output=avail -BG /var/tmp | tail -1 | tr -dc 0-9)" -ge $room ] || skip "sources, binaries and images want $room GB in /var/tmp and the cache"
  [ -r /dev/kmsg ] || skip "kubelet cannot read /dev/kmsg"
  control_groups || skip "this machine lets nobody make control groups for cpu, memory and pids"
  if ! ip netns add writ-probe 2>/dev/null || ! ip -n writ-probe link add probe0 type bridge 2>/dev/null; then
    ip netns del writ-probe 2>/dev/null || true
    skip "this machine makes no network namespaces with bridges in them"
  fi
  ip netns del writ-probe
  local folder; folder=$(mktemp -d -p /var/tmp)
  mkdir "$folder"/{lower,upper,work,merged}
  if ! mount -t overlay overlay -o "lowerdir=$folder/lower,upperdir=$folder/upper,workdir=$folder/work" "$folder/merged" 2>/dev/null; then
    rm -rf "$folder"
    skip "it mounts no overlay file systems"
  fi
  umount "$folder/merged"
  rm -rf "$folder"
}

NEED=(buildah debootstrap containerd runc containernetworking-plugins iptables nftables conntrack iproute2 openssl gcc libc6-dev)
[ -z "${FULL:-}" ] || NEED+=(git redis-server ipset)
install_packages() {
  if dpkg -s "${NEED[@]}" >/dev/null 2>&1; then return; fi
  command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq --no-install-recommends "${NEED[@]}" >/dev/null
}

build() {
  (cd tests/e2e/cluster/modules/kubeconform && timeout 300 go mod download) || skip "Go modules cannot be fetched"
  limited "${BUILD_WITHIN_S:-7200}" "compiling the cluster" tests/e2e/cluster/build.sh ${FULL:+all}
  optional "images cannot be made" limited "${IMAGES_WITHIN_S:-3600}" "making images" tests/e2e/cluster/images.sh
  optional "an image in the making cannot reach a package index" timeout 300 tests/e2e/cluster/images.sh probe
  limited "${IMAGES_WITHIN_S:-3600}" "making images" tests/e2e/cluster/images.sh writ plan tasks instructions simulate verify dataset report model-server launch evaluate   # those that the tests start
  [ -z "${FULL:-}" ] || tests/e2e/cluster/images.sh train
}

limited() { # seconds, what is done in them, command: a machine that needs more is skipped
  local code=0
  timeout "$1" "${@:3}" || code=$?
  [ $code != 124 ] || skip "$2 took more than $1 s; the next run goes on from what is done"
  return $code
}

optional() { # why it may fail, command: where OPTIONAL is set, a machine on which it does is skipped
  "${@:2}" && return
  [ -n "${OPTIONAL:-}" ] || exit 1
  skip "$1 on this machine: see above"
}

if [ -n "${KUBECONFIG:-}" ]; then tests "$@"; exit; fi
able
started=$SECONDS
build
echo "binaries and images ready after $((SECONDS - started)) s" >&2
tests/e2e/cluster/down.sh
[ -n "${KEEP:-}" ] || trap tests/e2e/cluster/down.sh EXIT
up() {
  tests/e2e/cluster/up.sh && return
  tail -n 8 "${WRIT_CLUSTER_RUN:-/var/tmp/writ-e2e}"/log/*.log >&2 || true
  return 1
}
optional "no node comes up" up
[ -z "${FULL:-}" ] || tests/e2e/cluster/extras.sh
tests "$@"
echo "end-to-end tests done after $((SECONDS - started)) s" >&2
