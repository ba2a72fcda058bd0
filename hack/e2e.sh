#!/usr/bin/env bash
# The main job end to end: the Windows agent under Wine, and this system's own, each against a control plane and a Key Vault.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
hack/wine.sh --prepare
for machine in native wine; do
  echo "e2e: $machine"
  go test -count=1 -timeout 20m -v ./test/e2e -machine="$machine" | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; }
done
echo "e2e: PASS in $((SECONDS - start)) s"
