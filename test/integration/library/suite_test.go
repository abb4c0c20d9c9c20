// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package library

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"servicenet.dev/servicenet/hack/controlplane"
)

// suite is what the specs share: a server and a plain client of it.
var suite struct {
	server *controlplane.ControlPlane
	client client.Client
}

func TestLibrary(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Library")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	const deadline = 20 * time.Second
	SetDefaultEventuallyTimeout(deadline)
	EnforceDefaultTimeoutsWhenUsingContexts()
	logf.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))

	var err error
	suite.server, err = controlplane.Start(ctx, controlplane.Options{NoServiceAccountAdmission: true})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(suite.server.Stop)
	suite.client, err = client.New(suite.server.RESTConfig(), client.Options{})
	Expect(err).NotTo(HaveOccurred())
})
