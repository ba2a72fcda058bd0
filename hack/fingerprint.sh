#!/usr/bin/env bash
# Prints a hash of the working tree's tracked and new files, so that a check can detect changes by a generator.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -z --cached --others --exclude-standard | sort -z | xargs -0 sha256sum 2>/dev/null | sha256sum
