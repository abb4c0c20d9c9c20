// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package integration tests the manager as its users meet it: as a process with
// the rights of its role, beside a real etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler, with simulated nodes and pods. It
// looks at everything through the API server.
//
// Every spec has a namespace of its own. Those that stop the manager they all
// share, or start another, are Serial.
package integration

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/hack/controlplane"
)

const (
	// startTimeout is for the whole cluster, on a busy machine.
	startTimeout = 5 * time.Minute
	// patience is how long an expected outcome may take. A healthy manager needs
	// milliseconds; the rest is for the machine.
	patience = 30 * time.Second
	// absence is how long something must not happen.
	absence = 700 * time.Millisecond

	nodes    = 6
	roleFile = "../../config/rbac/role.yaml"
)

var (
	plane *controlplane.ControlPlane
	// stock is the kube-controller-manager.
	stock *controlplane.Process
	// manager is the one that all specs share.
	manager *controlplane.Manager
	// api reads and writes without a cache, with all rights.
	api client.Client
)

func TestIntegration(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(absence)
	SetDefaultConsistentlyPollingInterval(50 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Integration")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	plane, err = controlplane.Start(ctx, controlplane.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })

	stock, err = plane.StartControllerManager(ctx)
	Expect(err).NotTo(HaveOccurred())
	_, err = plane.StartScheduler(ctx)
	Expect(err).NotTo(HaveOccurred())
	_, err = plane.StartKwok(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(plane.AddNodes(ctx, nodes)).To(Succeed())
	manager = startManager(ctx, "manager")

	config := plane.RESTConfig()
	config.WarningHandler = rest.NoWarnings{} // of Endpoints, that they are deprecated
	api, err = client.New(config, client.Options{Scheme: clientgoscheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	api = client.WithFieldValidation(api, "Strict")
}, NodeTimeout(startTimeout))

// A part that died takes every further spec with it: say so once.
var _ = BeforeEach(func() {
	select {
	case <-plane.Done():
		AbortSuite(plane.Err().Error())
	default:
	}
})

// What the specs do to the manager is everyday life: no reason for it to raise
// an alarm. Nor is it news, on every call, that Endpoints are deprecated.
var _ = AfterSuite(func() {
	Expect(errorsLogged()).To(BeEmpty())
	log, err := os.ReadFile(manager.LogPath())
	Expect(err).NotTo(HaveOccurred())
	Expect(string(log)).NotTo(ContainSubstring("deprecated"))
})
