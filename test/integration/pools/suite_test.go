// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pools tests pools with the manager as a program on a real etcd and
// kube-apiserver.
package pools

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// retain is for how long a pool keeps numbers.
const retain = 6 * time.Second

// dual is the control plane that all specs share.
var dual *numbers.Server

func TestPools(t *testing.T) { numbers.Run(t, "Pools") }

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = numbers.Start(ctx, controlplane.DefaultServiceClusterIPRange)
}, NodeTimeout(numbers.StartTimeout))

var _ = BeforeEach(func() { dual.AbortIfDead() })
