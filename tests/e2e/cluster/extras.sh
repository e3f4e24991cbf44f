#!/usr/bin/env bash
# Puts into the cluster that up.sh started what `make e2e-full` wants beside it, from the binaries of `build.sh all` and the manifests of their
# modules. Run once more it changes nothing.
#   extras.sh                 all of it            extras.sh keda events        only these
#   training: the image with torch, which `images.sh train` made, and the controllers of JobSets and TrainJobs
#   keda: model servers that sleep        events: Argo Events, with NATS to carry them
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
KUBECTL="nsenter --net=/run/netns/$NS kubectl --kubeconfig $RUN/admin.conf"
JOBSET=jobset.x-k8s.io/jobset-controller:e2e TRAINER=trainer.kubeflow.org/controller:e2e KEDA=ghcr.io/kedacore/keda:e2e
EVENTS=quay.io/argoproj/argo-events:e2e NATS=docker.io/library/nats:e2e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=${STORAGE_DRIVER:-overlay}

module() { (cd "$HERE/modules/$1" && go mod download "$2" && go list -m -f '{{.Dir}}' "$2"); }
images() { ctr -a "$RUN/containerd.sock" -n k8s.io images "$@"; }

image() { # name, binary, where the manifests look for it
  images ls -q | grep -qx "$1" && return
  local c; c=$(buildah from scratch)
  buildah copy -q "$c" "$BIN/$2" "$3" >/dev/null
  buildah config --user 65532:65532 --entrypoint "[\"$3\"]" "$c"
  buildah commit -q "$c" "$1" >/dev/null
  buildah rm "$c" >/dev/null
  buildah push -q "$1" "oci-archive:$folder/$2.tar:$1"
  images import "$folder/$2.tar" >/dev/null
}

apply() { "$PYTHON" "$HERE/controller_manifests.py" "$1" | $KUBECTL apply --server-side --force-conflicts -f - >/dev/null; }
ready() { # namespace, deployment, what it is
  $KUBECTL -n "$1" rollout status "deployment/$2" --timeout=240s >/dev/null
  say "$3 is ready"
}

training() {
  images ls -q | grep -q writ-train: || tar -C "$CACHE/images/more/train.oci" -cf - . | images import - >/dev/null
  image $JOBSET jobset /manager
  image $TRAINER trainer /manager
  kubectl kustomize "$(module training sigs.k8s.io/jobset)/config/default" | apply $JOBSET
  cp -r "$(module training github.com/kubeflow/trainer/v2)/manifests" "$folder/trainer"
  chmod -R u+w "$folder/trainer"
  sed -i /third-party/d "$folder/trainer/overlays/manager/kustomization.yaml"   # JobSet is there
  kubectl kustomize "$folder/trainer/overlays/manager" | apply $TRAINER
  ready jobset-system jobset-controller-manager JobSet
  ready kubeflow-system kubeflow-trainer-controller-manager "Kubeflow Trainer"
}

keda() { # without its metrics adapter: it wakes and puts to sleep, and leaves more than one replica to others
  image $KEDA keda /keda
  local config part; config=$(module keda github.com/kedacore/keda/v2)/config
  for part in crd general rbac service_account manager; do kubectl kustomize "$config/$part" | apply $KEDA; done
  ready keda keda-operator KEDA
}

events() {
  image $EVENTS argo-events /bin/argo-events
  image $NATS nats-server /nats-server
  local manifests; manifests=$(module events github.com/argoproj/argo-events)/manifests
  $KUBECTL create namespace argo-events --dry-run=client -o yaml | $KUBECTL apply -f - >/dev/null
  kubectl kustomize "$manifests/cluster-install" | apply $EVENTS
  ready argo-events controller-manager "Argo Events"
}

for part in ${*:-training keda events}; do $part; done
