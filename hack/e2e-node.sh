#!/usr/bin/env bash
# Runs the chart and the images on a real node: kubelet, containerd and runc on this machine, as root, in namespaces of their own.
# e2e-node.sh [FLAG OF THE TEST]...; the first run builds kubelet, kube-controller-manager, kube-scheduler and Helm.
# Where a node cannot run, its last line is "e2e-node: SKIPPED: REASON", and it succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
step() { echo "e2e-node: $1 ($((SECONDS - start)) s)"; }
skip() { echo "e2e-node: SKIPPED: $1"; exit 0; }

[ "$(uname -s)" = Linux ] || skip "a node needs Linux"
# before what takes long
missing=$(go run ./test/linuxnode/cmd)
[ "$missing" = ready ] || skip "$missing"

step "control plane and kubelet"
assets=$(go run ./test/controlplane/cmd assets | tail -n 1)
export KUBEBUILDER_ASSETS="$assets"
go run ./test/controlplane/cmd controllers
go run ./test/controlplane/cmd kubelet
step "Helm and images"
mkdir -p bin
ln -sf "$(go tool -modfile=hack/tools/helm/go.mod -n helm)" bin/helm
go -C hack/images run . -root "$PWD" -out "$PWD/.cache/e2e-node" -version e2e -commit "$(git rev-parse HEAD)" -platform "linux/$(go env GOARCH)"
CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o bin/e2e-node-pause ./test/linuxnode/pause
go build -o bin/e2e-node-witness ./test/witness
go test -c -o bin/e2e-node.test ./test/e2enode
step "node"
trap 'go run ./test/linuxnode/cmd clean' EXIT # after a kill; mounts and processes end with their namespaces
(cd test/e2enode && unshare --net ../../bin/e2e-node.test -test.timeout=30m -test.v -own-network "$@" | { grep --line-buffered -vE '^=== (RUN|NAME)' || true; })
echo "e2e-node: PASS in $((SECONDS - start)) s"
