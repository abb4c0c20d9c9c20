// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

var _ = Describe("Evidence", func() {
	var in space
	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx) })

	It("tells what ClusterIPs are used for, by their objects", func(ctx SpecContext) {
		carried, dual := clusterIP("10.96.128.1"), clusterIP("10.96.128.5")
		leftover, moved, foreign, free := clusterIP("10.96.128.2"), clusterIP("10.96.128.3"), clusterIP("10.96.128.4"), clusterIP("10.96.128.6")
		second := ledger.Address(servicenetv1alpha1.ClusterIPv6, netip.MustParseAddr("fd00:10:96::8005"))
		service := in.create(ctx, "web", carried)
		both := in.newService("both", dual)
		both.Spec.ClusterIPs = []string{dual.String(), second.String()}
		both.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
		Expect(api.Create(ctx, both)).To(Succeed())
		in.makeAddress(ctx, leftover, "", "services", "gone")
		in.makeAddress(ctx, moved, "", "services", "web")
		in.makeAddress(ctx, foreign, "example.com", "gateways", "web")

		Expect(look(ctx, api, carried, leftover, moved, foreign, dual, second, free)).To(Equal([]store.Finding{
			{Carrier: store.OwnerOf(service)}, {Leftover: true}, {Leftover: true}, {Foreign: true},
			{Carrier: store.OwnerOf(both)}, {Carrier: store.OwnerOf(both)}, {},
		}))
	})

	It("tells what NodePorts are used for, from lists of Services", func(ctx SpecContext) {
		nodePort, loadBalanced, health := ledger.Port(30501), ledger.Port(30502), ledger.Port(30503)
		web := in.create(ctx, "web", nodePort)
		balanced := in.newService("balanced", loadBalanced)
		balanced.Spec.Type = corev1.ServiceTypeLoadBalancer
		balanced.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
		balanced.Spec.HealthCheckNodePort = 30503
		Expect(api.Create(ctx, balanced)).To(Succeed())

		reader := &counting{Reader: api}
		Expect(look(ctx, reader, nodePort, loadBalanced, health, ledger.Port(30504))).To(Equal([]store.Finding{
			{Carrier: store.OwnerOf(web)},
			{Carrier: store.OwnerOf(balanced)}, {Carrier: store.OwnerOf(balanced)},
			{},
		}))
		Expect(reader.lists).To(Equal(3), "once for all, for each type that may have them")

		By("asking the Service of the hint first")
		reader = &counting{Reader: api}
		hinted := store.Question{Place: nodePort, Hint: store.OwnerOf(web)}
		Expect(store.NewEvidence(reader).Look(ctx, []store.Question{hinted})).To(Equal([]store.Finding{{Carrier: store.OwnerOf(web)}}))
		Expect(reader.lists).To(BeZero())

		By("not believing a hint that is wrong or out of date")
		for _, hint := range []ledger.Owner{store.OwnerOf(balanced), store.OwnerOf(in.newService("gone"))} {
			hinted.Hint = hint
			Expect(store.NewEvidence(api).Look(ctx, []store.Question{hinted})).To(Equal([]store.Finding{{Carrier: store.OwnerOf(web)}}))
		}
		Expect(api.Delete(ctx, web)).To(Succeed())
		hinted.Hint = store.OwnerOf(web)
		Expect(store.NewEvidence(api).Look(ctx, []store.Question{hinted})).To(Equal([]store.Finding{{}}))
	})

	It("is none when the API server can't be asked", func(ctx SpecContext) {
		service := in.create(ctx, "web", clusterIP("10.96.128.9"))
		reader := &counting{Reader: api, fault: errors.New("connection lost")}
		for _, q := range []store.Question{
			{Place: clusterIP("10.96.128.9")}, {Place: ledger.Port(30505)},
			{Place: ledger.Port(30505), Hint: store.OwnerOf(service)},
		} {
			_, err := store.NewEvidence(reader).Look(ctx, []store.Question{q})
			Expect(err).To(MatchError(reader.fault))
		}
	})
})

func look(ctx context.Context, reader client.Reader, places ...ledger.Place) ([]store.Finding, error) {
	var questions []store.Question
	for _, place := range places {
		questions = append(questions, store.Question{Place: place})
	}
	return store.NewEvidence(reader).Look(ctx, questions)
}

// counting counts lists, and fails where there is a fault.
type counting struct {
	client.Reader
	lists int
	fault error
}

func (c *counting) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if c.fault != nil {
		return c.fault
	}
	return c.Reader.Get(ctx, key, object, options...)
}

func (c *counting) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if c.fault != nil {
		return c.fault
	}
	c.lists++
	return c.Reader.List(ctx, list, options...)
}
