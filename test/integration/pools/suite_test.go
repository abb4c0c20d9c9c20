// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pools tests pools and the repair of the ledger with the manager as a
// program on a real etcd and kube-apiserver.
//
// There is one ledger in a cluster, so the specs run one after the other, and each
// leaves nothing behind but an empty one.
package pools

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/hack/controlplane"
)

const (
	// startTimeout is for the control plane and the program, on a busy machine.
	startTimeout = 5 * time.Minute
	// patience is how long an expected outcome may take.
	patience = 45 * time.Second
	// absence is how long something must not happen.
	absence = 3 * time.Second

	// retain is for how long a pool keeps numbers.
	retain = 6 * time.Second

	crds     = "../../../config/crd/bases"
	roleFile = "../../../config/rbac/role.yaml"
)

// dual is the control plane that most specs share: dual-stack, with the
// kube-controller-manager that looks after ServiceCIDRs.
var dual *server

func TestPools(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(absence)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Pools")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = startServer(ctx, controlplane.DefaultServiceClusterIPRange)
}, NodeTimeout(startTimeout))

// A part that died takes every further spec with it: say so once.
var _ = BeforeEach(func() {
	select {
	case <-dual.plane.Done():
		AbortSuite(dual.plane.Err().Error())
	default:
	}
})
