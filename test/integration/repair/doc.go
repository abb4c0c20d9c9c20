// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package repair has the specs that the repair of the ledger passes with every kind
// of control plane, with the manager as a program on a real etcd and kube-apiserver.
// The suites are the packages below: for each kind one, and for what takes minutes.
package repair
