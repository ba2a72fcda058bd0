#!/usr/bin/env bash
# Checks that docs/dependencies.md lists every direct dependency, and that every module in the binaries, and in the program of
# test/e2eprograms/store, has a licence that is compatible with Apache-2.0.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=""
modules() { go -C "$1" list -m -f '{{if not (or .Indirect .Main)}}{{.Path}}{{end}}' all; }
for module in $(modules .; modules test/e2eprograms/store); do
  grep -qF "\`$module\`" docs/dependencies.md || missing="$missing $module"
done
[ -z "$missing" ] || { echo "docs/dependencies.md does not list:$missing; add a row for each" >&2; exit 1; }

folders() { GOOS=$1 go -C "$2" list -deps -f '{{with .Module}}{{if not .Main}}{{.Dir}}{{end}}{{end}}' "$3"; }
unknown=""
for dir in $( (folders linux . ./cmd/...; folders windows . ./cmd/...; folders windows test/e2eprograms/store .) | sort -u); do
  licence=$(find "$dir" -maxdepth 1 -iname 'licen[sc]e*' -o -maxdepth 1 -iname 'copying*' | head -n 1)
  if [ -z "$licence" ] || ! grep -qiE 'Apache License|MIT License|Permission is hereby granted, free of charge|Redistribution and use in source and binary forms|ISC License|Permission to use, copy, modify, and/or distribute' "$licence"; then
    unknown="$unknown $dir"
  fi
done
[ -z "$unknown" ] || { echo "no known permissive licence in:$unknown" >&2; exit 1; }
