// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests what `make deploy` installs, on a cluster with real nodes: through
// kubelet, kube-proxy and CoreDNS, with real connections. `make test-e2e` runs it.
//
// It takes the cluster of KUBECONFIG, whatever made it, and needs there the images that
// E2E_MANAGER_IMAGE, E2E_PREVIOUS_IMAGE and E2E_TRAFFIC_IMAGE name. Specs that the
// cluster does not allow are skipped, and say why.
package e2e
