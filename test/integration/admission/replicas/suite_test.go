// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package replicas tests the webhooks where there are several of everything: two API
// servers on one etcd, and two managers, of which one stops in order and one dies.
package replicas

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/hooked"
	"servicenet.dev/servicenet/test/integration/ledger/part"
	"servicenet.dev/servicenet/test/integration/numbers"
)

var (
	plane *hooked.Server
	// servers are clients of the two API servers.
	servers [2]client.Client
	// first and second are the managers, and between them and the API servers is what
	// balances.
	first, second *controlplane.Manager
	balance       *balancer
)

func TestReplicas(t *testing.T) { numbers.Run(t, "Replicas") }

var _ = BeforeSuite(func(ctx SpecContext) {
	plane = hooked.Start(ctx, "10.96.0.0/16,fd00::/112", "--max-requests-inflight=1000", "--max-mutating-requests-inflight=1000")
	another, err := plane.Plane.StartAPIServer(ctx, "another-apiserver")
	Expect(err).NotTo(HaveOccurred())
	scheme, err := part.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	config := another.RESTConfig()
	config.QPS = -1
	other, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	servers = [2]client.Client{plane.API, other}
	makeTenants(ctx)
	first, second = startManager(ctx, "first"), startManager(ctx, "second")
	balance = startBalancer(ctx, first, second)
	plane.Route(ctx, balance.url())
}, NodeTimeout(numbers.StartTimeout))

var _ = Describe("Several of everything", Ordered, func() {
	Context("two API servers", throughTwoServers)
	Context("two managers", askedOfTwoManagers)
	Context("a crowd", inACrowd)
})

// startManager starts one of several managers.
func startManager(ctx context.Context, name string) *controlplane.Manager {
	GinkgoHelper()
	return plane.StartManager(ctx, name, "--leader-elect", "--leader-election-namespace=kube-system", "--webhook-drain-period=3s")
}

// A part that died takes every further spec with it: say so once.
var _ = BeforeEach(func() {
	select {
	case <-plane.Plane.Done():
		AbortSuite(plane.Plane.Err().Error())
	default:
	}
})
