// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission tests the webhooks for Services: the manager as a program, called
// by a real kube-apiserver.
//
// There is one ledger in a cluster and one set of webhooks, so the specs run one
// after the other, and each has namespaces of its own.
package admission

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"servicenet.dev/servicenet/test/integration/hooked"
	"servicenet.dev/servicenet/test/integration/numbers"
)

const (
	dualRange = "10.96.0.0/16,fd00::/112"
	ipv4Range = "10.96.0.0/16"
	ipv6Range = "fd00::/112"
)

// dual is the control plane that most specs share: dual-stack, IPv4 first.
var dual *hooked.Server

func TestAdmission(t *testing.T) { numbers.Run(t, "Admission") }

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = hooked.Start(ctx, dualRange)
}, NodeTimeout(numbers.StartTimeout))

// A part that died takes every further spec with it: say so once.
var _ = BeforeEach(func() {
	select {
	case <-dual.Plane.Done():
		AbortSuite(dual.Plane.Err().Error())
	default:
	}
})
