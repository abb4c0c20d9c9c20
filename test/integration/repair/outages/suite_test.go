// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package outages tests the repair of the ledger while things are away that it
// needs: the right to write, the API server, the manager itself.
package outages

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// dual is the control plane that all specs share.
var dual *numbers.Server

func TestOutages(t *testing.T) { numbers.Run(t, "Outages") }

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = numbers.Start(ctx, controlplane.DefaultServiceClusterIPRange)
}, NodeTimeout(numbers.StartTimeout))

var _ = BeforeEach(func() { dual.AbortIfDead() })
