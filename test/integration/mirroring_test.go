// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("Endpoints that somebody keeps for a Service without a selector", func() {
	var (
		in   space
		made *corev1.Endpoints
	)

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.exposeOutsiders(ctx, "db")
		made = in.makeEndpoints(ctx, "db", subset(5432, "192.0.2.10", "192.0.2.11"))
		Eventually(in.mirrors("db")).WithContext(ctx).Should(ConsistOf("IPv4 sql:5432: 192.0.2.10 192.0.2.11"))
	})

	It("are mirrored with all they say", func(ctx SpecContext) {
		made.Labels = map[string]string{"team": "orders", discoveryv1.LabelManagedBy: "me"}
		made.Annotations = map[string]string{
			"note":                                "mine",
			corev1.EndpointsLastChangeTriggerTime: "2026-01-01T00:00:00Z",
			corev1.LastAppliedConfigAnnotation:    "{}",
		}
		target := &corev1.ObjectReference{Kind: "Pod", Namespace: "elsewhere", Name: "db-0", UID: "1"}
		made.Subsets = []corev1.EndpointSubset{{
			Ports:             []corev1.EndpointPort{{Name: "sql", Port: 5432, Protocol: corev1.ProtocolUDP, AppProtocol: new("example.com/sql")}},
			Addresses:         []corev1.EndpointAddress{{IP: "192.0.2.10", NodeName: new("node-0"), Hostname: "db-0", TargetRef: target}},
			NotReadyAddresses: []corev1.EndpointAddress{{IP: "192.0.2.11"}},
		}}
		Expect(api.Update(ctx, made)).To(Succeed())
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(HaveField("Annotations", Equal(map[string]string{"note": "mine"}))))
		slice := in.onlySlice(ctx, "db")
		Expect(slice.Labels).To(Equal(map[string]string{
			"team":                       "orders",
			discoveryv1.LabelServiceName: "db",
			discoveryv1.LabelManagedBy:   mirroredBy,
		}))
		Expect(slice.Name).To(HavePrefix("db-"))
		Expect(*slice).To(ownedByEndpoints(made))
		Expect(slice.Ports).To(ConsistOf(discoveryv1.EndpointPort{
			Name: new("sql"), Port: new(int32(5432)), Protocol: new(corev1.ProtocolUDP), AppProtocol: new("example.com/sql"),
		}))
		Expect(slice.Endpoints).To(ConsistOf(
			discoveryv1.Endpoint{
				Addresses: []string{"192.0.2.10"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
				NodeName: new("node-0"), Hostname: new("db-0"), TargetRef: target,
			},
			discoveryv1.Endpoint{
				Addresses: []string{"192.0.2.11"}, Conditions: discoveryv1.EndpointConditions{Ready: new(false)},
			},
		))
	})

	It("have a slice for each subset and family", func(ctx SpecContext) {
		made.Subsets = []corev1.EndpointSubset{
			subset(5432, "192.0.2.10", "2001:db8::10"),
			subset(15432, "192.0.2.11"),
		}
		Expect(api.Update(ctx, made)).To(Succeed())
		Eventually(in.mirrors("db")).WithContext(ctx).Should(ConsistOf(
			"IPv4 sql:5432: 192.0.2.10", "IPv6 sql:5432: 2001:db8::10", "IPv4 sql:15432: 192.0.2.11"))
	})

	It("have no slice when they list nobody", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Endpoints{}, "db", `{"subsets":null}`)
		Eventually(in.slices("db")).WithContext(ctx).Should(BeEmpty())
	})

	It("keep their slice when an address or the port changes", func(ctx SpecContext) {
		slice := in.onlySlice(ctx, "db")
		made.Subsets[0].Addresses, made.Subsets[0].NotReadyAddresses = nil, made.Subsets[0].Addresses
		Expect(api.Update(ctx, made)).To(Succeed())
		Eventually(in.mirrors("db")).WithContext(ctx).Should(ConsistOf("IPv4 sql:5432: , not ready: 192.0.2.10 192.0.2.11"))

		made.Subsets = []corev1.EndpointSubset{subset(6432, "192.0.2.12")}
		Expect(api.Update(ctx, made)).To(Succeed())
		Eventually(in.mirrors("db")).WithContext(ctx).Should(ConsistOf("IPv4 sql:6432: 192.0.2.12"))
		Expect(in.onlySlice(ctx, "db").UID).To(Equal(slice.UID))
	})

	DescribeTable("can be left out", func(ctx SpecContext, leaveOut, takeIn string) {
		in.patch(ctx, &corev1.Endpoints{}, "db", leaveOut)
		Eventually(in.slices("db")).WithContext(ctx).Should(BeEmpty())
		in.patch(ctx, &corev1.Endpoints{}, "db", takeIn)
		Eventually(in.mirrors("db")).WithContext(ctx).Should(ConsistOf("IPv4 sql:5432: 192.0.2.10 192.0.2.11"))
	},
		Entry("with a label", `{"metadata":{"labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}}}`,
			`{"metadata":{"labels":{"endpointslice.kubernetes.io/skip-mirror":"false"}}}`),
		Entry("as a leader's lock", `{"metadata":{"annotations":{"control-plane.alpha.kubernetes.io/leader":"me"}}}`,
			`{"metadata":{"annotations":{"control-plane.alpha.kubernetes.io/leader":null}}}`),
	)

	It("take their slices with them, and have others when they are made again", func(ctx SpecContext) {
		in.delete(ctx, &corev1.Endpoints{}, "db")
		Eventually(in.slices("db")).WithContext(ctx).Should(BeEmpty())

		again := in.makeEndpoints(ctx, "db", subset(5432, "192.0.2.10"))
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(ownedByEndpoints(again)))

		By("being made again at once")
		in.delete(ctx, &corev1.Endpoints{}, "db")
		again = in.makeEndpoints(ctx, "db", subset(5432, "192.0.2.10", "192.0.2.12"))
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(And(ownedByEndpoints(again), HaveField("Endpoints", HaveLen(2)))))
	})

	It("are mirrored once there is a Service", func(ctx SpecContext) {
		in.makeEndpoints(ctx, "waiting", subset(5432, "192.0.2.20"))
		in.awaitMirroring(ctx)
		Expect(in.currentSlices(ctx, "waiting")).To(BeEmpty())
		in.exposeOutsiders(ctx, "waiting")
		Eventually(in.mirrors("waiting")).WithContext(ctx).Should(ConsistOf("IPv4 sql:5432: 192.0.2.20"))
	})

	It("give way to the Service's selector when it gets one", func(ctx SpecContext) {
		in.runPods(ctx, "web", 1)
		in.patch(ctx, &corev1.Service{}, "db", selectWeb)
		in.expectNoFaults(ctx, "db", 1)
		in.expectSubsets(ctx, "db", "http:8080: web-0")
		Expect(in.onlySlice(ctx, "db").Labels).To(HaveKeyWithValue(discoveryv1.LabelManagedBy, managedBy))
	})
})

// mirrors returns a function that tells what the mirrored slices of a Service
// list, a line for each, for Eventually: "IPv4 sql:5432: 192.0.2.1, not ready: db-1".
func (in space) mirrors(service string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var list discoveryv1.EndpointSliceList
		err := api.List(ctx, &list, client.InNamespace(in), client.MatchingLabels{
			discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: mirroredBy,
		})
		lines := make([]string, 0, len(list.Items))
		for i := range list.Items {
			lines = append(lines, mirrorLine(&list.Items[i]))
		}
		return lines, err
	}
}

func mirrorLine(slice *discoveryv1.EndpointSlice) string {
	var ready, notReady []string
	for i := range slice.Endpoints {
		endpoint := &slice.Endpoints[i]
		target := podOf(endpoint)
		if target == "" {
			target = endpoint.Addresses[0]
		}
		if *endpoint.Conditions.Ready {
			ready = append(ready, target)
		} else {
			notReady = append(notReady, target)
		}
	}
	return string(slice.AddressType) + " " + subsetLine(portNumbers(slice), ready, notReady)
}

// awaitMirroring waits until the manager has mirrored Endpoints made now.
func (in space) awaitMirroring(ctx context.Context) {
	GinkgoHelper()
	in.exposeOutsiders(ctx, "mirror-marker")
	in.makeEndpoints(ctx, "mirror-marker", subset(1, "192.0.2.1"))
	Eventually(in.slices("mirror-marker")).WithContext(ctx).Should(HaveLen(1))
}

// ownedByEndpoints matches slices that belong to Endpoints, by their UID.
func ownedByEndpoints(endpoints *corev1.Endpoints) OmegaMatcher {
	return HaveField("OwnerReferences", ConsistOf(And(
		HaveField("APIVersion", "v1"),
		HaveField("Kind", "Endpoints"),
		HaveField("Name", endpoints.Name),
		HaveField("UID", endpoints.UID),
		HaveField("Controller", HaveValue(BeTrue())),
		HaveField("BlockOwnerDeletion", HaveValue(BeTrue())),
	)))
}
