#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs tests with a closing summary:
#
#   hack/test.sh all|unit|integration [flags of go test]
#
# With COVER=1 they count which statements ran, what the manager does for the suites
# in its own process too, and take twice as long; the ledger's model test then plays
# few of its runs.
# FOCUS, a regular expression, picks specs of the integration suites.
# TEST_SUMMARY names a file that the last lines are written to as well. make sets
# SERVICENET_BIN, K8S_VERSION and KUBEBUILDER_ASSETS, which say where the programs are
# that the integration tests start.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

which=$1
shift

skip=() focus=()
case $which in
  all) pattern=. ;;
  unit)
    pattern='/servicenet/(api|cmd|controllers|internal|hack/testsummary|hack/lock|hack/node)(/|$)'
    skip=(-skip '^Example') # the library's example starts an API server
    ;;
  integration)
    pattern='/servicenet/(controllers|test/integration|hack/controlplane|hack/run)(/|$)'
    if [[ -n ${FOCUS:-} ]]; then
      pattern='/servicenet/test/integration(/|$)' # only ginkgo knows the flag
      focus=("-ginkgo.focus=$FOCUS")
    fi
    ;;
  *)
    echo "test.sh: want all, unit or integration, not $which" >&2
    exit 2
    ;;
esac
packages=$(go list ./... | grep -E "$pattern" | grep -v '/servicenet/test/e2e' || true)
if [[ -z $packages ]]; then
  echo "test.sh: there are no packages of $which tests" >&2
  exit 1
fi
covered=$(go list ./... | grep -E '/servicenet/(api|cmd|controllers|internal)(/|$)' | paste -sd,)

bin=$SERVICENET_BIN
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
begin=$SECONDS

coverage=()
if [[ -n ${COVER:-} && $which != integration ]]; then
  coverage=(-covermode=atomic "-coverpkg=$covered" "-coverprofile=$scratch/tests.out")
fi
if [[ $which != unit ]]; then
  if [[ -n ${COVER:-} ]]; then
    linked=$(go list -deps ./cmd | grep '^servicenet.dev/' | paste -sd,)
    go build -cover -covermode=atomic -coverpkg="$linked" -o "$bin/covered/manager" ./cmd
    export SERVICENET_BIN=$bin/covered:$bin GOCOVERDIR=$scratch/manager
    mkdir "$GOCOVERDIR"
  else
    go build -o "$bin/manager" ./cmd
  fi
fi

race=()
compiler=$(go env CC)
if command -v "${compiler%% *}" >/dev/null; then
  race=(-race)
  export CGO_ENABLED=1
else
  echo "no C compiler ($compiler): testing without the race detector"
fi

# Servers and tests live for minutes: memory is cheaper than collecting it.
export GOGC=${GOGC:-400}

# Those that take longest begin first.
longest='/internal/ledger/store$|/test/integration/takeover$'
long='/test/integration(/(admission(/replicas)?|cloud|deploy|ledger|loadbalancer|pools|scale|repair/[a-z0-9]+))?$'
packages=$(
  grep -E "$longest" <<<"$packages" || true
  grep -E "$long" <<<"$packages" || true
  grep -vE "$longest|$long" <<<"$packages" || true
)

echo "testing $(wc -w <<<"$packages") packages; compiling them takes minutes the first time"
# The tests start programs that the test cache does not know of: -count=1. The
# suites mostly wait for them, and the ledger's models take what they leave, all of the
# time: on two cores, more than -p=4 at a time only make each other late.
# The time limit ends what hangs; the models take ten minutes beside the others, and three
# times that where something else is at work, too. Linking takes half as long without what
# debuggers read, and lint has run vet.
status=0
# shellcheck disable=SC2086 # one word per package
"$bin/gotestsum" --format pkgname --format-hide-empty-pkg --hide-summary skipped \
  --jsonfile "$scratch/events" -- \
  "${race[@]}" -p=4 -count=1 -timeout=40m -vet=off -ldflags='-s -w' "${skip[@]}" "${coverage[@]}" "$@" $packages "${focus[@]}" |
  sed -u -E 's/ \(coverage: .*\)$//' || status=$? # the figures per package say little
export CGO_ENABLED=0

if [[ -n ${COVER:-} ]]; then
  if compgen -G "$scratch/manager/*" >/dev/null; then
    go tool covdata textfmt -i "$scratch/manager" -o "$scratch/manager.out"
  fi
  {
    echo "mode: atomic"
    cat "$scratch"/*.out 2>/dev/null | grep -v '^mode:' || true
  } >cover.out
  printf '\ncoverage  %s of statements (cover.out)' "$(go tool cover -func=cover.out | awk 'END { print $NF }')"
fi
printf '\nelapsed   %d s\n' $((SECONDS - begin))
go run ./hack/testsummary <"$scratch/events" | tee -- "${TEST_SUMMARY:-/dev/null}"
exit "$status"
