#!/usr/bin/env bash
# Puts what training wants into the cluster that up.sh started: the image with torch, which `images.sh train` made, and the controllers of JobSets
# and TrainJobs, from the manifests of their modules and the binaries of `build.sh jobset trainer`. Run once more it changes nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
KUBECTL="nsenter --net=/run/netns/$NS kubectl --kubeconfig $RUN/admin.conf"
JOBSET=jobset.x-k8s.io/jobset-controller:e2e TRAINER=trainer.kubeflow.org/controller:e2e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

module() { (cd "$HERE/modules/training" && go mod download "$1" && go list -m -f '{{.Dir}}' "$1"); }

image() { # name, binary: where the manifests look for it
  ctr -a "$RUN/containerd.sock" -n k8s.io images ls -q | grep -qx "$1" && return
  local c; c=$(buildah from scratch)
  buildah copy -q "$c" "$BIN/$2" /manager >/dev/null
  buildah config --user 65532:65532 --entrypoint '["/manager"]' "$c"
  buildah commit -q "$c" "$1" >/dev/null
  buildah rm "$c" >/dev/null
  buildah push -q "$1" "oci-archive:$folder/$2.tar:$1"
  ctr -a "$RUN/containerd.sock" -n k8s.io images import "$folder/$2.tar" >/dev/null
}

export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=${STORAGE_DRIVER:-overlay}
ctr -a "$RUN/containerd.sock" -n k8s.io images ls -q | grep -q writ-train: ||
  tar -C "$CACHE/images/more/train.oci" -cf - . | ctr -a "$RUN/containerd.sock" -n k8s.io images import - >/dev/null
image $JOBSET jobset
image $TRAINER trainer
apply() { "$PYTHON" "$HERE/training_manifests.py" "$1" | $KUBECTL apply --server-side --force-conflicts -f - >/dev/null; }
kubectl kustomize "$(module sigs.k8s.io/jobset)/config/default" | apply $JOBSET
cp -r "$(module github.com/kubeflow/trainer/v2)/manifests" "$folder/trainer"
chmod -R u+w "$folder/trainer"
sed -i /third-party/d "$folder/trainer/overlays/manager/kustomization.yaml"   # JobSet is there
kubectl kustomize "$folder/trainer/overlays/manager" | apply $TRAINER
for deployment in jobset-system/jobset-controller-manager kubeflow-system/kubeflow-trainer-controller-manager; do
  $KUBECTL -n "${deployment%/*}" rollout status "deployment/${deployment#*/}" --timeout=240s >/dev/null
done
say "JobSet and Kubeflow Trainer are ready"
