#!/usr/bin/env bash
# Compares constants, statuses, and the sizes and offsets of structures that the code declares with the headers of mingw: tests write
# them as assertions in C, under Wine, and a compiler checks those.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v x86_64-w64-mingw32-gcc >/dev/null || { echo "layout: x86_64-w64-mingw32-gcc is missing; on Debian: apt-get install gcc-mingw-w64-x86-64" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
hack/wine.sh --prepare
VAULTPANE_LAYOUTS="Z:${folder//\//\\}" GOOS=windows GOARCH=amd64 \
  go test -count=1 -p 1 -run '^TestLayout' -exec "$PWD/hack/wine.sh" ./internal/certstore/windows/... >/dev/null
count=0
for file in "$folder"/*.c; do
  x86_64-w64-mingw32-gcc -fsyntax-only -D_WIN32_WINNT=0x0A00 "$file"
  count=$((count + $(grep -c '^_Static_assert' "$file")))
done
[ "$count" -gt 100 ] || { echo "layout: FAIL only $count assertions" >&2; exit 1; }
echo "layout: PASS $count assertions"
