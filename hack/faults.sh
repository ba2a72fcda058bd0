#!/usr/bin/env bash
# Breaks what Vaultpane depends on, and kills its processes, while observers watch the stores. The arguments are those of test/faults.
# Where this user may, it runs in a mount namespace of its own, so that disks can be filled and made read-only.
set -euo pipefail
cd "$(dirname "$0")/.."

hack/wine.sh --prepare
go build -o bin/faults ./test/faults
if [ "$(uname -s)" = Linux ] && unshare --mount true 2>/dev/null; then
  FAULTS_MOUNTS=yes exec unshare --mount bin/faults "$@"
fi
echo "faults: this user may not mount, so no disk is filled or made read-only"
exec bin/faults "$@"
