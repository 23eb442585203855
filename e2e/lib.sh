# shellcheck shell=bash
# The cluster, the images and the chart, for up, down and run. Sourced; the caller sets CLUSTER.
#
# KUBECONFIG, E2E_CONTEXT   use that cluster in place of one made by kind
# E2E_REGISTRY              registry to which images are pushed for it (not needed where its name begins with kind-)
# KIND_NODE_IMAGE           node image (default: a local kindest/node if there is one, else kind's own)
# PYTHON_IMAGE, RABBITMQ_IMAGE, COUCHDB_IMAGE   base images; what is not on this machine is pulled
#                           (COUCHDB_IMAGE=stand-in builds the stand-in of the other tests, where CouchDB cannot be pulled)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python_image=${PYTHON_IMAGE:-python:3.11-slim-bookworm}
rabbitmq_image=${RABBITMQ_IMAGE:-rabbitmq:4-management}
couchdb_image=${COUCHDB_IMAGE:-couchdb:3}

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() {
  echo "error: $*" >&2
  exit 1
}

# need PROGRAM…: kind too, where it is to make the cluster.
need() {
  local program
  for program in "$@" $(own_cluster || echo kind); do
    command -v "$program" >/dev/null || fail "$program is not installed: this needs docker, kubectl, helm and, without a cluster of your own, kind."
  done
  docker info >/dev/null 2>&1 || fail "Docker does not answer: start it, and see that you may use it."
}

own_cluster() { [[ -n ${E2E_CONTEXT:-} || -n ${KUBECONFIG:-} ]]; }

node_image() {
  echo "${KIND_NODE_IMAGE:-$(docker image ls --filter reference='kindest/node:*' --format '{{.Repository}}:{{.Tag}}' | sort --version-sort | tail -n 1)}"
}

# Sets CONTEXT; makes the cluster if it is to be kind's and is not there.
use_cluster() {
  if own_cluster; then
    CONTEXT=${E2E_CONTEXT:-$(kubectl config current-context)}
    say "using the cluster of the context $CONTEXT"
  else
    CONTEXT=kind-$CLUSTER
    kind get clusters 2>/dev/null | grep -qx "$CLUSTER" || create_cluster
  fi
  kubectl --context "$CONTEXT" get --raw /readyz >/dev/null || fail "The cluster of the context $CONTEXT does not answer."
}

create_cluster() {
  local image
  image=$(node_image)
  say "creating the cluster $CLUSTER with kind (${image:-its own node image}) ..."
  kind create cluster --name "$CLUSTER" ${image:+--image "$image"} --wait 180s --quiet
}

# The stand-in for CouchDB, with users as CouchDB has them; sets couchdb_image.
build_stand_in() {
  local context
  context=$(mktemp -d)
  cp "$root"/services/dev/couchdb-stand-in/{package.json,package-lock.json,*.js} "$context"
  (cd "$context" && npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
  docker build --quiet --tag imagemill-couchdb:e2e --file "$root/e2e/couchdb/Dockerfile" "$context" \
    2> >(grep -v -e legacy -e buildx -e '^$' >&2) >/dev/null
  rm -rf "$context"
  couchdb_image=$(by_content imagemill-couchdb)
}

# Builds the images, brings them and the base images to the cluster.
bring_images() {
  build_images
  load_images
}

# Sets IMAGE and OPERATOR_IMAGE.
build_images() {
  local image
  [[ $couchdb_image != stand-in ]] || build_stand_in
  for image in "$python_image" $([[ $CONTEXT != kind-* ]] || echo "$rabbitmq_image" "$couchdb_image"); do
    docker image inspect "$image" >/dev/null 2>&1 || docker pull "$image"
  done
  say "building the images ..."
  VERSION=e2e PYTHON_IMAGE=$python_image "$root/images/build"
  IMAGE=$(by_content imagemill) OPERATOR_IMAGE=$(by_content imagemill-operator)
}

load_images() {
  say "loading the images ..."
  deliver "$IMAGE" "$OPERATOR_IMAGE"
  [[ $CONTEXT != kind-* ]] || deliver "$rabbitmq_image" "$couchdb_image"
}

# The camera which the tests watch; it sets nothing, so that it can be built beside everything else.
build_camera() {
  docker build --quiet --tag imagemill-camera:e2e --build-arg PYTHON_IMAGE="$python_image" "$root/e2e/camera" \
    2> >(grep -v -e legacy -e buildx -e '^$' >&2) >/dev/null
}

# Sets CAMERA_IMAGE.
bring_camera() {
  CAMERA_IMAGE=$(by_content imagemill-camera)
  deliver "$CAMERA_IMAGE"
}

# deliver IMAGE…: to the nodes of kind, or to the registry from which another cluster pulls.
deliver() {
  local image
  if [[ $CONTEXT == kind-* ]]; then
    kind load docker-image --name "${CONTEXT#kind-}" "$@" 2>&1 | grep -v -e 'not yet present' -e 'already present' || true
  elif [[ -n ${E2E_REGISTRY:-} ]]; then
    for image; do docker push --quiet "$image"; done
  else
    fail "$CONTEXT is not a cluster of kind: set E2E_REGISTRY to a registry from which it can pull images."
  fi
}

# A tag which changes with the content, so that new images replace pods.
by_content() {
  local id name
  id=$(docker image inspect --format '{{.Id}}' "$1:e2e")
  name=${E2E_REGISTRY:+$E2E_REGISTRY/}$1:${id:7:12}
  docker tag "$1:e2e" "$name"
  echo "$name"
}

# Values which name the images, for helm.
image_values() {
  local key image
  for key in image="$IMAGE" operator.image="$OPERATOR_IMAGE" rabbitmq.image="$rabbitmq_image" couchdb.image="$couchdb_image"; do
    image=${key#*=} key=${key%%=*}
    printf -- '--set-string\n%s.repository=%s,%s.tag=%s\n' "$key" "${image%:*}" "$key" "${image##*:}"
  done
}

# make_namespace NAMESPACE: one which takes only pods that pass Pod Security "restricted".
make_namespace() {
  kubectl --context "$CONTEXT" create namespace "$1" --dry-run=client --output yaml |
    kubectl --context "$CONTEXT" apply --filename - >/dev/null
  kubectl --context "$CONTEXT" label --overwrite namespace "$1" pod-security.kubernetes.io/enforce=restricted >/dev/null
}

# make_secrets NAMESPACE: the login of the camera and the channel, as a user brings them.
make_secrets() {
  local file
  for file in cameras=credentials.yaml channels=channels.yaml; do
    kubectl --context "$CONTEXT" --namespace "$1" create secret generic "${file%=*}" \
      --from-file="$root/e2e/camera/${file#*=}" --dry-run=client --output yaml |
      kubectl --context "$CONTEXT" apply --filename - >/dev/null
  done
}

# install_chart NAMESPACE ARGUMENTS…
install_chart() {
  local namespace=$1
  local -a images
  shift
  mapfile -t images < <(image_values)
  make_namespace "$namespace"
  kubectl --context "$CONTEXT" apply --server-side --force-conflicts --filename "$root/charts/imagemill/crds" >/dev/null
  helm --kube-context "$CONTEXT" upgrade --install mill "$root/charts/imagemill" --namespace "$namespace" \
    "${images[@]}" --wait --timeout 10m "$@"
}
