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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/test/integration/numbers"
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
func shows(ctx context.Context, kind, name, columns string) {
	GinkgoHelper()
	Eventually(func(ctx context.Context) (string, error) {
		lines, err := dual.Kubectl(ctx, "get", kind, name, "-o", "wide", "--no-headers")
		if err != nil || len(lines) != 1 || len(lines[0]) < 6 {
			return "", err
		}
		return strings.Join(lines[0][1:6], " "), nil
	}).WithContext(ctx).WithPolling(kubectlPeriod).Should(Equal(columns))
}

// kubectlPeriod lies between two calls of kubectl, which starts a process each time.
const kubectlPeriod = 300 * time.Millisecond

// edit changes the spec of a pool.
func edit(ctx context.Context, name string, change func(spec *servicenetv1alpha1.ClusterIPPoolSpec)) {
	GinkgoHelper()
	of := addressPool(name)
	Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(of), of)).To(Succeed())
	before := of.DeepCopy()
	change(&of.Spec)
	Expect(dual.API.Patch(ctx, of, client.MergeFrom(before))).To(Succeed())
}

// usage returns how a pool stands in a family: used, held, used by others, used
// outside.
func usage(name, family string) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		of := addressPool(name)
		if err := dual.API.Get(ctx, client.ObjectKeyFromObject(of), of); err != nil {
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
	var in numbers.Space

	BeforeEach(func(ctx SpecContext) {
		in = dual.NewSpace(ctx, map[string]string{"team": "shop"})
		dual.StartManager(ctx, "pools")
	})

	It("may be made over numbers in use, edited, split, renamed and deleted, and no Service changes", func(ctx SpecContext) {
		web := in.Expose(ctx, "web", corev1.ServiceTypeNodePort, "10.96.5.1", 31001)
		db := in.Expose(ctx, "db", corev1.ServiceTypeNodePort, "10.96.5.200", 31050)

		By("making pools over them")
		Expect(dual.API.Create(ctx, addressPool("shop", "10.96.5.0/24", "fd00:10:96::500/120"))).To(Succeed())
		Expect(dual.API.Create(ctx, portPool("shop", 31000, 31099))).To(Succeed())
		shows(ctx, "cippool", "shop", "256/256 2/0 254/256 True Available")
		shows(ctx, "nppool", "shop", "100 2 98 True Available")

		By("editing them, so that one number is outside, and they serve others")
		edit(ctx, "shop", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) {
			spec.CIDRs = []string{"10.96.5.0/25"}
			spec.PoolPolicy = only("team", "shop")
		})
		shows(ctx, "cippool", "shop", "128 1 127 True Available")
		Expect(usage("shop", "IPv4")(ctx)).To(Equal("1 0 0 1"))
		edit(ctx, "shop", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) { spec.PoolPolicy = only("team", "other") })
		Eventually(usage("shop", "IPv4")).WithContext(ctx).Should(Equal("1 0 1 0"))

		By("splitting them")
		Expect(dual.API.Create(ctx, addressPool("upper", "10.96.5.128/25"))).To(Succeed())
		shows(ctx, "cippool", "upper", "128 1 127 True Available")

		By("renaming them: the old one has the numbers until it is deleted")
		Expect(dual.API.Create(ctx, addressPool("renamed", "10.96.5.128/25"))).To(Succeed())
		shows(ctx, "cippool", "renamed", "0 0 0 False Overlaps")
		Expect(dual.API.Delete(ctx, addressPool("upper"))).To(Succeed())
		shows(ctx, "cippool", "renamed", "128 1 127 True Available")

		By("deleting them")
		Expect(dual.API.Delete(ctx, addressPool("renamed"))).To(Succeed())
		Expect(dual.API.Delete(ctx, addressPool("shop"))).To(Succeed())
		Expect(dual.API.Delete(ctx, portPool("shop", 1, 1))).To(Succeed())
		for _, service := range []*corev1.Service{web, db} {
			now := service.DeepCopy()
			Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(service), now)).To(Succeed())
			Expect(now).To(Equal(service))
		}
		Expect(dual.Events(ctx)).To(BeEmpty())
	})

	It("keeps the number of a deleted Service for its name, and says so", func(ctx SpecContext) {
		keeping := addressPool("keeping", "10.96.6.0/24")
		keeping.Spec.Retain = &metav1.Duration{Duration: retain}
		Expect(dual.API.Create(ctx, keeping)).To(Succeed())
		shows(ctx, "cippool", "keeping", "256 0 256 True Available")
		in.Expose(ctx, "web", corev1.ServiceTypeClusterIP, "10.96.6.7")
		shows(ctx, "cippool", "keeping", "256 1 255 True Available")
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty()) // it is in the ledger
		in.Remove(ctx, "web")
		shows(ctx, "cippool", "keeping", "256 0 255 True Available")
		Expect(usage("keeping", "IPv4")(ctx)).To(Equal("0 1 0 1")) // outside is that of the Service kubernetes
		shows(ctx, "cippool", "keeping", "256 0 256 True Available")
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())
	})

	It("says what is wrong with it", func(ctx SpecContext) {
		for _, of := range []client.Object{
			addressPool("outside", "192.0.2.0/24"), portPool("outside", 20000, 20010), portPool("tiny", 32000, 32000),
		} {
			Expect(dual.API.Create(ctx, of)).To(Succeed())
		}
		shows(ctx, "cippool", "outside", "0 0 0 False OutsideServiceCIDR")
		shows(ctx, "nppool", "outside", "0 0 0 False OutsidePortRange")
		in.Expose(ctx, "last", corev1.ServiceTypeNodePort, "", 32000)
		shows(ctx, "nppool", "tiny", "1 1 0 False Exhausted")
	})

	It("is written once a second at most, and not at all at rest", func(ctx SpecContext) {
		Expect(dual.API.Create(ctx, addressPool("busy", "10.96.0.0/16"))).To(Succeed())
		shows(ctx, "cippool", "busy", "65534 1 65533 True Available")
		before := len(dual.StatusWrites("busy"))
		for range 3 {
			in.ExposeMany(ctx, "burst", 100)
			in.RemoveAll(ctx)
		}
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())
		shows(ctx, "cippool", "busy", "65534 1 65533 True Available")
		Expect(dual.Intervals("busy")[before:]).To(HaveEach(BeNumerically(">=", 1)))
		rest := dual.Writes()
		Consistently(dual.Writes).WithContext(ctx).Should(Equal(rest))
	})
})
