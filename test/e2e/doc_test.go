// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests what `make deploy` installs, on a cluster with real nodes: through
// kubelet, kube-proxy and CoreDNS, with real connections. `make test-e2e` runs it.
//
// It takes the cluster of KUBECONFIG, whatever made it, and needs there the images that
// E2E_MANAGER_IMAGE, E2E_PREVIOUS_IMAGE and E2E_TRAFFIC_IMAGE name. E2E_PREVIOUS_FOLDER is
// where the files of the previous version are, if it is not installed as this one is;
// E2E_AUDIT_LOG is the API server's log of what the manager asked for, if it keeps one. Specs that the
// cluster does not allow are skipped, and say why.
package e2e
