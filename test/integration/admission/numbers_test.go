// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/test/badinput"
	"servicenet.dev/servicenet/test/integration/hooked"
	"servicenet.dev/servicenet/test/integration/numbers"
)

const (
	clusterIP    = corev1.ServiceTypeClusterIP
	nodePort     = corev1.ServiceTypeNodePort
	loadBalancer = corev1.ServiceTypeLoadBalancer
	externalName = corev1.ServiceTypeExternalName
)

func types() []corev1.ServiceType {
	return []corev1.ServiceType{clusterIP, nodePort, loadBalancer, externalName}
}

// expectPooled checks that the addresses of a Service are those of the pool shop.
func expectPooled(service *corev1.Service) {
	GinkgoHelper()
	for _, text := range service.Spec.ClusterIPs {
		address := netip.MustParseAddr(text)
		of := netip.MustParsePrefix("10.96.5.0/24")
		if address.Is6() {
			of = netip.MustParsePrefix("fd00::500/120")
		}
		Expect(of.Contains(address)).To(BeTrue(), text)
	}
}

// expectPooledPorts checks that the ports of a Service are those of the pool shop, where
// it is to have some.
func expectPooledPorts(service *corev1.Service) {
	GinkgoHelper()
	pooled := And(BeNumerically(">=", 30500), BeNumerically("<=", 30509))
	opens := service.Spec.Type == nodePort || service.Spec.Type == loadBalancer
	for i := range service.Spec.Ports {
		if opens {
			Expect(service.Spec.Ports[i].NodePort).To(pooled)
		} else {
			Expect(service.Spec.Ports[i].NodePort).To(BeZero())
		}
	}
	if service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		Expect(service.Spec.HealthCheckNodePort).To(pooled)
	}
}

// sketch is what a Service has of numbers: how many addresses, whether each of its
// ports has a node port, and whether there is one for health checks.
func sketch(service *corev1.Service) []any {
	have := []any{len(service.Spec.ClusterIPs), service.Spec.HealthCheckNodePort != 0}
	for i := range service.Spec.Ports {
		have = append(have, service.Spec.Ports[i].NodePort != 0)
	}
	return have
}

// bare returns a Service as a client writes it that knows no numbers.
func bare(name string, of corev1.ServiceType, version string) *corev1.Service {
	service := badinput.Make("free", name, of, badinput.Port("http", 80, corev1.ProtocolTCP, 0))
	service.ResourceVersion = version
	return service
}

var _ = Describe("Numbers", Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		manager := dual.StartManager(ctx, "numbers")
		dual.Route(ctx, manager.WebhookURL)
	}, NodeTimeout(numbers.StartTimeout))

	AfterEach(func(ctx SpecContext) { dual.Clear(ctx) })

	for _, of := range types() {
		It("are of the pool, for a "+string(of)+" of each policy (trap 1)", func(ctx SpecContext) {
			var made []*corev1.Service
			for policy, addresses := range map[corev1.IPFamilyPolicy]int{
				corev1.IPFamilyPolicySingleStack: 1, corev1.IPFamilyPolicyPreferDualStack: 2, corev1.IPFamilyPolicyRequireDualStack: 2,
			} {
				service := badinput.Make("shop", strings.ToLower(string(policy)), of, badinput.Policy(policy))
				if of == externalName {
					service.Spec.IPFamilyPolicy, addresses = nil, 0
				}
				if of == loadBalancer && addresses == 1 { // the pool has few ports
					badinput.Local(0)(service)
				}
				Expect(dual.API.Create(ctx, service)).To(Succeed())
				expectPooled(service)
				Expect(service.Spec.ClusterIPs).To(HaveLen(addresses))
				expectPooledPorts(service)
				made = append(made, service)
			}
			for _, service := range made {
				Eventually(dual.Unknown).WithArguments(service).WithContext(ctx).Should(BeEmpty())
			}
		})
	}

	It("that are named are given, of both families, in either order", func(ctx SpecContext) {
		for name, addresses := range map[string][]string{"a": {"10.96.5.1", "fd00::501"}, "b": {"fd00::502", "10.96.5.2"}} {
			service := badinput.Make("shop", name, clusterIP, badinput.Policy(corev1.IPFamilyPolicyRequireDualStack), badinput.IPs(addresses...))
			Expect(dual.API.Create(ctx, service)).To(Succeed())
			Expect(service.Spec.ClusterIPs).To(Equal(addresses))
		}
	})

	It("are not given to a headless Service", func(ctx SpecContext) {
		service := badinput.Make("shop", "web", clusterIP, badinput.Singular(corev1.ClusterIPNone))
		Expect(dual.API.Create(ctx, service)).To(Succeed())
		Expect(service.Spec.ClusterIPs).To(Equal([]string{corev1.ClusterIPNone}))
	})

	for _, from := range types() {
		It("stay or go when a "+string(from)+" becomes something else", func(ctx SpecContext) {
			var changed []*corev1.Service
			for _, to := range types() {
				if from == to {
					continue
				}
				name := "to-" + strings.ToLower(string(to))
				before := bare(name, from, "")
				Expect(dual.API.Create(ctx, before)).To(Succeed())
				after := bare(name, to, before.ResourceVersion)
				Expect(dual.API.Update(ctx, after)).To(Succeed())
				Expect(sketch(after)).To(Equal(sketchOf(to)))
				if from != externalName && to != externalName {
					Expect(after.Spec.ClusterIPs).To(Equal(before.Spec.ClusterIPs))
				}
				if from != externalName && from != clusterIP && to != externalName && to != clusterIP {
					Expect(after.Spec.Ports).To(Equal(before.Spec.Ports))
				}
				changed = append(changed, after)
			}
			for _, service := range changed {
				Eventually(dual.Unknown).WithArguments(service).WithContext(ctx).Should(BeEmpty())
			}
		})
	}

	It("stay when a client puts a Service without them (trap 4)", func(ctx SpecContext) {
		before := badinput.Make("shop", "web", loadBalancer, badinput.Policy(corev1.IPFamilyPolicyRequireDualStack), badinput.Local(0))
		Expect(dual.API.Create(ctx, before)).To(Succeed())
		after := badinput.Make("shop", "web", loadBalancer, badinput.Local(0))
		after.Labels, after.ResourceVersion = map[string]string{"changed": "yes"}, before.ResourceVersion
		Expect(dual.API.Update(ctx, after)).To(Succeed())
		Expect(after.Spec).To(Equal(before.Spec))
	})

	It("are added for a second family and a new port", func(ctx SpecContext) {
		service := badinput.Make("shop", "web", nodePort, badinput.Policy(corev1.IPFamilyPolicySingleStack))
		Expect(dual.API.Create(ctx, service)).To(Succeed())
		first, port := service.Spec.ClusterIP, service.Spec.Ports[0].NodePort
		service.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
		badinput.Port("https", 443, corev1.ProtocolTCP, 0)(service)
		Expect(dual.API.Update(ctx, service)).To(Succeed())
		Expect(service.Spec.ClusterIPs).To(And(HaveLen(2), ContainElement(first)))
		expectPooled(service)
		Expect(service.Spec.Ports[0].NodePort).To(Equal(port))
		Expect(service.Spec.Ports[1].NodePort).To(And(BeNumerically(">=", 30500), BeNumerically("<=", 30509), Not(Equal(port))))
	})

	It("are not taken by a dry run (trap 6)", func(ctx SpecContext) {
		named := func(name string) *corev1.Service {
			return badinput.Make("shop", name, nodePort, badinput.IPs("10.96.5.20"), badinput.HTTP(30505))
		}
		Expect(dual.API.Create(ctx, named("dry"), client.DryRunAll)).To(Succeed())
		Expect(dual.API.Create(ctx, named("wet"))).To(Succeed())
		Expect(dual.API.Create(ctx, badinput.Make("shop", "automatic", nodePort), client.DryRunAll)).To(Succeed())
	})

	It("are not asked for in vain by a name that exists", func(ctx SpecContext) {
		Expect(dual.API.Create(ctx, bare("web", nodePort, ""))).To(Succeed())
		for range 3 {
			Expect(apierrors.IsAlreadyExists(dual.API.Create(ctx, bare("web", nodePort, "")))).To(BeTrue())
		}
	})

	It("are given to Services whose names are generated (trap 3)", func(ctx SpecContext) {
		seen := map[string]bool{}
		for range 10 {
			service := bare("", nodePort, "")
			service.GenerateName = "web-"
			Expect(dual.API.Create(ctx, service)).To(Succeed())
			Expect(seen).NotTo(HaveKey(service.Spec.ClusterIP))
			seen[service.Spec.ClusterIP] = true
		}
	})

	It("may be asked for again when the Service failed later on (trap 2)", func(ctx SpecContext) {
		wrong := badinput.Make("shop", "web", nodePort, badinput.IPs("10.96.5.30"), badinput.HTTP(30506))
		wrong.Spec.SessionAffinity = "Sometimes"
		Expect(hooked.StatusOf(dual.API.Create(ctx, wrong)).Message).To(And(ContainSubstring("sessionAffinity"), Not(ContainSubstring("webhook"))))
		Expect(dual.API.Create(ctx, badinput.Make("shop", "web", nodePort, badinput.IPs("10.96.5.30"), badinput.HTTP(30506)))).To(Succeed())
	})

	It("that got past the webhooks are nobody else's (trap 8)", func(ctx SpecContext) {
		dual.Given(ctx, true, badinput.Make("free", "past", nodePort, badinput.IPs("10.96.5.40"), badinput.HTTP(30507)))
		other := badinput.Make("shop", "web", nodePort, badinput.IPs("10.96.5.40"), badinput.HTTP(30507))
		Expect(hooked.StatusOf(dual.API.Create(ctx, other)).Details.Causes).To(HaveLen(2))
	})

	It("of node ports are shared by protocols of one port (trap 9)", func(ctx SpecContext) {
		service := badinput.Make("shop", "web", nodePort,
			badinput.Port("tcp", 53, corev1.ProtocolTCP, 0), badinput.Port("udp", 53, corev1.ProtocolUDP, 0))
		Expect(dual.API.Create(ctx, service)).To(Succeed())
		Expect(service.Spec.Ports[0].NodePort).To(And(BeNumerically(">=", 30500), Equal(service.Spec.Ports[1].NodePort)))
	})

	It("are had again at once by a Service that is deleted and restored (trap 9)", func(ctx SpecContext) {
		for range 4 {
			service := badinput.Make("shop", "web", nodePort, badinput.IPs("10.96.5.50"), badinput.HTTP(30508))
			Expect(dual.API.Create(ctx, service)).To(Succeed())
			Expect(dual.API.Delete(ctx, service)).To(Succeed())
		}
	})
})

// sketchOf returns the sketch of a Service of a type with one port.
func sketchOf(of corev1.ServiceType) []any {
	switch of {
	case externalName:
		return []any{0, false, false}
	case clusterIP:
		return []any{1, false, false}
	default:
		return []any{1, false, true}
	}
}
