#!/usr/bin/env bash
# Runs the tests that depend on the API server with the oldest supported Kubernetes, or a given one: test-oldest.sh [v1.31.14].
# The first run builds that control plane, which takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
version=${1:-$(sed -n 's/^\t"\(v1\.[0-9.]*\)".*/\1/p' test/schemas/versions.go | head -n 1)}
export VAULTPANE_TEST_KUBERNETES="$version"
echo "test-oldest: control plane of Kubernetes $version"
assets=$(go run ./test/controlplane/cmd assets | tail -n 1)
export KUBEBUILDER_ASSETS="$assets"

echo "test-oldest: packages"
go test -count=1 -timeout 15m ./api/... ./charts ./controllers/agent ./controllers/rollup ./controllers/startuptaint ./test/isolation
echo "test-oldest: PASS with Kubernetes $version in $((SECONDS - start)) s"
