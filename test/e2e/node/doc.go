// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package node tests `make cluster-up` and `make cluster-down`: that nothing is left of
// a cluster, whatever became of its processes. It takes root, the packages of a node and
// a machine without another such cluster.
package node
