#!/usr/bin/env bash
# Builds the images of writ with buildah, podman or docker, and leaves beside them what ships with them:
#   dist/images/NAME.cdx.json     what is inside (CycloneDX)
#   dist/images/digests.yaml      NAME -> digest, a values file for the chart once `push` has written it: a registry has digests of its own
#   dist/images/sizes.txt         size, unpacked (packed, where Docker keeps its images in containerd)
#
#   build.sh                    every target            build.sh simulate verify       these
#   build.sh push               pushes what was built last, and writes the digests of the registry into digests.yaml
#   build.sh pin                prints the base with today's digest, for ARG BASE in the Dockerfile
# Settings: BASE, REGISTRY (ghcr.io/writ-project), VERSION (0.1.0), BUILDER (buildah | podman | docker), BUILD_FLAGS, PUSH_FLAGS,
# SOURCE_DATE_EPOCH (last commit).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
REGISTRY=${REGISTRY:-ghcr.io/writ-project}
VERSION=${VERSION:-0.1.0}
OUT=${OUT:-dist/images}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
REVISION=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
ALL="plan tasks instructions simulate verify dataset launch train evaluate report model-server"

die() { echo "error: $*" >&2; exit 1; }
BUILDER=${BUILDER:-$(for b in buildah podman docker; do command -v $b >/dev/null && { echo $b; break; }; done)}
[ -n "$BUILDER" ] || die "none of buildah, podman and docker is here; install one of them"

pin() {
  local base
  base=$(sed -n 's/^ARG BASE=\([^@]*\).*/\1/p' images/Dockerfile)
  case $BUILDER in
    docker) digest=$(docker buildx imagetools inspect "$base" --format '{{.Manifest.Digest}}') ;;
    *) digest=$(skopeo inspect --format '{{.Digest}}' "docker://$base") ;;
  esac
  echo "$base@$digest"
}

build() { # target, image, further flags
  local flags=(--target "$1" --tag "$2" --file images/Dockerfile --build-arg "VERSION=$VERSION"
    --build-arg "REVISION=$REVISION" --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH")
  [ -z "${BASE:-}" ] || flags+=(--build-arg "BASE=$BASE")
  # shellcheck disable=SC2206  # BUILD_FLAGS is a list of words
  flags+=(${BUILD_FLAGS:-} "${@:3}")
  case $BUILDER in
    docker) with_docker --provenance=false "${flags[@]}" . ;;
    *) "$BUILDER" build --layers --timestamp "$SOURCE_DATE_EPOCH" --ignorefile images/Dockerfile.dockerignore "${flags[@]}" . ;;
  esac
}

with_docker() { # flags of docker build
  case $(docker info --format '{{json .DriverStatus}}') in
    *io.containerd.snapshotter*) docker build --output type=docker,dest=-,rewrite-timestamp=true "$@" | docker load --quiet ;;
    *)
      echo "note: Docker's classic image store keeps the time of building; for equal digests turn on its containerd image store, or use buildah or podman" >&2
      docker build "$@" ;;
  esac
}

take_bill() { # image, file
  case $BUILDER in
    buildah)
      local c; c=$(buildah from --pull-never "$1")
      cp "$(buildah mount "$c")/opt/writ/sbom.cdx.json" "$2"
      buildah rm "$c" >/dev/null ;;
    *)
      local c; c=$("$BUILDER" create "$1")
      "$BUILDER" cp "$c:/opt/writ/sbom.cdx.json" "$2"
      "$BUILDER" rm "$c" >/dev/null ;;
  esac
}

facts() { # image: digest, then size
  case $BUILDER in
    buildah) buildah images --no-trunc --format '{{.Digest}} {{.Size}}' "$1" | sed 's/ /\n/' ;;
    podman) podman image inspect --format '{{.Digest}} {{.Size}}' "$1" | tr ' ' '\n' ;;
    docker) docker image inspect --format '{{.Id}} {{.Size}}' "$1" | tr ' ' '\n' ;;
  esac
}

push() { # image: its digest in the registry, where its layers are compressed
  # shellcheck disable=SC2086  # PUSH_FLAGS is a list of words
  case $BUILDER in
    docker)
      docker push --quiet "$1" >&2
      docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" | sed -n "s|^${1%:*}@||p" ;;
    *)
      "$BUILDER" push --quiet --digestfile "$OUT/digest" ${PUSH_FLAGS:-} "$1" >&2
      cat "$OUT/digest"
      rm "$OUT/digest" ;;
  esac
}

list_digests() { printf 'image:\n  repository: %s\n  digests:\n' "$1" > "$OUT/digests.yaml"; } # registry
list_digest() { echo "    $1: $2" | tee -a "$OUT/digests.yaml"; }

if [ "${1:-}" = pin ]; then pin; exit; fi
if [ "${1:-}" = push ]; then
  [ -s "$OUT/sizes.txt" ] || die "nothing was built into $OUT; run images/build.sh first"
  read -r image _ < "$OUT/sizes.txt"
  list_digests "${image%/*}"
  while read -r image _ <&3; do
    name=${image##*/writ-}
    digest=$(push "$image")
    list_digest "${name%:*}" "$digest"
  done 3< "$OUT/sizes.txt"
  exit
fi
mkdir -p "$OUT"
list_digests "$REGISTRY"
: > "$OUT/sizes.txt"
SHARED=()
if [ "$BUILDER" != docker ] && [ "$*" != train ]; then   # buildah and podman hash all that a stage copies, for each target: let them do it once
  for kind in runtime runtime-dataset runtime-cluster; do
    build $kind "localhost/writ-$kind:$VERSION" "${SHARED[@]}"
    argument=${kind^^}
    SHARED+=(--build-arg "${argument/-/_}=localhost/writ-$kind:$VERSION")
  done
fi
for target in ${*:-$ALL}; do
  image=$REGISTRY/writ-$target:$VERSION
  build "$target" "$image" "${SHARED[@]}"
  take_bill "$image" "$OUT/writ-$target.cdx.json"
  { read -r digest; read -r size; } < <(facts "$image")
  list_digest "$target" "$digest" >/dev/null
  echo "$image $size" | tee -a "$OUT/sizes.txt"
done
