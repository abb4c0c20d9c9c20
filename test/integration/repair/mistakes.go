// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// The blocks that mistakes are made in, one each.
const (
	plainBlock = iota
	twinBlock
	forgottenBlock
	leakingBlock
)

// leaks is how many numbers leak, of addresses and of ports.
const leaks = 20

// mistakes are the specs of what can be wrong with Services. All of it is wrong at
// the same time, so that none keeps another from being looked after.
func (f *Family) mistakes() {
	var in numbers.Space
	var manager *controlplane.Manager

	BeforeAll(func(ctx SpecContext) {
		in = f.on.NewSpace(ctx, nil)
		DeferCleanup(f.on.ForgetEvents)
		f.prepare(ctx, in)
		manager = f.on.StartManager(ctx, "repairing", "--repair-interval=2s")
		f.on.Settle(ctx, manager)
		f.err(ctx, in)
	}, NodeTimeout(numbers.StartTimeout))

	DescribeTable("tells of", func(ctx SpecContext, events ...string) {
		Eventually(f.on.Events).WithContext(ctx).Should(ContainElements(events))
	},
		Entry("two Services with one address",
			"ClusterIPAlreadyAllocated Service twin", "ClusterIPAlreadyAllocated Service other-twin"),
		Entry("two Services with one port", "PortAlreadyAllocated Service port", "PortAlreadyAllocated Service other-port"),
		Entry("an ExternalName with the port of another Service",
			"PortAlreadyAllocated Service lender", "PortAlreadyAllocated Service external"),
		Entry("a Service with one port twice", "PortAlreadyAllocated Service doubled"),
		Entry("an address that no ServiceCIDR ever had", "ClusterIPOutOfRange Service stray"),
		Entry("an address that no ServiceCIDR has any more", "ClusterIPOutOfRange Service stranded"),
		Entry("a port outside the range", "PortOutOfRange Service stray-port"),
		Entry("an address that is none", "ClusterIPNotValid Service garbled"),
		Entry("an address that the ledger had, and has no more", "ClusterIPNotAllocated Service forgotten"),
	)

	It("frees what nothing uses, and tells nothing and nothing else", func(ctx SpecContext) {
		f.on.ExpectUsed(ctx)
		Expect(f.on.Events(ctx)).To(ConsistOf(f.told()))
		for kind, count := range map[string]int{
			"leak": 2 * leaks, "out_of_range": 3, "invalid": 1, "not_allocated": 1, "block_lost": 1, "full": 0, "unknown": 0,
			"duplicate": 5 + 2*f.families(),
		} {
			Expect(numbers.Findings(ctx, manager, kind)).To(BeNumerically("==", count), kind)
		}
		Expect(numbers.ErrorsLogged(manager)).To(BeEmpty())
	})

	It("keeps a number for the other when one of two goes", func(ctx SpecContext) {
		for _, name := range []string{"twin", "port", "lender"} {
			in.Remove(ctx, name)
		}
		shared := []ledger.Place{f.place(twinBlock, 7), ledger.Port(31001), ledger.Port(31002)}
		Consistently(f.on.States).WithArguments(shared).WithContext(ctx).Should(HaveEach("used"))
		f.on.ExpectUsed(ctx)

		By("freeing it when the other goes as well")
		for _, name := range []string{"other-twin", "other-port", "external"} {
			in.Remove(ctx, name)
		}
		Eventually(f.on.States).WithArguments(shared).WithContext(ctx).Should(HaveEach("free"))
	})
}

// families is how many addresses Services have.
func (f *Family) families() int {
	if f.on.Dual() {
		return 2
	}
	return 1
}

// told are the events of all mistakes.
func (f *Family) told() []string {
	return []string{
		"ClusterIPAlreadyAllocated Service twin", "ClusterIPAlreadyAllocated Service other-twin",
		"PortAlreadyAllocated Service port", "PortAlreadyAllocated Service other-port",
		"PortAlreadyAllocated Service lender", "PortAlreadyAllocated Service external", "PortAlreadyAllocated Service doubled",
		"ClusterIPOutOfRange Service stray", "ClusterIPOutOfRange Service stranded", "PortOutOfRange Service stray-port",
		"ClusterIPNotValid Service garbled",
		"ClusterIPNotAllocated Service forgotten", "BlockLost AllocationBlock " + f.block(forgottenBlock),
	}
}

// prepare makes the Services that nothing is wrong with yet.
func (f *Family) prepare(ctx context.Context, in numbers.Space) {
	GinkgoHelper()
	Expect(f.on.API.Create(ctx, f.few())).To(Succeed())
	f.expose(ctx, in, "plain", f.place(plainBlock, 300).String())
	f.expose(ctx, in, "twin", f.place(twinBlock, 7).String())
	f.expose(ctx, in, "port", f.place(plainBlock, 301).String(), 31001)
	f.expose(ctx, in, "lender", f.place(plainBlock, 302).String(), 31002)
	f.expose(ctx, in, "forgotten", f.place(forgottenBlock, 9).String())
	f.expose(ctx, in, "leaking", f.place(leakingBlock, 11).String())
	// The API server takes a moment to know of a ServiceCIDR.
	Eventually(func(ctx context.Context) error {
		return f.on.API.Create(ctx, in.New("stranded", corev1.ServiceTypeClusterIP, f.OfFew))
	}).WithContext(ctx).Should(Succeed())
}

func (f *Family) few() *networkingv1.ServiceCIDR {
	return &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: "few"}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{f.Few}},
	}
}

// err makes all mistakes.
func (f *Family) err(ctx context.Context, in numbers.Space) {
	GinkgoHelper()
	in.Smuggle(ctx, "twin", "other-twin", nil)
	in.Smuggle(ctx, "port", "other-port", func(spec *corev1.ServiceSpec) { numbers.Headless(spec) })
	external := in.New("external", corev1.ServiceTypeExternalName, "", 31002)
	external.Spec.ExternalName = "example.com"
	Expect(f.on.API.Create(ctx, external)).To(Succeed())
	in.Smuggle(ctx, "plain", "doubled", func(spec *corev1.ServiceSpec) {
		numbers.Headless(spec)
		spec.Type = corev1.ServiceTypeNodePort
		spec.Ports[0].Name, spec.Ports[0].NodePort = "one", 31003
		spec.Ports = append(spec.Ports, spec.Ports[0])
		spec.Ports[1].Name, spec.Ports[1].Port = "other", 81
	})
	in.Smuggle(ctx, "plain", "stray", func(spec *corev1.ServiceSpec) { numbers.Address(spec, f.Outside) })
	in.Smuggle(ctx, "plain", "stray-port", func(spec *corev1.ServiceSpec) {
		numbers.Headless(spec)
		spec.Type = corev1.ServiceTypeNodePort
		spec.Ports[0].NodePort = 20000
	})
	in.Smuggle(ctx, "plain", "garbled", func(spec *corev1.ServiceSpec) { numbers.Address(spec, f.Garbled) })
	f.on.Tamper(ctx, f.block(forgottenBlock), func(block *ledger.Block) { numbers.Free(block, 9) })
	for _, name := range []string{f.block(leakingBlock), "nodeport-28672"} {
		f.on.Tamper(ctx, name, func(block *ledger.Block) {
			for number := range leaks {
				block.Adopt(2000 + number)
			}
		})
	}
	few := f.few()
	Expect(f.on.API.Delete(ctx, few)).To(Succeed())
	noFinalizers := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))
	Expect(f.on.API.Patch(ctx, few, noFinalizers)).To(Succeed())
}
