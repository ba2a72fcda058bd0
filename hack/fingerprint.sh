#!/usr/bin/env bash
# Prints a hash over the working tree's tracked and new files, so that a check sees whether a generator changed any.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -z --cached --others --exclude-standard | sort -z | xargs -0 sha256sum 2>/dev/null | sha256sum
