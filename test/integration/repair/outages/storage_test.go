// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package outages

import (
	"context"
	"net/netip"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// The blocks that specs look at, and numbers of them.
const (
	addressBlock = "clusteripv4-10.96.0.0"
	address      = "10.96.3.7"
	portBlock    = "nodeport-28672"
	port         = 31234
)

var _ = Describe("A block that can't be written", func() {
	It("keeps nothing else from being repaired, and is repaired once it can", func(ctx SpecContext) {
		in := dual.NewSpace(ctx, nil)
		DeferCleanup(dual.ForgetEvents)
		in.Expose(ctx, "web", corev1.ServiceTypeNodePort, address, port)
		manager := dual.StartManager(ctx, "hindered", "--repair-interval=2s")
		dual.Settle(ctx, manager)

		By("losing a block that may not be written, and leaking numbers of another")
		allow := refuse(ctx, portBlock)
		Expect(dual.API.Delete(ctx, &servicenetv1alpha1.AllocationBlock{ObjectMeta: metav1.ObjectMeta{Name: portBlock}})).To(Succeed())
		dual.Tamper(ctx, addressBlock, func(block *ledger.Block) {
			for number := 1000; number < 1500; number++ {
				block.Adopt(number)
			}
		})
		in.Expose(ctx, "later", corev1.ServiceTypeNodePort, "", port+1)
		Eventually(dual.Contradictions).WithContext(ctx).Should(ConsistOf(
			"31234 of Service web is free", "31235 of Service later is free"))
		Eventually(dual.Events).WithContext(ctx).Should(ConsistOf("BlockLost AllocationBlock " + portBlock))
		Expect(numbers.ErrorsLogged(manager)).To(ContainElement(ContainSubstring("rebuilding block " + portBlock)))

		By("repairing it")
		allow(ctx)
		dual.ExpectUsed(ctx)
	})

	It("is none of the start's business", func(ctx SpecContext) {
		in := dual.NewSpace(ctx, nil)
		in.Expose(ctx, "web", corev1.ServiceTypeNodePort, address, port)
		allow := refuse(ctx, addressBlock)
		dual.StartManager(ctx, "hindered-at-start", "--repair-interval=2s")
		Eventually(dual.States).WithArguments([]ledger.Place{ledger.Port(port)}).WithContext(ctx).Should(HaveEach("used"))
		allow(ctx)
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())
	})
})

var _ = Describe("An API server that stands still", func() {
	It("is waited for, and all is as it should be then", func(ctx SpecContext) {
		in := dual.NewSpace(ctx, nil)
		in.ExposeMany(ctx, "early", 200)
		manager := dual.StartManager(ctx, "waiting", "--repair-interval=1s")
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())
		dual.Tamper(ctx, addressBlock, func(block *ledger.Block) {
			for number := 1000; number < 1500; number++ {
				block.Adopt(number)
			}
		})
		Eventually(numbers.Findings).WithArguments(manager, "leak").WithContext(ctx).Should(BeNumerically(">", 0))
		in.RemoveAll(ctx)
		in.ExposeMany(ctx, "late", 100)

		server := dual.Plane.APIServer()
		Expect(server.Signal(syscall.SIGSTOP)).To(Succeed())
		Eventually(numbers.ErrorsLogged).WithArguments(manager).WithContext(ctx).ShouldNot(BeEmpty())
		Expect(server.Signal(syscall.SIGCONT)).To(Succeed())
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())
	})
})

// refuse has the API server refuse what managers write of a block, from now on until
// it is allowed again.
func refuse(ctx context.Context, block string) (allow func(context.Context)) {
	GinkgoHelper()
	unless := "request.name != '" + block + "' || request.userInfo.username != '" + numbers.ManagerUser + "' && !request.dryRun"
	remove := numbers.Refuse(ctx, dual.API, "refuse-"+block, unless, admissionregistrationv1.Rule{
		APIGroups: []string{servicenetv1alpha1.GroupVersion.Group}, APIVersions: []string{"*"}, Resources: []string{"allocationblocks"},
	})
	DeferCleanup(remove)
	// A dry run of anybody is refused, too, which tells when the policy is at work.
	Eventually(tryCreation).WithArguments(block).WithContext(ctx).Should(Satisfy(isRefused))
	return func(ctx context.Context) {
		GinkgoHelper()
		remove(ctx)
		Eventually(tryCreation).WithArguments(block).WithContext(ctx).ShouldNot(Satisfy(isRefused))
	}
}

// tryCreation makes a block, in a dry run.
func tryCreation(ctx context.Context, name string) error {
	key := ledger.Port(port).Key
	if name == addressBlock {
		key = ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr(address)).Key
	}
	data, err := ledger.NewBlock(1).Encode()
	if err != nil {
		return err
	}
	return dual.API.Create(ctx, &servicenetv1alpha1.AllocationBlock{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Family: key.Family, First: key.First(), Data: data,
	}, client.DryRunAll)
}

func isRefused(err error) bool { return apierrors.IsInvalid(err) || apierrors.IsForbidden(err) }
