#!/usr/bin/env bash
# Images without Docker and without a registry, as OCI archives in $CACHE/images: what the cluster itself runs, a base of Debian with Python,
# and writ's own on that base. Their names are those of the real registries; the node never asks one.
#   images.sh             the cluster's own and the base          images.sh writ [TARGET…]      writ's
#   images.sh probe       whether steps of a Dockerfile run here and reach a package index
#   images.sh train       the one with torch, after `writ`: 5 GB, so it lies apart, in images/more, and only what needs it loads it
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=${STORAGE_DRIVER:-overlay}
BASE_IMAGE=localhost/python:3.13-trixie
need buildah buildah
mkdir -p "$CACHE/images"

archive() { # image, name of the archive
  buildah push -q "$1" "oci-archive:$CACHE/images/$2.tar.new:$1"
  mv "$CACHE/images/$2.tar.new" "$CACHE/images/$2.tar"
}

one_binary() { # image, binary: on nothing, as a numeric user, on PATH, since Argo's manifests start the bare name
  [ "$CACHE/images/$2.tar" -nt "$BIN/$2" ] && return
  local c; c=$(buildah from scratch)
  buildah copy -q "$c" "$BIN/$2" /bin/ >/dev/null
  buildah config --user 8737:8737 --env PATH=/bin --entrypoint "[\"/bin/$2\"]" "$c"
  buildah commit -q "$c" "$1" >/dev/null
  buildah rm "$c" >/dev/null
  archive "$1" "$2"
  say "image $1"
}

base() {
  [ -f "$CACHE/images/python.tar" ] && buildah images -q $BASE_IMAGE >/dev/null 2>&1 && return
  if [ ! -d "$CACHE/rootfs-trixie" ]; then
    need debootstrap debootstrap
    rm -rf "$CACHE/rootfs.new"
    debootstrap --variant=minbase --include=python3-minimal,python3-venv,ca-certificates,tzdata trixie "$CACHE/rootfs.new" >/dev/null
    rm -rf "$CACHE"/rootfs.new/usr/share/{doc,man,locale,info} "$CACHE"/rootfs.new/var/lib/apt/lists/* "$CACHE"/rootfs.new/var/cache/apt/* "$CACHE"/rootfs.new/var/log/*
    mv "$CACHE/rootfs.new" "$CACHE/rootfs-trixie"
  fi
  local c; c=$(buildah from scratch)
  buildah add -q "$c" "$CACHE/rootfs-trixie" / >/dev/null
  buildah config --env PATH=/usr/local/bin:/usr/bin:/bin "$c"
  buildah commit -q "$c" $BASE_IMAGE >/dev/null
  buildah rm "$c" >/dev/null
  archive $BASE_IMAGE python
  say "image $BASE_IMAGE"
}

INSIDE=(--network host --volume /etc/ssl/certs:/etc/ssl/certs:ro)

probe() { # can a step of a Dockerfile run here, and fetch a package?
  base
  local c code=0; c=$(buildah from $BASE_IMAGE)
  buildah run "${INSIDE[@]}" "$c" -- /bin/sh -c "python3 -m venv /probe && /probe/bin/pip download -q --disable-pip-version-check --no-deps --dest /probe idna" || code=$?
  buildah rm "$c" >/dev/null
  return $code
}

writ() { # the host's certificates and network serve the build only: neither enters an image
  base
  # From a copy, so that all images hold the same code though someone works in the checkout meanwhile. The tests run it on this machine too.
  rm -rf "$CACHE/context.new"
  mkdir -p "$CACHE/context.new"
  tar -C "$HERE/../../.." --exclude=__pycache__ -c images requirements src | tar -C "$CACHE/context.new" -x
  local key; key=$(cd "$CACHE/context.new" && { find . -type f -print0 | sort -z | xargs -0 sha256sum; echo "$@"; } | sha256sum | cut -c1-16)
  if [ -f "$CACHE/images/writ.tar" ] && [ "$(cat "$CACHE/images/writ/key" 2>/dev/null)" = "$key" ]; then return; fi
  rm -rf "$CACHE/context"
  mv "$CACHE/context.new" "$CACHE/context"
  cd "$CACHE/context"
  REVISION=$(git -C "$HERE" rev-parse HEAD) SOURCE_DATE_EPOCH=1767225600 BASE=$BASE_IMAGE BUILDER=buildah OUT="$CACHE/images/writ" \
    BUILD_FLAGS="${INSIDE[*]}" images/build.sh "$@"
  # One layout for all of them: they share every layer but the last.
  rm -rf "$CACHE/images/writ.oci"
  local image
  while read -r image _; do buildah push -q --disable-compression "$image" "oci:$CACHE/images/writ.oci:$image"; done < "$CACHE/images/writ/sizes.txt"
  tar -C "$CACHE/images/writ.oci" -cf "$CACHE/images/writ.tar.new" .
  mv "$CACHE/images/writ.tar.new" "$CACHE/images/writ.tar"
  echo "$key" > "$CACHE/images/writ/key"
  say "images of writ: $(wc -l < "$CACHE/images/writ/sizes.txt")"
}

train() { # on the runtime that `writ` built last
  local key; key=$(cat "$CACHE/images/writ/key" "$CACHE/context/requirements/train-cpu.txt" | sha256sum | cut -c1-16)
  if [ -d "$CACHE/images/more/train.oci" ] && [ "$(cat "$CACHE/images/more/train/key" 2>/dev/null)" = "$key" ]; then return; fi
  cd "$CACHE/context"
  REVISION=$(git -C "$HERE" rev-parse HEAD) SOURCE_DATE_EPOCH=1767225600 BASE=$BASE_IMAGE BUILDER=buildah OUT="$CACHE/images/more/train" \
    BUILD_FLAGS="${INSIDE[*]} --build-arg PACKAGES=train-cpu.txt" images/build.sh train
  rm -rf "$CACHE/images/more/train.oci"
  local image; read -r image _ < "$CACHE/images/more/train/sizes.txt"
  buildah push -q --disable-compression "$image" "oci:$CACHE/images/more/train.oci:$image"
  echo "$key" > "$CACHE/images/more/train/key"
  say "image of writ with torch"
}

case ${1:-} in
  writ) shift; writ "$@"; exit ;;
  train) train; exit ;;
  probe) probe; exit ;;
esac
one_binary localhost/pause:3.10 pause
one_binary quay.io/argoproj/argoexec:v$ARGO_VERSION argoexec
one_binary quay.io/argoproj/workflow-controller:v$ARGO_VERSION workflow-controller
one_binary registry.k8s.io/coredns/coredns:v$COREDNS_VERSION coredns
one_binary ghcr.io/versity/versitygw:v$VERSITYGW_VERSION versitygw
base
