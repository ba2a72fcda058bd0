#!/usr/bin/env bash
# Fuzzes every target for a limited time: fuzz.sh [SECONDS, 10 each]. A failing input is written to the package's testdata/fuzz.
# Commit it with the fix, so that every test run includes it.
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
each=${1:-10}
least=200 # executions: below that a target tests nothing, as when Go spends its time on minimising
targets=0
total=0

# What earlier runs found interesting is left alone: all of it is tried before the fuzzing begins, which takes longer with each run.
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT

# Minimizing an input of a few kilobytes takes a minute by default, during which no other input is tried.
fuzz() { # package, target
  go test -run '^$' -fuzz "^$2\$" -fuzztime "${each}s" -fuzzminimizetime 5x -timeout 10m "$1" -args -test.fuzzcachedir="$corpus" 2>&1
}

# Before Go 1.27, the end of -fuzztime is now and then reported as a failure: https://go.dev/issue/75804. An input that fails is
# named in the output.
only_ended() { # output
  grep -qx '    context deadline exceeded' <<<"$1" && ! grep -qi 'failing input\|seed corpus entry\|panic' <<<"$1"
}

for package in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
  mapfile -t names < <(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' "$package"/*_test.go | sort)
  for target in "${names[@]}"; do
    if ! output=$(fuzz "$package" "$target") && ! only_ended "$output"; then
      echo "$output" >&2
      echo "fuzz: FAIL $target in $package, see above; the failing input is in $package/testdata/fuzz/$target; to repeat it: go test -run '$target/NAME' $package" >&2
      exit 1
    fi
    executions=$(sed -n 's/.*execs: \([0-9]*\) .*/\1/p' <<<"$output" | tail -n 1)
    if [ "${executions:-0}" -lt "$least" ]; then
      echo "$output" >&2
      echo "fuzz: FAIL $target in $package was executed ${executions:-0} times in $each s, fewer than $least; make the target faster or its seeds smaller" >&2
      exit 1
    fi
    echo "fuzz: $target $executions executions, $((executions / each)) a second"
    targets=$((targets + 1)) total=$((total + executions))
  done
done
[ "$targets" -gt 0 ] || { echo "fuzz: FAIL no target was found" >&2; exit 1; }
echo "fuzz: PASS $targets targets, $total executions in $((SECONDS - start)) s"
