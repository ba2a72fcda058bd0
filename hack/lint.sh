#!/usr/bin/env bash
# Lints the Go code for Linux and for Windows, and the API types by the rules for Kubernetes' own.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
# golangci-lint with kube-api-linter in it, built for this system and run for the other too.
linter=$(go tool -modfile=hack/tools/go.mod -n golangci-lint-kube-api-linter)
echo "lint: API types"
"$linter" run --allow-parallel-runners --config .golangci-kal.yml ./api/...
echo "lint: linux"
GOOS=linux "$linter" run --allow-parallel-runners ./...
echo "lint: windows"
GOOS=windows "$linter" run --allow-parallel-runners ./controllers/... ./internal/... ./cmd/...
echo "lint: hack/images"
(cd hack/images && "$linter" run --allow-parallel-runners ./...)
echo "lint: hack/tools/plot"
(cd hack/tools/plot && "$linter" run --allow-parallel-runners ./...)
echo "lint: test/e2eprograms/store"
(cd test/e2eprograms/store && GOOS=windows "$linter" run --allow-parallel-runners ./...)
echo "lint: PASS in $((SECONDS - start)) s"
