// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package dual tests the repair of the ledger on a control plane with dual-stack.
package dual

import (
	"testing"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
	"servicenet.dev/servicenet/test/integration/repair"
)

var _ = repair.Specs(&repair.Family{
	Name: "dual-stack", ClusterIPs: controlplane.DefaultServiceClusterIPRange, Small: "10.96.0.0/28,fd00:10:96::/124",
	Few: "10.200.0.0/29", OfFew: "10.200.0.3", Outside: "10.250.0.7", Garbled: "10.96.999.1",
})

func TestRepair(t *testing.T) { numbers.Run(t, "Repair with dual-stack") }
