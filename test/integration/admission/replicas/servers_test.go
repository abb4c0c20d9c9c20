// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package replicas

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/test/badinput"
	"servicenet.dev/servicenet/test/integration/hooked"
)

const (
	clusterIP = corev1.ServiceTypeClusterIP
	nodePort  = corev1.ServiceTypeNodePort
)

// throughTwoServers are the specs of two API servers on one etcd.
func throughTwoServers() {
	AfterEach(func(ctx SpecContext) { plane.Clear(ctx) })

	It("a number that is let go through one can be had through the other, at once", func(ctx SpecContext) {
		for i := range 4 {
			of := badinput.Make("shop", fmt.Sprint("web-", i), nodePort,
				badinput.Policy(corev1.IPFamilyPolicyRequireDualStack), badinput.IPs("10.96.5.50", "fd00::550"), badinput.HTTP(30508))
			Expect(servers[i%2].Create(ctx, of)).To(Succeed())
			Expect(of.Spec.ClusterIPs).To(Equal([]string{"10.96.5.50", "fd00::550"}))
			Expect(servers[i/2%2].Delete(ctx, of)).To(Succeed())
		}
	})

	It("a number that is had through one is refused through the other", func(ctx SpecContext) {
		for i, api := range servers {
			address := fmt.Sprintf("10.96.5.%d", 60+i)
			holder := badinput.Make("shop", fmt.Sprint("holder-", i), nodePort, badinput.Singular(address), badinput.HTTP(int32(30500+i)))
			Expect(api.Create(ctx, holder)).To(Succeed())
			other := badinput.Make("shop", fmt.Sprint("other-", i), nodePort, badinput.Singular(address), badinput.HTTP(int32(30500+i)))
			got := hooked.StatusOf(servers[1-i].Create(ctx, other))
			Expect(got.Code).To(BeEquivalentTo(422))
			Expect(got.Details.Causes).To(HaveLen(2))
		}
	})

	It("numbers that are chosen through both are different ones, and of the pool", func(ctx SpecContext) {
		seen := map[string]bool{}
		for i := range 40 {
			of := badinput.Make("shop", fmt.Sprint("web-", i), clusterIP, badinput.Policy(corev1.IPFamilyPolicyRequireDualStack))
			Expect(servers[i%2].Create(ctx, of)).To(Succeed())
			for _, address := range of.Spec.ClusterIPs {
				Expect(address).To(Or(HavePrefix("10.96.5."), HavePrefix("fd00::5")))
				Expect(seen).NotTo(HaveKey(address))
				seen[address] = true
			}
		}
	})

	It("a Service that one has just made is changed through the other", func(ctx SpecContext) {
		for i := range 4 {
			of := badinput.Make("shop", fmt.Sprint("web-", i), clusterIP)
			Expect(servers[i%2].Create(ctx, of)).To(Succeed())
			address := of.Spec.ClusterIP
			of.Spec.Type = nodePort
			Expect(servers[1-i%2].Update(ctx, of)).To(Succeed())
			Expect(of.Spec.ClusterIP).To(Equal(address))
			Expect(of.Spec.Ports[0].NodePort).To(BeNumerically(">=", 30500))
			Expect(servers[i%2].Delete(ctx, of)).To(Succeed())
		}
	})
}

// askedOfTwoManagers is the spec of a request that is seen by two managers.
func askedOfTwoManagers() {
	AfterEach(func(ctx SpecContext) { plane.Clear(ctx) })

	It("one is asked again about a Service that the other gave numbers, with a name and without (trap 5)", func(ctx SpecContext) {
		DeferCleanup(func() { balance.only(nil) })
		later := hooked.StartLater(ctx, plane, func() { balance.only(second) }, `[{"op":"replace","path":"/spec/type","value":"NodePort"}]`)
		before := balance.served(second)
		for i := range 6 {
			of := badinput.Make("free", "", clusterIP, badinput.Policy(corev1.IPFamilyPolicyRequireDualStack))
			of.Labels, of.GenerateName = later.Labels(), "web-"
			if i%2 == 0 {
				of.Name, of.GenerateName = fmt.Sprint("named-", i), ""
			}
			// A request may meet the very end of a connection that is cut.
			Eventually(func(ctx context.Context) error {
				balance.only(first)
				return servers[0].Create(ctx, of)
			}).WithContext(ctx).Should(Succeed())
			Expect(of.Spec.Type).To(Equal(nodePort))
			Expect(of.Spec.ClusterIPs).To(HaveLen(2))
		}
		Expect(balance.served(second)).To(BeNumerically(">=", before+6))
	})
}
