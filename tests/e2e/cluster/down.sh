#!/usr/bin/env bash
# Removes the cluster that up.sh started: its processes by their recorded ids, its mounts, its network namespace and its folder.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$RUN" 2>/dev/null || exit 0

stop() { local p; for p in "$@"; do [ -f "$p.pid" ] && kill "$(cat "$p.pid")" 2>/dev/null; done; }
stop proxy kubelet
sleep 1
ctr -a containerd.sock -n k8s.io task ls -q 2>/dev/null | xargs -r -n1 ctr -a containerd.sock -n k8s.io task kill -s 9 2>/dev/null
sleep 1
stop s3 sched kcm apiserver
sleep 2
stop containerd etcd
sleep 1
for p in *.pid; do kill -9 "$(cat "$p")" 2>/dev/null; done   # the API server can hang while it shuts down
for p in /proc/[0-9]*; do                                    # shims name the socket of their own cluster
  { tr '\0' ' ' < "$p/cmdline"; } 2>/dev/null | grep -q "containerd-shim.*$RUN/containerd.sock" && kill -9 "${p#/proc/}"
done
awk -v run="$RUN/" 'index($2, run) == 1 {print $2}' /proc/mounts | sort -r | xargs -r -n1 umount -l
for p in /run/netns/cni-*; do [ -e "$p" ] && { umount -l "$p" 2>/dev/null; rm -f "$p"; }; done
ip netns del "$NS" 2>/dev/null
cd /
rm -rf "$RUN"
