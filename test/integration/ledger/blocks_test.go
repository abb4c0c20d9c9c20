// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os/exec"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// mostBytes is how large an object of a block may be.
const mostBytes = 256 << 10

var _ = Describe("A block", func() {
	It("is made when one of its numbers is first asked for, and removed when the last is free and nothing is on loan", func(ctx SpecContext) {
		in := newSpace(ctx)
		l := in.startPart(ctx, brisk())
		from := addresses("10.96.64.0/20")
		key := clusterIP("10.96.64.0").Key
		Expect(names(ctx)).NotTo(ContainElement(key.String()))
		place, err := l.Take(ctx, servicenetv1alpha1.ClusterIPv4, from, in.request("web"))
		Expect(err).NotTo(HaveOccurred())
		Expect(place.Key).To(Equal(key))
		Expect(names(ctx)).To(ContainElement(key.String()))
		Expect(stateOf(ctx, place)).To(Equal("lent"))

		service := in.create(ctx, "web", place)
		Eventually(stateOf).WithArguments(place).WithContext(ctx).Should(Equal("used"))
		Expect(api.Delete(ctx, service)).To(Succeed())
		Eventually(stateOf).WithArguments(place).WithContext(ctx).Should(Equal("free"))
		Expect(names(ctx)).To(ContainElement(key.String()), "the magazine is still on loan")

		l.stop(ctx)
		Expect(names(ctx)).NotTo(ContainElement(key.String()))
	})

	It("is removed when its last number is free, where there is no magazine", func(ctx SpecContext) {
		in := newSpace(ctx)
		l := in.startPart(ctx, brisk())
		place, err := l.Take(ctx, servicenetv1alpha1.ClusterIPv4, addresses("10.96.80.0/28"), in.request("web"))
		Expect(err).NotTo(HaveOccurred())
		service := in.create(ctx, "web", place)
		Eventually(stateOf).WithArguments(place).WithContext(ctx).Should(Equal("used"))
		Expect(api.Delete(ctx, service)).To(Succeed())
		Eventually(names).WithContext(ctx).ShouldNot(ContainElement(place.Key.String()))
	})

	It("is left alone when it can't be read, and nothing is given out of it", func(ctx SpecContext) {
		in := newSpace(ctx)
		l := in.startPart(ctx, brisk())
		place := clusterIP("10.96.96.5")
		before := makeBlock(ctx, place.Key, []byte("no block at all"))
		beUnavailable := BeAssignableToTypeOf((*ledger.UnavailableError)(nil))
		Expect(in.takeInTime(ctx, l, place, "web")).To(beUnavailable)
		Eventually(func() error {
			_, err := l.Take(ctx, servicenetv1alpha1.ClusterIPv4, addresses("10.96.96.0/20"), in.request("web"))
			return err
		}).WithContext(ctx).Should(beUnavailable, "the numbers may well be free")

		By("adopting nothing into it")
		in.create(ctx, "web", place)
		other := clusterIP("10.96.112.5")
		in.create(ctx, "later", other)
		Eventually(stateOf).WithArguments(other).WithContext(ctx).Should(Equal("used"))
		after := &servicenetv1alpha1.AllocationBlock{}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(before), after)).To(Succeed())
		Expect(after.ResourceVersion).To(Equal(before.ResourceVersion))
	})

	It("is stored when it is as large as it can get", func(ctx SpecContext) {
		newSpace(ctx)
		data, err := largest().Encode()
		Expect(err).NotTo(HaveOccurred())
		object := makeBlock(ctx, ledger.Address(servicenetv1alpha1.LoadBalancerIPv6, netip.MustParseAddr("2001:db8::")).Key, data)
		Expect(api.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		text, err := json.Marshal(object)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(text)).To(BeNumerically("<=", mostBytes))
		Expect(len(text)).To(BeNumerically(">", mostBytes/2), "it is large at all")
		_, block, err := decode(object)
		Expect(err).NotTo(HaveOccurred())
		Expect(block.Encode()).To(Equal(data))
	})

	It("is shown by kubectl with its numbers counted", func(ctx SpecContext) {
		in := newSpace(ctx)
		l := in.startPart(ctx, brisk())
		place := clusterIP("10.96.112.9")
		Expect(in.takeInTime(ctx, l, place, "web")).To(Succeed())
		in.create(ctx, "web", place)
		Eventually(stateOf).WithArguments(place).WithContext(ctx).Should(Equal("used"))
		kubectl, err := controlplane.FindBinaries().Find("kubectl")
		Expect(err).NotTo(HaveOccurred())
		for _, kind := range []string{"allocationblocks", "block"} {
			output, err := exec.CommandContext(ctx, kubectl, "--kubeconfig="+kubeconfig, "get", kind, place.Key.String()).CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(output))
			lines := strings.Split(strings.TrimSpace(string(output)), "\n")
			Expect(strings.Fields(lines[0])).To(Equal([]string{"NAME", "FAMILY", "FIRST", "USED", "LENT", "HELD", "AGE"}))
			Expect(strings.Fields(lines[1])[:6]).To(Equal([]string{"clusteripv4-10.96.112.0", "ClusterIPv4", "10.96.112.0", "1", "0", "0"}))
		}
	})
})

// largest returns the block with the longest encoding: most of its numbers are on
// loan, each to another replica, and asked for, and the rest are held for Services
// with the longest names.
func largest() *ledger.Block {
	b := ledger.NewBlock(math.MaxUint32 / 2)
	longest := func(number int) ledger.Subject {
		pad := func(text string) string { return text + strings.Repeat("x", 63-len(text)) }
		return ledger.SubjectOf(types.NamespacedName{Namespace: pad(fmt.Sprint("n", number)), Name: pad(fmt.Sprint("s", number))})
	}
	for number := range allocator.BlockSize {
		if number%15 == 0 {
			b.Adopt(number)
			b.Release(number, ledger.Retention{Until: time.Unix(math.MaxUint32, 0), For: longest(number)})
			continue
		}
		holder := ledger.Holder(math.MaxUint64 - uint64(number))
		b.Lend(number, holder)
		b.Ask(number, holder-1, longest(number))
	}
	return b
}
