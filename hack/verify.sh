#!/usr/bin/env bash
# Runs the automatic checks of a review: format, lint, generated files, modules, workflows, licences.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
tool() { go tool -modfile=hack/tools/go.mod "$@"; }
step() { echo "verify: $1 ($((SECONDS - start)) s)"; }
fail() { echo "verify: FAIL $1" >&2; exit 1; }

step "format"
unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || fail "not formatted: $unformatted; run gofmt -w"

step "go vet for linux and windows"
GOOS=linux go vet ./...
GOOS=windows go vet ./...
go -C hack/images vet ./...
go -C hack/tools/plot vet ./...
GOOS=windows go -C test/e2eprograms/store vet ./...

step "modules"
go mod tidy -diff >/dev/null || fail "go.mod is not tidy; run go mod tidy"
go -C hack/images mod tidy -diff >/dev/null || fail "hack/images/go.mod is not tidy; run go -C hack/images mod tidy"
go -C hack/tools/plot mod tidy -diff >/dev/null || fail "hack/tools/plot/go.mod is not tidy; run go -C hack/tools/plot mod tidy"
go -C test/e2eprograms/store mod tidy -diff >/dev/null || fail "test/e2eprograms/store/go.mod is not tidy; run go -C test/e2eprograms/store mod tidy"

step "generated files"
before=$(hack/fingerprint.sh)
hack/generate.sh >/dev/null
[ "$before" = "$(hack/fingerprint.sh)" ] || fail "generated files were out of date; commit the changes of make generate: $(git status --short | tr '\n' ' ')"

step "dependencies and licences"
hack/check-dependencies.sh

step "workflows"
go tool -modfile=hack/tools/actionlint/go.mod actionlint

step "chart (the first run builds Helm and promtool)"
hack/chart.sh --lint

step "shell scripts"
bash -n hack/*.sh .ci/run
if command -v shellcheck >/dev/null; then
  shellcheck hack/*.sh .ci/run
elif [ -n "${CI:-}" ]; then
  fail "shellcheck is missing; on Debian: apt-get install shellcheck"
else
  echo "verify: shellcheck is missing, so scripts were parsed but not linted; on Debian: apt-get install shellcheck"
fi

step "lint (the first run builds the linter)"
hack/lint.sh

echo "verify: PASS in $((SECONDS - start)) s"
