// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/test/alike"
	"servicenet.dev/servicenet/test/badinput"
	"servicenet.dev/servicenet/test/integration/hooked"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// try asks for what a case is about, and removes what came of it.
func try(ctx context.Context, s *hooked.Server, c *badinput.Case, managed bool) metav1.Status {
	GinkgoHelper()
	defer s.Clear(ctx)
	for _, service := range c.Given {
		s.Given(ctx, managed, service.DeepCopy())
	}
	wanted := c.Service.DeepCopy()
	if c.Old == nil {
		return hooked.StatusOf(s.API.Create(ctx, wanted))
	}
	stored := c.Old.DeepCopy()
	s.Given(ctx, managed, stored)
	wanted.ResourceVersion = stored.ResourceVersion
	return hooked.StatusOf(s.API.Update(ctx, wanted))
}

// expectStock checks what the API server answers by itself.
func expectStock(c *badinput.Case, got metav1.Status) {
	GinkgoHelper()
	if c.Stock.Code == 201 {
		Expect(got.Code).To(BeEquivalentTo(201), "%s: %s", c.Name, got.Message)
		return
	}
	Expect(got.Code).To(Equal(c.Stock.Code), "%s: %s", c.Name, got.Message)
	if c.Stock.Field != "" {
		Expect(got.Details.Causes).NotTo(BeEmpty(), c.Name)
		first := got.Details.Causes[0]
		Expect(badinput.Stock{Code: got.Code, Type: first.Type, Field: first.Field}).To(Equal(c.Stock), c.Name)
	}
}

// expectRefused checks what is answered through the webhooks.
func expectRefused(c *badinput.Case, got metav1.Status) {
	GinkgoHelper()
	Expect(got.Code).To(BeEquivalentTo(422), got.Message)
	Expect(got.Reason).To(Equal(metav1.StatusReasonInvalid))
	Expect(got.Message).To(ContainSubstring(`admission webhook "mutate.services.servicenet.dev" denied the request`))
	Expect(got.Details).To(And(HaveField("Kind", "Service"), HaveField("Name", c.Service.Name)))
	Expect(got.Details.Causes).To(HaveLen(len(c.Want)), got.Message)
	for i, want := range c.Want {
		cause := got.Details.Causes[i]
		Expect(cause).To(And(HaveField("Type", want.Type), HaveField("Field", want.Field)))
		Expect(cause.Message).To(ContainSubstring(want.Message))
	}
	for _, secret := range []string{"holder", "depot"} {
		Expect(strings.ReplaceAll(got.Message, c.Service.Namespace, "")).NotTo(ContainSubstring(secret))
	}
}

// badInput are the specs of the cases that a server can answer, and those of what is
// alike on it. What it answers by itself is asked before it calls webhooks.
func badInput(table []badinput.Case, of func(ctx context.Context) *hooked.Server, net *alike.Net, args ...string) {
	var s *hooked.Server
	stock := map[string]metav1.Status{}
	same := &comparison{net: net, stock: map[string][]string{}}

	BeforeAll(func(ctx SpecContext) {
		s = of(ctx)
		for i := range table {
			stock[table[i].Name] = try(ctx, s, &table[i], false)
		}
		same.server = s
		same.before(ctx)
		manager := s.StartManager(ctx, "manager", args...)
		s.Route(ctx, manager.WebhookURL)
	}, NodeTimeout(numbers.StartTimeout))

	same.specs()

	for i := range table {
		c := &table[i]
		It(fmt.Sprintf("%s is refused", c.Name), func(ctx SpecContext) {
			expectStock(c, stock[c.Name])
			expectRefused(c, try(ctx, s, c, true))
		})
	}
}

// those returns the cases of the table that fit.
func those(fit func(*badinput.Case) bool) (table []badinput.Case) {
	for _, c := range badinput.Table() {
		if fit(&c) {
			table = append(table, c)
		}
	}
	return table
}

var _ = Describe("With both families", Ordered, func() {
	badInput(those(func(c *badinput.Case) bool { return !c.SingleStack && !c.NoExternalIPs }),
		func(context.Context) *hooked.Server { return dual },
		&alike.Net{Primary: corev1.IPv4Protocol, Secondary: corev1.IPv6Protocol})
})

var _ = Describe("With both families, IPv6 first", Ordered, func() {
	badInput(nil, func(ctx context.Context) *hooked.Server { return hooked.Start(ctx, ipv6Range+","+ipv4Range) },
		&alike.Net{Primary: corev1.IPv6Protocol, Secondary: corev1.IPv4Protocol})
})

var _ = Describe("With IPv4 only and no external IPs", Ordered, func() {
	badInput(those(func(c *badinput.Case) bool { return c.SingleStack || c.NoExternalIPs }),
		func(ctx context.Context) *hooked.Server { return hooked.Start(ctx, ipv4Range) },
		&alike.Net{Primary: corev1.IPv4Protocol}, "--allowed-external-ips=none")
})

var _ = Describe("With IPv6 only", Ordered, func() {
	var table []badinput.Case
	for _, c := range badinput.Table() {
		if c, fits := badinput.OverIPv6(c); fits && !c.NoExternalIPs {
			table = append(table, c)
		}
	}
	badInput(table, func(ctx context.Context) *hooked.Server { return hooked.Start(ctx, ipv6Range) },
		&alike.Net{Primary: corev1.IPv6Protocol})
})
