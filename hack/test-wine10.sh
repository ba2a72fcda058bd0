#!/usr/bin/env bash
# Runs the tests of the Windows executable under Wine 10, and programs that use the certificates that the agent installed there.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
hack/wine10.sh --prepare
dotnet=$(hack/dotnet.sh)
hack/wine10.sh hack/test-windows.sh
echo "test-wine10: programs"
hack/wine10.sh go test -count=1 -timeout 20m -v ./test/e2eprograms -dotnet="$dotnet" | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; }
echo "test-wine10: PASS in $((SECONDS - start)) s"
