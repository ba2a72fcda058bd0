#!/usr/bin/env bash
# Runs the native tests. The first run builds the control plane, which takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
echo "test: control plane"
assets=$(go run ./test/controlplane/cmd assets | tail -n 1)
export KUBEBUILDER_ASSETS="$assets"

echo "test: packages"
packages=$(go list ./... | grep -v /test/e2e)
# shellcheck disable=SC2086 # one word a package
go test -count=1 -timeout 15m -cover $packages
echo "test: PASS in $((SECONDS - start)) s"
