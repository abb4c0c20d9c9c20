// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ipv4 tests the repair of the ledger on a control plane with IPv4.
package ipv4

import (
	"testing"

	"servicenet.dev/servicenet/test/integration/numbers"
	"servicenet.dev/servicenet/test/integration/repair"
)

var _ = repair.Specs(&repair.Family{
	Name: "IPv4", ClusterIPs: "10.96.0.0/16", Small: "10.96.0.0/28",
	Few: "10.200.0.0/29", OfFew: "10.200.0.3", Outside: "10.250.0.7", Garbled: "10.96.999.1",
})

func TestRepair(t *testing.T) { numbers.Run(t, "Repair with IPv4") }
