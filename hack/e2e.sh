#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs the end-to-end tests:
#
#   hack/e2e.sh [flags of ginkgo]
#
# With E2E_KUBECONFIG or KUBECONFIG set, in that cluster, which must be able to pull the
# images that E2E_MANAGER_IMAGE, E2E_PREVIOUS_IMAGE and E2E_TRAFFIC_IMAGE name, or have
# them already; ENDPOINTS=ours says that it has no stock endpoint controllers. Else in
# clusters of this machine, one for each of ENDPOINTS (default: "stock ours"), which are
# taken down again; KEEP=1 leaves the last one up when a spec has failed.
# These have NODES nodes, 2 if it is not set.
# FOCUS, a regular expression, picks specs, and so does E2E_LABELS, a filter of labels as
# ginkgo has them, "" for all. Unless it is set, those that are slow are left out, and with
# the stock endpoint controllers faults, too. E2E_PROCS is how many
# specs run at a time, but for those that share the manager. E2E_PODS is how many pods are
# replaced under load. PREVIOUS, a commit, says that the image to upgrade from is of it
# (hack/previous.sh), and so are its manifests, in $SERVICENET_BIN/previous. make sets
# SERVICENET_BIN and K8S_VERSION.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin=$SERVICENET_BIN
export KUBECTL=${KUBECTL:-$KUBEBUILDER_ASSETS/kubectl}
options=(--procs="${E2E_PROCS:-4}" --timeout=60m --poll-progress-after=3m)
if [[ -n ${FOCUS:-} ]]; then
  options+=("--focus=$FOCUS")
fi
if [[ ! -t 1 ]]; then
  options+=(--no-color)
fi

# specs LABELS [flags of ginkgo]: those of the labels, unless E2E_LABELS says which.
specs() { go tool ginkgo run "${options[@]}" --label-filter="${E2E_LABELS-$1}" "${@:2}" ./test/e2e; }

export KUBECONFIG=${E2E_KUBECONFIG:-${KUBECONFIG:-}}
if [[ -n $KUBECONFIG ]]; then
  : "${E2E_MANAGER_IMAGE:?name images that the cluster can pull: E2E_MANAGER_IMAGE, E2E_TRAFFIC_IMAGE}"
  : "${E2E_TRAFFIC_IMAGE:?names what pods of the specs run: make e2e-images writes it into bin/images/traffic.tar}"
  specs '!slow' "$@"
  exit
fi

export E2E_MANAGER_IMAGE=servicenet.dev/manager:e2e E2E_PREVIOUS_IMAGE=servicenet.dev/manager:previous
export E2E_TRAFFIC_IMAGE=servicenet.dev/traffic:dev
if [[ -n ${PREVIOUS:-} ]]; then
  export E2E_PREVIOUS_FOLDER=$bin/previous
fi
"$bin/node" packages
begin=$SECONDS
if [[ -z ${FOCUS:-} ]]; then
  echo "==> [0 s] clusters that are killed, and what is left of them"
  go test ./test/e2e/node -count=1 -timeout=30m
fi
declare -A labels=([stock]='!slow && !faults' [ours]='!slow')
for endpoints in ${ENDPOINTS:-stock ours}; do
  echo "==> [$((SECONDS - begin)) s] end-to-end tests with endpoints of $endpoints"
  images=$bin/images
  "$bin/node" up --dir="$bin/cluster" --endpoints="$endpoints" --proxy-mode="${PROXY_MODE:-nftables}" --nodes="${NODES:-2}" \
    --images="$images/pause.tar,$images/coredns.tar,$images/traffic.tar,$images/manager.tar,$images/manager-previous.tar"
  status=0
  KUBECONFIG=$bin/cluster/kubeconfig ENDPOINTS=$endpoints E2E_CLUSTER=$bin/cluster \
    E2E_AUDIT_LOG=$bin/cluster/logs/audit.log specs "${labels[$endpoints]}" "$@" || status=$?
  if ((status > 0)) && [[ -n ${KEEP:-} ]]; then
    echo "the cluster is still up: export KUBECONFIG=$bin/cluster/kubeconfig"
    exit "$status"
  fi
  "$bin/node" down --dir="$bin/cluster"
  if ((status > 0)); then
    exit "$status"
  fi
done
echo "end-to-end tests passed after $((SECONDS - begin)) s"
