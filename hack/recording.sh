#!/usr/bin/env bash
# Records kubectl vaultpane in a real cluster on this machine into docs/kubectl.md and docs/kubectl-session.svg. It takes about 20 s,
# and some minutes where the control plane has to be built first.
set -euo pipefail
cd "$(dirname "$0")/.."

go run ./test/controlplane/cmd assets >/dev/null
export CGO_ENABLED=0
go build -trimpath -o bin/vaultpane-agent ./cmd/agent
go build -trimpath -o bin/vaultpane-controller ./cmd/controller
go build -trimpath -o bin/kubectl-vaultpane ./cmd/kubectl-vaultpane
go run ./test/recording
