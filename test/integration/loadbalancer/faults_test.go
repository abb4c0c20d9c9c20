// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// versions returns the resourceVersions of all Services by name.
func (in space) versions(ctx context.Context) (map[string]string, error) {
	var all corev1.ServiceList
	err := dual.API.List(ctx, &all, client.InNamespace(in.Name))
	found := map[string]string{}
	for i := range all.Items {
		found[all.Items[i].Name] = all.Items[i].ResourceVersion
	}
	return found, err
}

// all returns what the status of all Services says, in the order of their names.
func (in space) all(ctx context.Context) ([]string, error) {
	var all corev1.ServiceList
	if err := dual.API.List(ctx, &all, client.InNamespace(in.Name)); err != nil {
		return nil, err
	}
	found := []string{}
	for i := range all.Items {
		found = append(found, textOf(&all.Items[i]))
	}
	return found, nil
}

// twice returns the addresses that two Services have.
func (in space) twice(ctx context.Context) ([]string, error) {
	has, err := in.all(ctx)
	seen, found := map[string]bool{}, []string{}
	for _, text := range has {
		if strings.HasPrefix(text, "192.0.2.") && seen[text] {
			found = append(found, text)
		}
		seen[text] = true
	}
	return found, err
}

func ingress(list ...string) func(*corev1.ServiceStatus) {
	return func(status *corev1.ServiceStatus) {
		status.LoadBalancer.Ingress = nil
		for _, ip := range list {
			status.LoadBalancer.Ingress = append(status.LoadBalancer.Ingress,
				corev1.LoadBalancerIngress{IP: ip, IPMode: new(corev1.LoadBalancerIPModeVIP)})
		}
	}
}

// later waits until Services that are made from now on are younger than those before:
// the API server tells ages in seconds.
func later(ctx context.Context) {
	GinkgoHelper()
	second := time.Now().Unix()
	Eventually(func() int64 { return time.Now().Unix() }).WithContext(ctx).Should(BeNumerically(">", second))
}

var _ = Describe("Across restarts", func() {
	var in space

	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx, nil) })

	It("nothing is written where nothing has changed, with 1,000 addresses", func(ctx SpecContext) {
		const count = 1000
		manager := in.start(ctx, "first")
		makePool(ctx, "blue", "10.7.0.0/16")
		in.makeServices(ctx, count)
		Eventually(func(ctx context.Context) (int, error) {
			has, err := in.all(ctx)
			return len(slices.DeleteFunc(has, func(text string) bool { return !strings.HasPrefix(text, "10.7.") })), err
		}).WithContext(ctx).WithTimeout(2 * time.Minute).WithPolling(time.Second).Should(Equal(count))
		Expect(manager.Stop(ctx)).To(Succeed())
		before, err := in.versions(ctx)
		Expect(err).NotTo(HaveOccurred())
		in.start(ctx, "second")
		in.balance(ctx, "last") // when it has an address, the others were looked at
		Eventually(in.says("last")).WithContext(ctx).Should(HavePrefix("10.7."))
		Consistently(func(ctx context.Context) (map[string]string, error) {
			after, err := in.versions(ctx)
			delete(after, "last")
			return after, err
		}).WithContext(ctx).WithPolling(time.Second).Should(Equal(before))
	})

	It("nobody's address is stolen, also when its status was wiped meanwhile", func(ctx SpecContext) {
		manager := in.start(ctx, "first")
		makePool(ctx, "blue", "192.0.2.1-192.0.2.3")
		for i := range 3 {
			in.balance(ctx, fmt.Sprint("web-", i))
			Eventually(in.says(fmt.Sprint("web-", i))).WithContext(ctx).Should(HavePrefix("192.0.2."))
		}
		in.balance(ctx, "waits")
		in.expect(ctx, "waits", "PoolExhausted")
		before, err := in.all(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(manager.Kill()).To(Succeed())
		in.write(ctx, "web-1", ingress())
		in.start(ctx, "second")
		Eventually(in.all).WithContext(ctx).Should(Equal(before))
		Consistently(in.all).WithContext(ctx).Should(Equal(before))
	})

	It("addresses that the ledger does not know are taken over, the oldest Service first", func(ctx SpecContext) {
		in.balance(ctx, "old", func(s *corev1.Service) { s.Name = "z-old" })
		later(ctx)
		in.balance(ctx, "a-young")
		in.balance(ctx, "b-new")
		in.write(ctx, "z-old", ingress("192.0.2.3", "203.0.113.9"))
		in.write(ctx, "a-young", ingress("192.0.2.3"))
		makePool(ctx, "blue", "192.0.2.0/29")
		in.start(ctx, "balancer")
		in.expect(ctx, "z-old", "192.0.2.3 203.0.113.9")
		for _, name := range []string{"a-young", "b-new"} {
			Eventually(in.says(name)).WithContext(ctx).Should(And(HavePrefix("192.0.2."), Not(Equal("192.0.2.3"))))
		}
	})

	It("what was deleted meanwhile is given back", func(ctx SpecContext) {
		manager := in.start(ctx, "first")
		makePool(ctx, "blue", "192.0.2.1-192.0.2.2")
		for _, name := range []string{"properly", "forced"} {
			in.balance(ctx, name)
			Eventually(in.says(name)).WithContext(ctx).Should(HavePrefix("192.0.2."))
		}
		Expect(manager.Stop(ctx)).To(Succeed())
		in.edit(ctx, "forced", func(s *corev1.Service) { s.Finalizers = nil })
		in.Remove(ctx, "forced")
		in.Remove(ctx, "properly")
		in.balance(ctx, "next")
		in.start(ctx, "second")
		Eventually(in.count).WithContext(ctx).Should(Equal(1))
		Eventually(in.says("next")).WithContext(ctx).Should(HavePrefix("192.0.2."))
		Eventually(tenancies).WithContext(ctx).Should(ConsistOf(HaveSuffix("next")))
	})

	It("a Service that changed its type meanwhile is let go", func(ctx SpecContext) {
		manager := in.start(ctx, "first")
		makePool(ctx, "blue", "192.0.2.1-192.0.2.2")
		for _, name := range []string{"with", "without"} {
			in.balance(ctx, name)
			Eventually(in.says(name)).WithContext(ctx).Should(HavePrefix("192.0.2."))
		}
		Expect(manager.Stop(ctx)).To(Succeed())
		for _, name := range []string{"with", "without"} {
			in.edit(ctx, name, toClusterIP)
		}
		in.edit(ctx, "without", func(s *corev1.Service) { s.Finalizers = nil })
		in.start(ctx, "second")
		Eventually(in.finalizers("with")).WithContext(ctx).Should(BeEmpty())
		in.expect(ctx, "with", "-")
		Eventually(tenancies).WithContext(ctx).Should(BeEmpty())
	})

	It("two managers that act at once give no address twice, and none for nothing", func(ctx SpecContext) {
		const count = 60
		makePool(ctx, "blue", "192.0.2.0/26")
		in.start(ctx, "one")
		in.start(ctx, "two")
		in.makeServices(ctx, count)
		Eventually(in.all).WithContext(ctx).WithTimeout(time.Minute).Should(HaveEach(HavePrefix("192.0.2.")))
		Expect(in.twice(ctx)).To(BeEmpty())
		Eventually(tenancies).WithContext(ctx).Should(HaveLen(count))
		before, err := in.versions(ctx)
		Expect(err).NotTo(HaveOccurred())
		Consistently(in.versions).WithContext(ctx).Should(Equal(before))
	})
})

// makeServices makes many Services of our class.
func (in space) makeServices(ctx context.Context, count int) {
	GinkgoHelper()
	in.MakeMany(ctx, count, func(i int) *corev1.Service { return in.balanced(fmt.Sprintf("web-%04d", i)) })
}

func toClusterIP(s *corev1.Service) {
	s.Spec.Type, s.Spec.LoadBalancerClass, s.Spec.AllocateLoadBalancerNodePorts = corev1.ServiceTypeClusterIP, nil, nil
}

var _ = Describe("While it runs", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx, nil)
		in.start(ctx, "balancer")
	})

	It("a status that somebody wiped or edited is restored, and nobody moves", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/24")
		in.balance(ctx, "web", named("192.0.2.200"))
		in.expect(ctx, "web", "192.0.2.200")
		in.edit(ctx, "web", named(""))
		for _, wrong := range [][]string{{}, {"192.0.2.1"}, {"192.0.2.1", "192.0.2.200"}} {
			in.write(ctx, "web", ingress(wrong...))
			in.expect(ctx, "web", "192.0.2.200")
		}
		in.write(ctx, "web", func(status *corev1.ServiceStatus) { *status = corev1.ServiceStatus{} })
		in.expect(ctx, "web", "192.0.2.200")
		Eventually(dual.Events).WithContext(ctx).Should(ContainElement("StatusRestored Service web"))
		Expect(tenancies(ctx)).To(ConsistOf(HavePrefix("192.0.2.200 ")))
	})

	It("what others write into the list stays", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "web")
		in.expect(ctx, "web", "192.0.2.1")
		in.write(ctx, "web", func(status *corev1.ServiceStatus) {
			status.LoadBalancer.Ingress = append([]corev1.LoadBalancerIngress{{Hostname: "lb.example.com"}}, status.LoadBalancer.Ingress...)
		})
		in.stays(ctx, "web", "lb.example.com 192.0.2.1")
		in.write(ctx, "web", ingress("203.0.113.1"))
		in.expect(ctx, "web", "203.0.113.1 192.0.2.1")
	})

	It("somebody who writes on and on is not answered each time", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "web")
		in.expect(ctx, "web", "192.0.2.1")
		before := len(dual.StatusWrites("web"))
		ends := time.Now().Add(4 * time.Second)
		Eventually(func(ctx context.Context) bool {
			service, err := in.get(ctx, "web")
			Expect(err).NotTo(HaveOccurred())
			if len(service.Status.LoadBalancer.Ingress) > 0 && len(service.Status.LoadBalancer.Ingress[0].Ports) == 0 {
				in.write(ctx, "web", func(status *corev1.ServiceStatus) {
					status.LoadBalancer.Ingress[0].Ports = []corev1.PortStatus{{Port: 80, Protocol: corev1.ProtocolTCP}}
				})
			}
			return time.Now().After(ends)
		}).WithContext(ctx).WithPolling(10 * time.Millisecond).Should(BeTrue())
		Expect(len(dual.StatusWrites("web")) - before).To(BeNumerically("<", 8))
		in.expect(ctx, "web", "192.0.2.1")
	})

	It("an address that comes free goes to who has waited longest, with one write", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "has")
		in.expect(ctx, "has", "192.0.2.1")
		for _, name := range []string{"c", "b", "a"} {
			later(ctx)
			in.balance(ctx, name)
			in.expect(ctx, name, "PoolExhausted")
		}
		before := len(dual.Writes())
		in.Remove(ctx, "has")
		in.expect(ctx, "c", "192.0.2.1")
		writes := slices.DeleteFunc(dual.Writes()[before:], func(write string) bool { return !strings.Contains(write, " services ") })
		Expect(writes).To(ConsistOf("patch services  "+in.Name+" has", "patch services status "+in.Name+" c"))
		Expect(in.says("a")(ctx)).To(Equal("PoolExhausted"))
		Expect(in.says("b")(ctx)).To(Equal("PoolExhausted"))
		in.Remove(ctx, "c")
		in.expect(ctx, "b", "192.0.2.1")
	})

	It("an address of a Service whose type changes goes to who waits, and its finalizer goes", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "web")
		in.expect(ctx, "web", "192.0.2.1")
		in.balance(ctx, "waits")
		in.expect(ctx, "waits", "PoolExhausted")
		in.edit(ctx, "web", toClusterIP)
		in.expect(ctx, "waits", "192.0.2.1")
		Eventually(in.finalizers("web")).WithContext(ctx).Should(BeEmpty())
		in.expect(ctx, "web", "-")
		in.Remove(ctx, "web")
		Eventually(in.count).WithContext(ctx).Should(Equal(1))
	})

	It("a deletion that somebody forces leaves nothing behind", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "web")
		in.expect(ctx, "web", "192.0.2.1")
		in.balance(ctx, "waits")
		in.expect(ctx, "waits", "PoolExhausted")
		in.edit(ctx, "web", func(s *corev1.Service) { s.Finalizers = append(s.Finalizers, "example.com/holds") })
		in.Remove(ctx, "web")
		in.expect(ctx, "waits", "192.0.2.1")
		in.expect(ctx, "web", "-")
		in.edit(ctx, "web", func(s *corev1.Service) { s.Finalizers = nil })
		Eventually(in.count).WithContext(ctx).Should(Equal(1))
	})

	It("a block that is lost is written again with what Services have", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/28")
		in.makeServices(ctx, 5)
		Eventually(in.all).WithContext(ctx).Should(HaveEach(HavePrefix("192.0.2.")))
		before, err := in.all(ctx)
		Expect(err).NotTo(HaveOccurred())
		seats, err := tenancies(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(dual.API.DeleteAllOf(ctx, &servicenetv1alpha1.AllocationBlock{})).To(Succeed())
		Eventually(tenancies).WithContext(ctx).Should(ConsistOf(seats))
		Consistently(in.all).WithContext(ctx).Should(Equal(before))
	})

	It("the health check of a Service with local traffic stays as the API server made it", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "web", func(s *corev1.Service) {
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			s.Spec.AllocateLoadBalancerNodePorts = nil
			s.Spec.LoadBalancerSourceRanges = []string{"10.0.0.0/8"}
		})
		in.expect(ctx, "web", "192.0.2.1")
		service, err := in.get(ctx, "web")
		Expect(err).NotTo(HaveOccurred())
		Expect(service.Spec.HealthCheckNodePort).NotTo(BeZero())
		Expect(service.Spec.LoadBalancerSourceRanges).To(HaveLen(1))
	})
})

var _ = Describe("Pools that are edited while in use", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx, nil)
		in.start(ctx, "balancer")
	})

	rehome := func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.OnShrink = servicenetv1alpha1.ShrinkRehome }

	It("move nobody as long as its address is not concerned", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/28", rehome)
		for i := range 3 {
			in.balance(ctx, fmt.Sprint("web-", i), named(fmt.Sprint("192.0.2.", i+1)))
			in.expect(ctx, fmt.Sprint("web-", i), fmt.Sprint("192.0.2.", i+1))
			in.edit(ctx, fmt.Sprint("web-", i), named(""))
		}
		before, err := in.all(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, addresses := range []string{"192.0.2.0/28 198.51.100.0/24", "192.0.2.1-192.0.2.3", "192.0.2.0/24"} {
			editPool(ctx, "blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Addresses = strings.Fields(addresses) })
			Consistently(in.all).WithContext(ctx).WithTimeout(time.Second).Should(Equal(before))
		}
	})

	It("move those outside one at a time, if that is wanted", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/28", rehome)
		in.makeServices(ctx, 4)
		Eventually(in.all).WithContext(ctx).Should(HaveEach(HavePrefix("192.0.2.")))
		before := len(dual.Writes())
		editPool(ctx, "blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Addresses = []string{"198.51.100.0/29"} })
		Eventually(in.all).WithContext(ctx).Should(HaveEach(HavePrefix("198.51.100.")))
		Eventually(tenancies).WithContext(ctx).Should(And(HaveLen(4), HaveEach(HavePrefix("198.51.100."))))
		Expect(len(slices.DeleteFunc(dual.Writes()[before:], func(write string) bool {
			return !strings.Contains(write, "services status")
		}))).To(BeNumerically("<=", 8)) // that it waits for its turn, and that it has moved
		Eventually(dual.Events).WithContext(ctx).Should(ContainElement("AddressReleased Service web-0003"))
	})

	It("have those outside wait where they are, until there is something else", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.2", rehome)
		in.makeServices(ctx, 2)
		Eventually(in.all).WithContext(ctx).Should(ConsistOf("192.0.2.1", "192.0.2.2"))
		editPool(ctx, "blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
			spec.Addresses = []string{"198.51.100.1-198.51.100.1"}
		})
		Eventually(in.all).WithContext(ctx).Should(ConsistOf("198.51.100.1", HaveSuffix(" Rehoming")))
		editPool(ctx, "blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Addresses = []string{"198.51.100.0/28"} })
		Eventually(in.all).WithContext(ctx).Should(HaveEach(And(HavePrefix("198.51.100."), Not(ContainSubstring(" ")))))
	})

	It("leave those outside alone otherwise, also when the pool is deleted", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.2")
		in.makeServices(ctx, 2)
		Eventually(in.all).WithContext(ctx).Should(ConsistOf("192.0.2.1", "192.0.2.2"))
		before, err := in.versions(ctx)
		Expect(err).NotTo(HaveOccurred())
		editPool(ctx, "blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Addresses = []string{"198.51.100.0/28"} })
		Consistently(in.versions).WithContext(ctx).Should(Equal(before))
		deletePool(ctx, "blue")
		Consistently(in.versions).WithContext(ctx).Should(Equal(before))
		in.Remove(ctx, "web-0000")
		Eventually(in.count).WithContext(ctx).Should(Equal(1))
	})
})

var _ = Describe("Two Services with a sharing key", func() {
	var in, other space

	BeforeEach(func(ctx SpecContext) {
		in, other = newSpace(ctx, nil), newSpace(ctx, nil)
		in.start(ctx, "balancer")
		makePool(ctx, "blue", "192.0.2.0/24")
		in.balance(ctx, "web", sharing("k", 80))
		Eventually(in.says("web")).WithContext(ctx).Should(HavePrefix("192.0.2."))
	})

	AfterEach(func(ctx SpecContext) { other.RemoveAll(ctx) })

	cross := func(s *corev1.Service) { annotated(servicenetv1alpha1.SharingCrossNamespaceAnnotation, "true")(s) }
	local := func(app string) change {
		return func(s *corev1.Service) {
			s.Spec.ExternalTrafficPolicy, s.Spec.Selector = corev1.ServiceExternalTrafficPolicyLocal, map[string]string{"app": app}
		}
	}

	DescribeTable("have one address", func(ctx SpecContext, changes ...change) {
		was, err := in.says("web")(ctx)
		Expect(err).NotTo(HaveOccurred())
		in.balance(ctx, "api", changes...)
		in.expect(ctx, "api", was)
		Eventually(tenancies).WithContext(ctx).Should(HaveLen(2))
		in.Remove(ctx, "web")
		in.stays(ctx, "api", was)
	},
		Entry("with different ports", sharing("k", 443)),
		Entry("with one port for different protocols", sharing("k", 80), func(s *corev1.Service) { s.Spec.Ports[0].Protocol = corev1.ProtocolUDP }),
	)

	DescribeTable("have two", func(ctx SpecContext, changes ...change) {
		was, err := in.says("web")(ctx)
		Expect(err).NotTo(HaveOccurred())
		in.balance(ctx, "api", changes...)
		Eventually(in.says("api")).WithContext(ctx).Should(And(HavePrefix("192.0.2."), Not(Equal(was))))
		in.balance(ctx, "named", append(changes, named(was))...)
		Eventually(in.says("named")).WithContext(ctx).Should(BeElementOf("AddressInUse", "SharingRefused"))
		in.Remove(ctx, "web")
		in.expect(ctx, "named", was)
	},
		Entry("with one port", sharing("k", 80)),
		Entry("with other keys", sharing("other", 443)),
		Entry("if one has no key", onPorts(443)),
		Entry("if one has local traffic", sharing("k", 443), local("x")),
	)

	It("have two in different namespaces, unless both want one", func(ctx SpecContext) {
		was, err := in.says("web")(ctx)
		Expect(err).NotTo(HaveOccurred())
		other.balance(ctx, "api", sharing("k", 443), cross)
		Eventually(other.says("api")).WithContext(ctx).Should(And(HavePrefix("192.0.2."), Not(Equal(was))))
		in.edit(ctx, "web", cross)
		other.balance(ctx, "third", sharing("k", 8080), cross, named(was))
		other.expect(ctx, "third", was)
	})

	It("are parted when one of them takes back its key", func(ctx SpecContext) {
		was, err := in.says("web")(ctx)
		Expect(err).NotTo(HaveOccurred())
		in.balance(ctx, "api", sharing("k", 443))
		in.expect(ctx, "api", was)
		in.edit(ctx, "api", func(s *corev1.Service) { delete(s.Annotations, servicenetv1alpha1.SharingKeyAnnotation) })
		Eventually(in.says("api")).WithContext(ctx).Should(And(HavePrefix("192.0.2."), Not(Equal(was))))
		in.stays(ctx, "web", was)
	})

	It("keep the address when one gets a port of the other's, which is told and mended", func(ctx SpecContext) {
		was, err := in.says("web")(ctx)
		Expect(err).NotTo(HaveOccurred())
		in.balance(ctx, "api", sharing("k", 443))
		in.expect(ctx, "api", was)
		in.edit(ctx, "api", onPorts(443, 80))
		in.expect(ctx, "api", was+":443:80!")
		service, err := in.get(ctx, "api")
		Expect(err).NotTo(HaveOccurred())
		Expect(service.Status.Conditions).To(ContainElement(HaveField("Type", corev1.LoadBalancerPortsError)))
		in.Remove(ctx, "web")
		in.expect(ctx, "api", was)
	})
})

var _ = Describe("A pool of nodes", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx, nil)
		in.start(ctx, "balancer")
		of := &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: "nodes"}}
		of.Spec.NodeSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"edge": "yes"}}
		Expect(dual.API.Create(ctx, of)).To(Succeed())
	})

	It("gives Services the addresses of nodes that take traffic", func(ctx SpecContext) {
		in.balance(ctx, "web")
		in.expect(ctx, "web", "NoNodes")
		makeNode(ctx, "a", "10.0.0.1", nil)
		in.expect(ctx, "web", "10.0.0.1")
		makeNode(ctx, "b", "10.0.0.2", nil)
		makeNode(ctx, "apart", "10.0.0.3", func(node *corev1.Node) { node.Labels["edge"] = "no" })
		in.expect(ctx, "web", "10.0.0.1 10.0.0.2")

		for _, change := range []func(*corev1.Node){
			func(node *corev1.Node) { node.Labels[corev1.LabelNodeExcludeBalancers] = "" },
			func(node *corev1.Node) {
				node.Spec.Taints = []corev1.Taint{{Key: "ToBeDeletedByClusterAutoscaler", Effect: corev1.TaintEffectNoSchedule}}
			},
		} {
			editNode(ctx, "a", change)
			in.expect(ctx, "web", "10.0.0.2")
			editNode(ctx, "a", func(node *corev1.Node) {
				delete(node.Labels, corev1.LabelNodeExcludeBalancers)
				node.Spec.Taints = nil
			})
			in.expect(ctx, "web", "10.0.0.2 10.0.0.1")
		}
		setReady(ctx, "a", corev1.ConditionFalse)
		in.expect(ctx, "web", "10.0.0.2")
		Eventually(tenancies).WithContext(ctx).Should(ConsistOf("10.0.0.2 " + in.Name + "/web"))
		Expect(dual.API.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "b"}})).To(Succeed())
		in.expect(ctx, "web", "NoNodes")
		setReady(ctx, "a", corev1.ConditionTrue)
		in.expect(ctx, "web", "10.0.0.1")
	})

	It("is shared by Services of all namespaces, each port by one", func(ctx SpecContext) {
		makeNode(ctx, "a", "10.0.0.1", nil)
		other := newSpace(ctx, nil)
		DeferCleanup(other.RemoveAll)
		in.balance(ctx, "web", onPorts(80))
		in.expect(ctx, "web", "10.0.0.1")
		other.balance(ctx, "api", onPorts(443))
		other.expect(ctx, "api", "10.0.0.1")
		other.balance(ctx, "both", onPorts(80, 8080))
		other.expect(ctx, "both", "10.0.0.1:80!:8080")
		other.balance(ctx, "none", onPorts(80, 443))
		other.expect(ctx, "none", "SharingRefused")
		in.Remove(ctx, "web")
		other.expect(ctx, "both", "10.0.0.1")
		other.Remove(ctx, "api")
		other.expect(ctx, "none", "10.0.0.1:80!:443")
	})
})

// makeNode makes a node of the pool that is ready.
func makeNode(ctx context.Context, name, address string, change func(*corev1.Node)) {
	GinkgoHelper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"edge": "yes"}}}
	if change != nil {
		change(node)
	}
	Expect(dual.API.Create(ctx, node)).To(Succeed())
	before := node.DeepCopy()
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	Expect(dual.API.Status().Patch(ctx, node, client.MergeFrom(before))).To(Succeed())
	if len(node.Spec.Taints) > 0 { // the API server's, until somebody sees that the node is ready
		editNode(ctx, name, func(node *corev1.Node) { node.Spec.Taints = nil })
	}
}

func editNode(ctx context.Context, name string, change func(*corev1.Node)) {
	GinkgoHelper()
	node := &corev1.Node{}
	Expect(dual.API.Get(ctx, client.ObjectKey{Name: name}, node)).To(Succeed())
	before := node.DeepCopy()
	change(node)
	Expect(dual.API.Patch(ctx, node, client.MergeFrom(before))).To(Succeed())
}

func setReady(ctx context.Context, name string, ready corev1.ConditionStatus) {
	GinkgoHelper()
	node := &corev1.Node{}
	Expect(dual.API.Get(ctx, client.ObjectKey{Name: name}, node)).To(Succeed())
	before := node.DeepCopy()
	node.Status.Conditions[0].Status = ready
	Expect(dual.API.Status().Patch(ctx, node, client.MergeFrom(before))).To(Succeed())
}
