#!/usr/bin/env bash
# Runs the tests of concurrent code with the race detector, which needs a C compiler and makes them several times slower.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
command -v "$(go env CC)" >/dev/null || { echo "test-race: FAIL the race detector needs a C compiler; install gcc" >&2; exit 1; }
echo "test-race: control plane"
assets=$(go run ./test/controlplane/cmd assets | tail -n 1)
export KUBEBUILDER_ASSETS="$assets"

echo "test-race: packages"
# bundle has no concurrency, and its arithmetic would take most of the time.
packages=$(go list ./controllers/... ./internal/... | grep -v /internal/bundle)
# shellcheck disable=SC2086 # one word a package
CGO_ENABLED=1 go test -race -count=1 -timeout 15m $packages
echo "test-race: PASS in $((SECONDS - start)) s"
