// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package takeover tests the manager against the real kube-controller-manager,
// whose three endpoint controllers it replaces: each takes a cluster over from
// the other and changes nothing, and should both run for a while, no endpoint is
// lost or doubled.
//
// The specs write pods and their status by hand, without scheduler and kubelet,
// so that what there is to list is exact at every moment. There is no garbage
// collector either: what belonged to a deleted Service stays.
package takeover

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// startTimeout is for a control plane and all that lives in it, on a busy
	// machine.
	startTimeout = 5 * time.Minute
	// patience is how long an expected outcome may take. Healthy writers need
	// milliseconds, or the second that the stock ones wait before they look again;
	// the rest is for the machine.
	patience = 90 * time.Second
	// calm is how long nothing may change for the writers to count as quiet:
	// longer than the second that the stock controllers wait before they look at
	// what somebody else did to a slice.
	calm = 1300 * time.Millisecond

	roleFile = "../../../config/rbac/role.yaml"
)

func TestTakeover(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Takeover")
}
