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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// startTimeout is for the control plane and the program, on a busy machine.
	startTimeout = 5 * time.Minute
	// patience is how long an expected outcome may take.
	patience = 45 * time.Second

	crds       = "../../../config/crd/bases"
	roleFile   = "../../../config/rbac/role.yaml"
	hooksFile  = "../../../config/webhook/service-webhooks.yaml"
	dualRange  = "10.96.0.0/16,fd00::/112"
	ipv4Range  = "10.96.0.0/16"
	anyManager = "manager"
)

// dual is the control plane that most specs share: dual-stack, IPv4 first.
var dual *server

func TestAdmission(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Admission")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = startServer(ctx, dualRange)
}, NodeTimeout(startTimeout))

// A part that died takes every further spec with it: say so once.
var _ = BeforeEach(func() {
	select {
	case <-dual.plane.Done():
		AbortSuite(dual.plane.Err().Error())
	default:
	}
})
