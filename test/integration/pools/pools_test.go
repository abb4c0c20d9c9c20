// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// addressPool is a pool of addresses for everybody.
func addressPool(name string, cidrs ...string) *servicenetv1alpha1.ClusterIPPool {
	return &servicenetv1alpha1.ClusterIPPool{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: servicenetv1alpha1.ClusterIPPoolSpec{CIDRs: cidrs},
	}
}

func portPool(name string, first, last int32) *servicenetv1alpha1.NodePortPool {
	return &servicenetv1alpha1.NodePortPool{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       servicenetv1alpha1.NodePortPoolSpec{Ranges: []servicenetv1alpha1.PortRange{{First: first, Last: last}}},
	}
}

// only is the policy of a pool that serves the namespaces with a label alone.
func only(key, value string) servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{key: value}},
	}
}

// shows waits until kubectl shows a pool with these columns: total, used, free,
// ready and reason.
func (s *server) shows(ctx context.Context, kind, name, columns string) {
	GinkgoHelper()
	Eventually(func(ctx context.Context) (string, error) {
		lines, err := s.kubectl(ctx, "get", kind, name, "-o", "wide", "--no-headers")
		if err != nil || len(lines) != 1 || len(lines[0]) < 6 {
			return "", err
		}
		return strings.Join(lines[0][1:6], " "), nil
	}).WithContext(ctx).WithPolling(kubectlPeriod).Should(Equal(columns))
}

// kubectlPeriod lies between two calls of kubectl, which starts a process each time.
const kubectlPeriod = 300 * time.Millisecond

// edit changes the spec of a pool.
func (s *server) edit(ctx context.Context, name string, change func(spec *servicenetv1alpha1.ClusterIPPoolSpec)) {
	GinkgoHelper()
	of := addressPool(name)
	Expect(s.api.Get(ctx, client.ObjectKeyFromObject(of), of)).To(Succeed())
	before := of.DeepCopy()
	change(&of.Spec)
	Expect(s.api.Patch(ctx, of, client.MergeFrom(before))).To(Succeed())
}

// usage returns how a pool stands in a family: used, held, used by others, used
// outside.
func (s *server) usage(name, family string) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		of := addressPool(name)
		if err := s.api.Get(ctx, client.ObjectKeyFromObject(of), of); err != nil {
			return "", err
		}
		for _, usage := range of.Status.Families {
			if usage.Family == family {
				return strings.Join([]string{usage.Used, usage.Held, usage.UsedByOthers, usage.UsedOutside}, " "), nil
			}
		}
		return "", nil
	}
}

var _ = Describe("A pool", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = dual.newSpace(ctx, map[string]string{"team": "shop"})
		dual.startManager(ctx, "pools")
	})

	It("may be made over numbers in use, edited, split, renamed and deleted, and no Service changes", func(ctx SpecContext) {
		web := in.expose(ctx, "web", corev1.ServiceTypeNodePort, "10.96.5.1", 31001)
		db := in.expose(ctx, "db", corev1.ServiceTypeNodePort, "10.96.5.200", 31050)

		By("making pools over them")
		Expect(dual.api.Create(ctx, addressPool("shop", "10.96.5.0/24", "fd00:10:96::500/120"))).To(Succeed())
		Expect(dual.api.Create(ctx, portPool("shop", 31000, 31099))).To(Succeed())
		dual.shows(ctx, "cippool", "shop", "256/256 2/0 254/256 True Available")
		dual.shows(ctx, "nppool", "shop", "100 2 98 True Available")

		By("editing them, so that one number is outside, and they serve others")
		dual.edit(ctx, "shop", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) {
			spec.CIDRs = []string{"10.96.5.0/25"}
			spec.PoolPolicy = only("team", "shop")
		})
		dual.shows(ctx, "cippool", "shop", "128 1 127 True Available")
		Expect(dual.usage("shop", "IPv4")(ctx)).To(Equal("1 0 0 1"))
		dual.edit(ctx, "shop", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) { spec.PoolPolicy = only("team", "other") })
		Eventually(dual.usage("shop", "IPv4")).WithContext(ctx).Should(Equal("1 0 1 0"))

		By("splitting them")
		Expect(dual.api.Create(ctx, addressPool("upper", "10.96.5.128/25"))).To(Succeed())
		dual.shows(ctx, "cippool", "upper", "128 1 127 True Available")

		By("renaming them: the old one has the numbers until it is deleted")
		Expect(dual.api.Create(ctx, addressPool("renamed", "10.96.5.128/25"))).To(Succeed())
		dual.shows(ctx, "cippool", "renamed", "0 0 0 False Overlaps")
		Expect(dual.api.Delete(ctx, addressPool("upper"))).To(Succeed())
		dual.shows(ctx, "cippool", "renamed", "128 1 127 True Available")

		By("deleting them")
		Expect(dual.api.Delete(ctx, addressPool("renamed"))).To(Succeed())
		Expect(dual.api.Delete(ctx, addressPool("shop"))).To(Succeed())
		Expect(dual.api.Delete(ctx, portPool("shop", 1, 1))).To(Succeed())
		for _, service := range []*corev1.Service{web, db} {
			now := service.DeepCopy()
			Expect(dual.api.Get(ctx, client.ObjectKeyFromObject(service), now)).To(Succeed())
			Expect(now).To(Equal(service))
		}
		Expect(dual.events(ctx)).To(BeEmpty())
	})

	It("keeps the number of a deleted Service for its name, and says so", func(ctx SpecContext) {
		keeping := addressPool("keeping", "10.96.6.0/24")
		keeping.Spec.Retain = &metav1.Duration{Duration: retain}
		Expect(dual.api.Create(ctx, keeping)).To(Succeed())
		dual.shows(ctx, "cippool", "keeping", "256 0 256 True Available")
		in.expose(ctx, "web", corev1.ServiceTypeClusterIP, "10.96.6.7")
		dual.shows(ctx, "cippool", "keeping", "256 1 255 True Available")
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty()) // it is in the ledger
		in.remove(ctx, "web")
		dual.shows(ctx, "cippool", "keeping", "256 0 255 True Available")
		Expect(dual.usage("keeping", "IPv4")(ctx)).To(Equal("0 1 0 1")) // outside is that of the Service kubernetes
		dual.shows(ctx, "cippool", "keeping", "256 0 256 True Available")
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())
	})

	It("says what is wrong with it", func(ctx SpecContext) {
		for _, of := range []client.Object{
			addressPool("outside", "192.0.2.0/24"), portPool("outside", 20000, 20010), portPool("tiny", 32000, 32000),
		} {
			Expect(dual.api.Create(ctx, of)).To(Succeed())
		}
		dual.shows(ctx, "cippool", "outside", "0 0 0 False OutsideServiceCIDR")
		dual.shows(ctx, "nppool", "outside", "0 0 0 False OutsidePortRange")
		in.expose(ctx, "last", corev1.ServiceTypeNodePort, "", 32000)
		dual.shows(ctx, "nppool", "tiny", "1 1 0 False Exhausted")
	})

	It("is written once a second at most, and not at all at rest", func(ctx SpecContext) {
		Expect(dual.api.Create(ctx, addressPool("busy", "10.96.0.0/16"))).To(Succeed())
		dual.shows(ctx, "cippool", "busy", "65534 1 65533 True Available")
		before := len(dual.statusWrites("busy"))
		for range 3 {
			in.exposeMany(ctx, "burst", 100)
			Expect(dual.api.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(in.name))).To(Succeed())
		}
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())
		dual.shows(ctx, "cippool", "busy", "65534 1 65533 True Available")
		Expect(dual.intervals("busy")[before:]).To(HaveEach(BeNumerically(">=", 1)))
		rest := dual.writes()
		Consistently(dual.writes).WithContext(ctx).Should(Equal(rest))
	})
})

var _ = Describe("A pool with a ServiceCIDR of its own", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = dual.newSpace(ctx, nil)
		dual.startManager(ctx, "managed")
	})

	It("gives addresses out that the API server did not have, and lets it go without touching a Service", func(ctx SpecContext) {
		more := addressPool("more", "10.97.0.0/20")
		more.Spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRManaged
		Expect(dual.api.Create(ctx, more)).To(Succeed())
		Eventually(dual.serviceCIDRs).WithArguments("more").WithContext(ctx).Should(HaveLen(1))
		dual.shows(ctx, "cippool", "more", "0 0 0 False ServiceCIDRNotReady")
		dual.shows(ctx, "cippool", "more", "4094 0 4094 True Available")
		web := in.expose(ctx, "web", corev1.ServiceTypeClusterIP, "10.97.1.1")
		dual.shows(ctx, "cippool", "more", "4094 1 4093 True Available")

		By("having another beside it when the CIDRs are edited")
		before, err := dual.serviceCIDRs(ctx, "more")
		Expect(err).NotTo(HaveOccurred())
		dual.edit(ctx, "more", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) { spec.CIDRs = []string{"10.98.0.0/24"} })
		Eventually(dual.serviceCIDRs).WithArguments("more").WithContext(ctx).Should(HaveLen(2))
		dual.shows(ctx, "cippool", "more", "254 0 254 True Available")
		Eventually(func(g Gomega, ctx context.Context) {
			old := before[0].DeepCopy()
			g.Expect(dual.api.Get(ctx, client.ObjectKeyFromObject(old), old)).To(Succeed())
			g.Expect(old.DeletionTimestamp).NotTo(BeNil(), "the old one stays for the Service that it has")
			ready := apimeta.FindStatusCondition(old.Status.Conditions, "Ready")
			g.Expect(ready).NotTo(BeNil())
			g.Expect(ready.Reason).To(Equal("Terminating"))
		}).WithContext(ctx).Should(Succeed())

		By("letting go of both when the pool is deleted")
		Expect(dual.api.Delete(ctx, more)).To(Succeed())
		Eventually(dual.serviceCIDRs).WithArguments("more").WithContext(ctx).Should(HaveLen(1))
		now := web.DeepCopy()
		Expect(dual.api.Get(ctx, client.ObjectKeyFromObject(web), now)).To(Succeed())
		Expect(now).To(Equal(web))
		in.remove(ctx, "web")
		Eventually(dual.serviceCIDRs).WithArguments("more").WithContext(ctx).Should(BeEmpty())
	})

	It("has it again when somebody deletes it", func(ctx SpecContext) {
		more := addressPool("again", "10.99.0.0/24")
		more.Spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRManaged
		Expect(dual.api.Create(ctx, more)).To(Succeed())
		Eventually(dual.serviceCIDRs).WithArguments("again").WithContext(ctx).Should(HaveLen(1))
		first, err := dual.serviceCIDRs(ctx, "again")
		Expect(err).NotTo(HaveOccurred())
		Expect(dual.api.Delete(ctx, &first[0])).To(Succeed())
		Eventually(func(g Gomega, ctx context.Context) {
			now, err := dual.serviceCIDRs(ctx, "again")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(now).To(ContainElement(HaveField("DeletionTimestamp", BeNil())))
			g.Expect(now).NotTo(ContainElement(HaveField("UID", first[0].UID)))
		}).WithContext(ctx).Should(Succeed())

		By("and has none when it is not to have one any more")
		dual.edit(ctx, "again", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) {
			spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRUnmanaged
		})
		Eventually(dual.serviceCIDRs).WithArguments("again").WithContext(ctx).Should(BeEmpty())
		dual.shows(ctx, "cippool", "again", "0 0 0 False OutsideServiceCIDR")
	})
})
