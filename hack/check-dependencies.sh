#!/usr/bin/env bash
# Checks that docs/dependencies.md lists every direct dependency, and that every module in the binaries has a licence that
# is compatible with Apache-2.0.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=""
for module in $(go list -m -f '{{if not (or .Indirect .Main)}}{{.Path}}{{end}}' all); do
  grep -qF "\`$module\`" docs/dependencies.md || missing="$missing $module"
done
[ -z "$missing" ] || { echo "docs/dependencies.md does not list:$missing; add a row for each" >&2; exit 1; }

unknown=""
for goos in linux windows; do
  for dir in $(GOOS=$goos go list -deps -f '{{with .Module}}{{if not .Main}}{{.Dir}}{{end}}{{end}}' ./cmd/... | sort -u); do
    licence=$(find "$dir" -maxdepth 1 -iname 'licen[sc]e*' -o -maxdepth 1 -iname 'copying*' | head -n 1)
    if [ -z "$licence" ] || ! grep -qiE 'Apache License|MIT License|Permission is hereby granted, free of charge|Redistribution and use in source and binary forms|ISC License|Permission to use, copy, modify, and/or distribute' "$licence"; then
      unknown="$unknown $dir"
    fi
  done
done
[ -z "$unknown" ] || { echo "no known permissive licence in:$unknown" >&2; exit 1; }
