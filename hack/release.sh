#!/usr/bin/env bash
# Publishes what `make images` built, and the chart, and signs all of it:
#   hack/release.sh REGISTRY TAG
# It needs cosign, helm, a login to the registry, and an identity that cosign can use. Files for the release are left in
# dist/release. It can be run again: a tag is written anew with the same digest.
set -euo pipefail
cd "$(dirname "$0")/.."

registry=$1 tag=$2
crane() { go -C hack/images tool crane "$@"; }
step() { echo "release: $1"; }

rm -rf dist/release
mkdir -p dist/release

for name in vaultpane-agent vaultpane-controller; do
  digest=$(cat "dist/images/$name.digest")
  image="$registry/$name@$digest"
  step "$image"
  crane push "$PWD/dist/images/$name" "$registry/$name:$tag" >/dev/null
  pushed=$(crane digest "$registry/$name:$tag")
  [ "$pushed" = "$digest" ] || { echo "release: FAIL the registry has $pushed for $name, built was $digest" >&2; exit 1; }
  cosign sign --yes --recursive "$image"
  cosign attest --yes --type slsaprovenance1 --predicate "dist/provenance/$name.slsa.json" "$image"
  # A bill is of one platform, so it is attached to that platform's image.
  for bill in dist/sbom/"$name"-*.cdx.json; do
    platform=$(basename "$bill" .cdx.json)
    platform=${platform#"$name-"}
    part=$(crane digest --platform "${platform/-//}" "$registry/$name@$digest")
    cosign attest --yes --type cyclonedx --predicate "$bill" "$registry/$name@$part"
  done
  echo "$image" >>dist/release/images.txt
done

step "chart ${tag#v}"
helm package charts/vaultpane --version "${tag#v}" --app-version "$tag" --destination dist/release
pushed=$(helm push "dist/release/vaultpane-${tag#v}.tgz" "oci://$registry/charts" 2>&1 | tee /dev/stderr | awk '$1 == "Digest:" {print $2}')
[ -n "$pushed" ] || { echo "release: FAIL helm did not say the chart's digest" >&2; exit 1; }
cosign sign --yes "$registry/charts/vaultpane@$pushed"

step "files"
cp dist/bin/* dist/sbom/*.cdx.json dist/provenance/*.slsa.json dist/release/
(cd dist/release && sha256sum -- * >SHA256SUMS)
cosign sign-blob --yes --bundle dist/release/SHA256SUMS.sigstore.json dist/release/SHA256SUMS
echo "release: PASS $tag to $registry"
