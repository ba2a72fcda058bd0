#!/usr/bin/env bash
# Installs the chart with Helm in a control plane with controllers, on simulated nodes: e2e-install.sh [CHART FOLDER].
# The first run builds kube-controller-manager, kube-scheduler, kwok and Helm, which takes some minutes.
set -euo pipefail
chart=$(realpath "${1:-$(dirname "$0")/../charts/vaultpane}")
cd "$(dirname "$0")/.."

start=$SECONDS
step() { echo "e2e-install: $1 ($((SECONDS - start)) s)"; }

step "control plane"
assets=$(go run ./test/controlplane/cmd assets | tail -n 1)
export KUBEBUILDER_ASSETS="$assets"
go run ./test/controlplane/cmd controllers
step "kwok and Helm"
CGO_ENABLED=0 go build -modfile=hack/tools/kwok/go.mod -trimpath -ldflags="-s -w" -o bin/kwok sigs.k8s.io/kwok/cmd/kwok
ln -sf "$(go tool -modfile=hack/tools/helm/go.mod -n helm)" bin/helm
step "installation"
go test -count=1 -timeout 20m -v ./test/e2einstall -chart="$chart" | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; }
echo "e2e-install: PASS in $((SECONDS - start)) s"
