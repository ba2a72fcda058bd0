#!/usr/bin/env bash
# Checks the chart. --lint runs only the checks that need no control plane. UPDATE=1 updates the golden files: review the diff.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
promtool() { go tool -modfile=hack/tools/promtool/go.mod promtool "$@"; }

echo "chart: lint"
go tool -modfile=hack/tools/helm/go.mod helm lint --strict --quiet charts/vaultpane
if [ "${1:-}" != --lint ]; then
  echo "chart: renderings"
  KUBEBUILDER_ASSETS="$(go run ./test/controlplane/cmd assets | tail -n 1)"
  export KUBEBUILDER_ASSETS
  [ -z "${UPDATE:-}" ] || go test -count=1 ./charts -args -update
  go test -count=1 -timeout 10m ./charts
fi
echo "chart: alerts and dashboard"
promtool check rules charts/vaultpane/files/alerts.yaml charts/testdata/monitoring/dashboard.yaml >/dev/null
(cd hack/tools/grafana && go run . ../../../charts/vaultpane/files/dashboard.json) # in Grafana's own words
promtool test rules charts/testdata/monitoring/*_test.yaml
echo "chart: PASS in $((SECONDS - start)) s"
