#!/usr/bin/env bash
# Publishes and signs the chart, the images that `make images` built, and the archives of `make release-archives`:
#   hack/release.sh REGISTRY TAG [OPTION...]   passes OPTIONs to cosign for every signature
#   hack/release.sh --check TAG                only checks whether TAG is a valid release tag
# It needs cosign 3, a login to the registry, and an identity that cosign can use. It writes the files for the release to
# dist/release. It can be run again: an image's tag keeps its digest, the chart's gets a new one, since Helm adds the time of the
# push. docs/release.md describes a rehearsal.
set -euo pipefail
cd "$(dirname "$0")/.."

registry=$1 tag=$2
options=("${@:3}")
crane() { go -C hack/images tool crane "$@"; }
helm() { go tool -modfile=hack/tools/helm/go.mod helm "$@"; }
step() { echo "release: $1"; }
fail() { echo "release: FAIL $1" >&2; exit 1; }

# Registries allow no plus in a tag, so there is no build metadata.
[[ $tag =~ ^v(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$ ]] || fail "the tag $tag does not have the form v1.2.3 or v1.2.3-rc.1"
[ "$registry" != --check ] || exit 0
images=(vaultpane-agent vaultpane-controller)
for name in "${images[@]}"; do
  grep -qF "\"version\": \"$tag\"" "dist/provenance/$name.slsa.json" || fail "dist has a version of $name other than $tag; run make images VERSION=$tag"
  grep -qF '"gitCommit"' "dist/provenance/$name.slsa.json" || fail "$name was built from uncommitted changes; commit them and run make images again"
done

grep -qF "version: $tag" dist/archives/vaultpane.yaml || fail "dist has archives of another version; run make release-archives VERSION=$tag"

plain=()
[[ $registry != 127.0.0.1:* ]] || plain=(--plain-http) # as crane and cosign do by themselves
rm -rf dist/release
mkdir -p dist/release

for name in "${images[@]}"; do
  digest=$(cat "dist/images/$name.digest")
  image="$registry/$name@$digest"
  step "$image"
  crane push "$PWD/dist/images/$name" "$registry/$name:$tag" >/dev/null
  pushed=$(crane digest "$registry/$name:$tag")
  [ "$pushed" = "$digest" ] || fail "the registry has the digest $pushed for $name, expected $digest"
  cosign sign --yes "${options[@]}" --recursive "$image"
  cosign attest --yes "${options[@]}" --type slsaprovenance1 --predicate "dist/provenance/$name.slsa.json" "$image"
  # A bill of materials describes one platform, so it is attached to that platform's image.
  for bill in dist/sbom/"$name"-*.cdx.json; do
    platform=$(basename "$bill" .cdx.json)
    platform=${platform#"$name-"}
    part=$(crane digest --platform "${platform/-//}" "$registry/$name@$digest")
    cosign attest --yes "${options[@]}" --type cyclonedx --predicate "$bill" "$registry/$name@$part"
  done
  echo "$image" >>dist/release/images.txt
done

step "chart ${tag#v}"
# Helm keeps the files' times. With the commit's time the archive is the same on every machine.
find charts/vaultpane -exec touch -d "@$(git log -1 --format=%ct)" {} +
helm package charts/vaultpane --version "${tag#v}" --app-version "$tag" --destination dist/release
pushed=$(helm push "${plain[@]}" "dist/release/vaultpane-${tag#v}.tgz" "oci://$registry/charts" 2>&1 | tee /dev/stderr | awk '$1 == "Digest:" {print $2}')
[ -n "$pushed" ] || fail "helm did not print the chart's digest"
cosign sign --yes "${options[@]}" "$registry/charts/vaultpane@$pushed"
echo "$registry/charts/vaultpane@$pushed" >>dist/release/images.txt

step "files"
cp dist/bin/* dist/sbom/*.cdx.json dist/provenance/*.slsa.json dist/archives/kubectl-vaultpane-* dist/archives/vaultpane.yaml dist/release/
(cd dist/release && sha256sum -- * >SHA256SUMS)
cosign sign-blob --yes "${options[@]}" --bundle dist/release/SHA256SUMS.sigstore.json dist/release/SHA256SUMS
step "PASS $tag to $registry"
