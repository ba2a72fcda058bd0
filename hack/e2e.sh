#!/usr/bin/env bash
# Runs the end-to-end tests: the Windows agent under Wine and the native agent, against a control plane and a Key Vault endpoint.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
hack/wine.sh --prepare
for machine in native wine; do
  echo "e2e: $machine"
  go test -count=1 -timeout 20m -v ./test/e2e -machine="$machine" | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; }
done
echo "e2e: PASS in $((SECONDS - start)) s"
