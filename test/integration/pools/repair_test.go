// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
)

// family is a control plane of one kind, and what there is to get from it.
type family struct {
	name, clusterIPs string
	// block is that of the addresses, free one of them, and small one CIDR of few.
	block, free, small string
	on                 *server
}

var _ = Describe("Repair", func() {
	for _, of := range []*family{
		{name: "dual-stack", block: "clusteripv4-10.96.0.0", free: "10.96.3.7", small: "10.200.0.0/29"},
		{name: "IPv4", clusterIPs: "10.96.0.0/16", block: "clusteripv4-10.96.0.0", free: "10.96.3.7", small: "10.200.0.0/29"},
		{
			name: "IPv6", clusterIPs: "fd00:10:96::/112",
			block: "clusteripv6-fd000010009600000000000000000000", free: "fd00:10:96::307", small: "fd00:10:200::/125",
		},
	} {
		Describe("with "+of.name, Ordered, ContinueOnFailure, func() {
			BeforeAll(func(ctx SpecContext) {
				of.on = dual
				if of.clusterIPs != "" {
					of.on = startServer(ctx, of.clusterIPs)
				}
			}, NodeTimeout(startTimeout))
			of.specs()
		})
	}
})

// specs are the cases of repair.
func (f *family) specs() {
	var in space
	var manager *controlplane.Manager

	BeforeEach(func(ctx SpecContext) {
		in = f.on.newSpace(ctx, nil)
		DeferCleanup(f.on.forgetEvents)
		in.exposeMany(ctx, "web", 20)
		in.expose(ctx, "port", corev1.ServiceTypeNodePort, "", 31234)
		manager = f.on.startManager(ctx, "repairing", "--repair-interval=5s")
		Eventually(f.on.contradictions).WithContext(ctx).Should(BeEmpty())
	})

	It("frees what nothing uses, and says nothing", func(ctx SpecContext) {
		f.on.tamper(ctx, f.block, func(block *ledger.Block) {
			for number := range 40 {
				block.Adopt(2000 + number)
			}
		})
		Eventually(f.on.contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(f.on.events(ctx)).To(BeEmpty())
		Expect(f.on.findings(ctx, manager, "leak")).To(BeNumerically("==", 40))
		Expect(errorsLogged(manager)).To(BeEmpty())
	})

	It("makes a block anew that was deleted while in use", func(ctx SpecContext) {
		Expect(f.on.api.Delete(ctx, &servicenetv1alpha1.AllocationBlock{ObjectMeta: metav1.ObjectMeta{Name: f.block}})).To(Succeed())
		Eventually(f.on.events).WithContext(ctx).Should(ContainElement("BlockLost AllocationBlock " + f.block))
		f.on.expectUsed(ctx)
	})

	DescribeTable("makes a block anew that can't be read", func(ctx SpecContext, spoil func(data []byte) []byte) {
		f.on.spoil(ctx, f.block, spoil)
		Eventually(f.on.events).WithContext(ctx).Should(ContainElement("BlockUnreadable AllocationBlock " + f.block))
		f.on.expectUsed(ctx)
		Expect(f.on.findings(ctx, manager, "block_broken")).To(BeNumerically("==", 1))
	},
		Entry("which is cut short", func(data []byte) []byte { return data[:len(data)-3] }),
		Entry("which is another text", func([]byte) []byte { return []byte("nonsense") }),
		Entry("in which a bit is flipped", func(data []byte) []byte { data[len(data)/2] ^= 4; return data }),
	)

	It("tells of a port outside the range, once, and keeps it", func(ctx SpecContext) {
		Expect(manager.Stop(ctx)).To(Succeed())
		other := f.on.startManager(ctx, "narrow", "--repair-interval=1s", "--service-node-port-range=30000-30100")
		Eventually(f.on.events).WithContext(ctx).Should(ConsistOf("PortOutOfRange Service port"))
		Consistently(func(ctx context.Context) (float64, error) { return f.on.findings(ctx, other, "out_of_range") }).
			WithContext(ctx).Should(BeNumerically("==", 1))
		Expect(f.on.contradictions(ctx)).To(BeEmpty())
	})

	It("tells of addresses that no ServiceCIDR has any more, and of the last one", func(ctx SpecContext) {
		few := &networkingv1.ServiceCIDR{
			ObjectMeta: metav1.ObjectMeta{Name: "few"}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{f.small}},
		}
		Expect(f.on.api.Create(ctx, few)).To(Succeed())
		address := f.small[:len(f.small)-len("0/29")] + "3"
		if f.name == "IPv6" {
			address = "fd00:10:200::3"
		}
		Eventually(func(ctx context.Context) error {
			return f.on.api.Create(ctx, &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Namespace: in.name, Name: "stranded"},
				Spec:       corev1.ServiceSpec{ClusterIP: address, Ports: []corev1.ServicePort{{Port: 80}}},
			})
		}).WithContext(ctx).Should(Succeed())
		Eventually(f.on.contradictions).WithContext(ctx).Should(BeEmpty())

		By("taking the ServiceCIDR away by force")
		Expect(f.on.api.Delete(ctx, few)).To(Succeed())
		Expect(f.on.api.Patch(ctx, few, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))).
			To(Succeed())
		Eventually(f.on.events).WithContext(ctx).Should(ContainElement("ClusterIPOutOfRange Service stranded"))
		Expect(f.on.contradictions(ctx)).To(BeEmpty())
	})

	It("leaves alone what somebody else has", func(ctx SpecContext) {
		foreign := &networkingv1.IPAddress{
			ObjectMeta: metav1.ObjectMeta{Name: f.free},
			Spec:       networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: "namespaces", Name: in.name}},
		}
		Expect(f.on.api.Create(ctx, foreign)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(f.on.api.Delete(ctx, foreign)).To(Succeed()) })
		Consistently(f.on.contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(f.on.events(ctx)).To(BeEmpty())
	})

	It("writes nothing when all agrees", func(ctx SpecContext) {
		before := f.on.writes()
		Consistently(f.on.writes).WithContext(ctx).WithTimeout(2 * absence).Should(Equal(before))
	})
}

// expectUsed waits until the ledger has the number of each Service, and no others
// as used. What was in flight when a block was lost is on loan for a minute.
func (s *server) expectUsed(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(ctx context.Context) ([]string, error) {
		found, err := s.contradictions(ctx)
		var wrong []string
		for _, text := range found {
			if !isLent(text) {
				wrong = append(wrong, text)
			}
		}
		return wrong, err
	}).WithContext(ctx).Should(BeEmpty())
}

// tamper changes a block as somebody else might.
func (s *server) tamper(ctx context.Context, name string, change func(block *ledger.Block)) {
	GinkgoHelper()
	s.spoil(ctx, name, func(data []byte) []byte {
		block, err := ledger.Decode(data)
		Expect(err).NotTo(HaveOccurred())
		change(block)
		data, err = block.Encode()
		Expect(err).NotTo(HaveOccurred())
		return data
	})
}

// spoil changes the record of a block.
func (s *server) spoil(ctx context.Context, name string, change func(data []byte) []byte) {
	GinkgoHelper()
	Eventually(func(g Gomega, ctx context.Context) {
		object := &servicenetv1alpha1.AllocationBlock{}
		g.Expect(s.api.Get(ctx, client.ObjectKey{Name: name}, object)).To(Succeed())
		object.Data = change(object.Data)
		g.Expect(s.api.Update(ctx, object)).To(Succeed())
	}).WithContext(ctx).Should(Succeed())
}

// forgetEvents deletes all events.
func (s *server) forgetEvents(ctx context.Context) {
	GinkgoHelper()
	var all corev1.EventList
	Expect(s.api.List(ctx, &all)).To(Succeed())
	for i := range all.Items {
		Expect(client.IgnoreNotFound(s.api.Delete(ctx, &all.Items[i]))).To(Succeed())
	}
}

// findings returns how many findings of a kind a manager has counted.
func (s *server) findings(ctx context.Context, manager *controlplane.Manager, kind string) (float64, error) {
	metrics, err := scrape(ctx, manager.MetricsURL+"/metrics")
	if err != nil {
		return 0, err
	}
	return metrics[fmt.Sprintf("servicenet_repair_findings_total{kind=%q}", kind)], nil
}
