// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scale tests the manager of numbers with many Services.
package scale

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"servicenet.dev/servicenet/test/integration/numbers"
)

// many is the control plane that all specs share.
var many *numbers.Server

func TestScale(t *testing.T) { numbers.Run(t, "Scale") }

var _ = BeforeSuite(func(ctx SpecContext) {
	many = numbers.Start(ctx, "10.96.0.0/16")
}, NodeTimeout(numbers.StartTimeout))

var _ = BeforeEach(func() { many.AbortIfDead() })
