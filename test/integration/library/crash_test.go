// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package library

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	"servicenet.dev/servicenet/controllers"
)

// The specs change a Service of 25 endpoints, ten to a slice, so that the plan
// has creates, updates and deletes. The process dies at each write of it in
// turn, and another one takes over.
var _ = Describe("A crash at any write", func() {
	const perSlice = 10
	newManager := func(config *rest.Config) ctrl.Manager {
		return newManager(config, controllers.Options{MaxEndpointsPerSlice: perSlice})
	}

	// prepare leaves a Service with the endpoints 1 to 25 in three slices.
	prepare := func(ctx context.Context) string {
		namespace := createNamespace(ctx)
		createNode(ctx, "node-a", "zone-a")
		createPods(ctx, namespace, 1, 25)
		createService(ctx, namespace)
		stop := start(newManager(suite.server.RESTConfig()))
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(endpoints(1, 25, 8080)))
		stop()
		return namespace
	}

	atRest := func(ctx context.Context, namespace string, want []string) {
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(want))
		slices, err := slicesOf(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		for i := range slices {
			Expect(len(slices[i].Endpoints)).To(BeNumerically("<=", perSlice))
			Expect(slices[i].AddressType).To(Equal(discoveryv1.AddressTypeIPv4))
		}
	}

	for name, change := range map[string]struct {
		make   func(ctx context.Context, namespace string)
		writes int // how many the change takes at least
		want   []string
	}{
		"while growing": {
			make:   func(ctx context.Context, namespace string) { createPods(ctx, namespace, 26, 60) },
			writes: 3, want: endpoints(1, 60, 8080),
		},
		"while shrinking": {
			make:   func(ctx context.Context, namespace string) { deletePods(ctx, namespace, 1, 20) },
			writes: 2, want: endpoints(21, 25, 8080),
		},
		"while every port changes": {
			make: func(ctx context.Context, namespace string) {
				service := getService(ctx, namespace)
				service.Spec.Ports[0].TargetPort = intstr.FromInt32(9090)
				Expect(suite.client.Update(ctx, service)).To(Succeed())
			},
			writes: 3, want: endpoints(1, 25, 9090),
		},
	} {
		for write := 1; write <= change.writes; write++ {
			for _, answerIsLost := range []bool{false, true} {
				where := fmt.Sprintf("%s, at write %d, request lost", name, write)
				if answerIsLost {
					where = fmt.Sprintf("%s, at write %d, answer lost", name, write)
				}
				It("leaves nothing doubled or missing "+where, func(ctx SpecContext) {
					namespace := prepare(ctx)
					change.make(ctx, namespace)

					connection := &faulty{dieAt: write, answerIsLost: answerIsLost}
					crashing := start(newManager(connection.over(suite.server.RESTConfig())))
					Eventually(connection.died).WithContext(ctx).Should(BeClosed())
					crashing()

					start(newManager(suite.server.RESTConfig()))
					atRest(ctx, namespace, change.want)
				})
			}
		}
	}
})
