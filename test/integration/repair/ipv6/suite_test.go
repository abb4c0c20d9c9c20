// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ipv6 tests the repair of the ledger on a control plane with IPv6.
package ipv6

import (
	"testing"

	"servicenet.dev/servicenet/test/integration/numbers"
	"servicenet.dev/servicenet/test/integration/repair"
)

var _ = repair.Specs(&repair.Family{
	Name: "IPv6", ClusterIPs: "fd00:10:96::/112", Small: "fd00:10:96::/124",
	Few: "fd00:10:200::/125", OfFew: "fd00:10:200::3", Outside: "fd00:10:250::7", Garbled: "fd00:10:96::g",
})

func TestRepair(t *testing.T) { numbers.Run(t, "Repair with IPv6") }
