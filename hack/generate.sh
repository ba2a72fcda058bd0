#!/usr/bin/env bash
# Regenerates every generated file.
set -euo pipefail
cd "$(dirname "$0")/.."

tool() { go tool -modfile=hack/tools/go.mod "$@"; }

echo "generate: deep copies, CRDs and RBAC"
tool controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...
tool controller-gen crd paths=./api/... output:crd:dir=config/crd
tool controller-gen rbac:roleName=vaultpane-agent paths=./controllers/agent/... output:rbac:dir=config/rbac/agent
tool controller-gen rbac:roleName=vaultpane-controller paths=./controllers/rollup/... paths=./controllers/startuptaint/... paths=./controllers/versionwatch/... paths=./cmd/controller/... output:rbac:dir=config/rbac/controller

echo "generate: system call stubs"
(cd internal/certstore/windows/internal/wincrypt && go tool -modfile=../../../../../hack/tools/go.mod mkwinsyscall -output zsyscall_windows.go syscall_windows.go)

echo "generate: docs/api.md"
tool crd-ref-docs --log-level=ERROR --source-path=./api/v1alpha1 --config=hack/api-docs/config.yaml --templates-dir=hack/api-docs \
  --renderer=markdown --output-path=docs/api.md

echo "generate: docs/errors.md"
go test ./api/v1alpha1 -run TestErrorsDocument -args -update >/dev/null

echo "generate: docs/metrics.md"
go test ./docs -run TestTheMetricsPage -args -update >/dev/null

echo "generate: the chart's copies, config/ and the chart's README"
go test ./charts -run 'TestTheChartHolds' -args -update >/dev/null
go test ./charts -run 'TestTheManifests|TestTheSchemaHolds|TestTheRules|TestEveryValue|TestTheSchemaKnows|TestTheProgramsKnow|TestTheDashboards' -args -update >/dev/null

echo "generate: the recorded session in docs/kubectl.md, and its picture"
hack/recording.sh
