#!/usr/bin/env bash
# The demo. The first act is on one machine, without a cluster. The second is in a cluster, whose control plane is fetched or built
# beside the first. Each builds only what it runs.
#   hack/demo.sh [default|wine] [all|machine]
set -euo pipefail
cd "$(dirname "$0")/.."

store=${1:-default} act=${2:-all} version=${VERSION:-dev}
case "$store/$act" in
default/all | default/machine | wine/all | wine/machine) ;;
*)
  echo "demo: FAIL STORE is default or wine, and ACT is all or machine"
  exit 2
  ;;
esac
start=$SECONDS
dir=.cache/demo
mkdir -p $dir/windows
flags=(-trimpath -ldflags "-s -w -X main.version=$version")
export CGO_ENABLED=0

# with_progress TEXT COMMAND...: runs a command, and says every ten seconds that it still runs.
with_progress() {
  local text=$1 begun=$SECONDS ticker
  shift
  echo "demo: $text"
  (while sleep 10; do echo "demo: $text: $((SECONDS - begun)) s so far"; done) &
  ticker=$!
  "$@" || { kill $ticker; return 1; }
  kill $ticker
  wait $ticker 2>/dev/null || true
}

# The agent of the first act has no Kubernetes client (the tag standalone), which halves the time to compile it.
build_first() {
  go build -tags standalone "${flags[@]}" -o $dir/ ./cmd/agent ./test/demo/machine
  mv $dir/agent $dir/vaultpane-agent
  if [ "$store" = wine ]; then
    GOOS=windows GOARCH=amd64 go build -tags standalone "${flags[@]}" -o $dir/windows/vaultpane-agent.exe ./cmd/agent
    hack/wine.sh --prepare
  fi
}

build_second() {
  echo "Building the agent with its Kubernetes client, the controller, and kubectl's plugin"
  go build "${flags[@]}" -o bin/vaultpane-agent ./cmd/agent
  go build "${flags[@]}" -o bin/vaultpane-controller ./cmd/controller
  go build "${flags[@]}" -o bin/kubectl-vaultpane ./cmd/kubectl-vaultpane
  go build "${flags[@]}" -o $dir/cluster ./test/demo/cluster
  if [ "$store" = wine ]; then
    GOOS=windows GOARCH=amd64 go build "${flags[@]}" -o bin/windows/vaultpane-agent.exe ./cmd/agent
  fi
  go run ./test/controlplane/cmd assets
}

with_progress "building the agent for the first act; the first time takes a minute on two idle cores" build_first

beside=
if [ "$act" = all ]; then
  log=$dir/beside.log
  : >$log
  set -m # the job is a process group, so that its end ends the compilers too
  (build_second) >$log 2>&1 </dev/null &
  beside=$!
  set +m
  renice -n 19 -g $beside >/dev/null 2>&1 || true # the first act comes first
  trap 'kill -- -$beside 2>/dev/null || true' EXIT
fi

echo
echo "demo: act 1: one machine, without a cluster"
$dir/machine --store="$store" --bin=$dir
if [ "$act" = machine ]; then
  echo "demo: PASS in $((SECONDS - start)) s, with all builds"
  exit
fi

if kill -0 $beside 2>/dev/null; then
  echo
  echo "demo: for act 2, programs are being compiled and a control plane fetched or built:"
  tail -n +1 --pid=$beside -f "$log" | sed 's/^/   /'
fi
if ! wait $beside; then
  tail -n 20 "$log"
  echo "demo: FAIL building act 2; the whole log is $log"
  exit 1
fi
trap - EXIT
echo
echo "demo: act 2: a cluster"
$dir/cluster --store="$store"
echo "demo: PASS in $((SECONDS - start)) s, with all builds"
