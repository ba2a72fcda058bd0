#!/usr/bin/env bash
# Runs the end-to-end tests: the Windows agent under Wine and the native agent, against a control plane and a Key Vault endpoint, and
# without a cluster; and programs that use what the Windows agent installed.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
hack/wine.sh --prepare
for machine in native wine; do
  echo "e2e: $machine"
  for tests in e2emachine e2e; do
    go test -count=1 -timeout 20m -v "./test/$tests" -machine="$machine" | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; }
  done
done
echo "e2e: programs"
go test -count=1 -timeout 20m -v ./test/e2eprograms | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; }
echo "e2e: wine, with the default key storage provider"
go test -count=1 -timeout 20m -v ./test/e2e -machine=wine -provider= | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; }
echo "e2e: PASS in $((SECONDS - start)) s"
