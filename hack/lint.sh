#!/usr/bin/env bash
# Lints the Go code for Linux and for Windows.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
linter=$(go tool -modfile=hack/tools/go.mod -n golangci-lint) # built for this system, run for the other too
echo "lint: linux"
GOOS=linux "$linter" run --allow-parallel-runners ./...
echo "lint: windows"
GOOS=windows "$linter" run --allow-parallel-runners ./controllers/... ./internal/... ./cmd/...
echo "lint: hack/images"
(cd hack/images && "$linter" run --allow-parallel-runners ./...)
echo "lint: PASS in $((SECONDS - start)) s"
