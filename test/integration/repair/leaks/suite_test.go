// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package leaks tests how soon leaked numbers are free, on a control
// plane with both families.
package leaks

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// dual is the control plane that all specs share.
var dual *numbers.Server

func TestLeaks(t *testing.T) { numbers.Run(t, "Leaks") }

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = numbers.Start(ctx, controlplane.DefaultServiceClusterIPRange)
}, NodeTimeout(numbers.StartTimeout))

var _ = BeforeEach(func() { dual.AbortIfDead() })
