#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs the end-to-end tests of Ingresses, in a cluster of this machine where the manager
# writes endpoints:
#
#   hack/ingress.sh [flags of go test]
#
# KEEP=1 leaves it up after a failure. make sets SERVICENET_BIN, K8S_VERSION and
# KUBEBUILDER_ASSETS, and has made the images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin=$SERVICENET_BIN
images=$bin/images
export KUBECTL=${KUBECTL:-$KUBEBUILDER_ASSETS/kubectl}
export E2E_MANAGER_IMAGE=servicenet.dev/manager:e2e
export E2E_TRAFFIC_IMAGE=servicenet.dev/traffic:dev E2E_TRAEFIK_IMAGE=servicenet.dev/traefik:dev
"$bin/node" up --dir="$bin/cluster" --endpoints=ours --proxy-mode="${PROXY_MODE:-nftables}" \
  --images="$images/pause.tar,$images/coredns.tar,$images/traffic.tar,$images/manager.tar,$images/traefik.tar"
status=0
KUBECONFIG=$bin/cluster/kubeconfig go test ./test/e2e/ingress -count=1 -timeout=30m -v "$@" || status=$?
if ((status > 0)) && [[ -n ${KEEP:-} ]]; then
  echo "the cluster is still up: export KUBECONFIG=$bin/cluster/kubeconfig"
  exit "$status"
fi
"$bin/node" down --dir="$bin/cluster"
exit "$status"
