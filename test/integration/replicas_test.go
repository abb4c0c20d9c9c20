// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/hack/controlplane"
)

var _ = Describe("Two managers", Serial, func() {
	var in space

	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx) })

	It("agree when both act at once", func(ctx SpecContext) {
		second := startExtraManager(ctx, "second-manager")
		in.applySample(ctx, "large.yaml")
		for _, replicas := range []int{150, 20, 120} {
			in.scale(ctx, "large", replicas)
			Eventually(in.conditions("large")).WithContext(ctx).Should(HaveLen(replicas))
		}
		in.expectNoFaults(ctx, "large", 120)

		By("writing nothing more once they do")
		awaitIdle(ctx, manager)
		awaitIdle(ctx, second)
		Expect(in.faults("large")(ctx)).To(BeEmpty())
		before := restingVersions(ctx)
		Consistently(versions()).WithContext(ctx).Should(Equal(before))
		Expect(errorsLogged()).NotTo(ContainElement(ContainSubstring(string(in))))
	})

	Describe("of which one leads", func() {
		var leader, follower *controlplane.Manager

		BeforeEach(func(ctx SpecContext) {
			stopSharedManager(ctx)
			in.grantLeaderElection(ctx)
			flags := []string{"--leader-elect", "--leader-election-namespace=" + string(in)}
			leader = startExtraManager(ctx, "first-replica", flags...)
			Eventually(leads(leader)).WithContext(ctx).Should(BeTrue())
			follower = startExtraManager(ctx, "second-replica", flags...)
			in.applySample(ctx, "web.yaml")
			in.expectNoFaults(ctx, "web", 2)
			Expect(leads(follower)(Default, ctx)).To(BeFalse())
		})

		DescribeTable("hand over", func(ctx SpecContext, end func(context.Context) error) {
			before := restingVersions(ctx, in)
			Expect(end(ctx)).To(Succeed())
			Eventually(leads(follower)).WithContext(ctx).Should(BeTrue())
			awaitIdle(ctx, follower)
			Expect(versions(in)(ctx)).To(Equal(before))

			in.scale(ctx, "web", 4)
			in.expectNoFaults(ctx, "web", 4)
		},
			Entry("when the leader stops", func(ctx context.Context) error { return leader.Stop(ctx) }),
			Entry("when the leader dies", func(context.Context) error { return leader.Kill() }),
		)
	})
})

// grantLeaderElection lets managers elect their leader in the namespace, as
// `make deploy` does in theirs.
func (in space) grantLeaderElection(ctx context.Context) {
	GinkgoHelper()
	in.applyFile(ctx, filepath.Join("..", "..", "config", "rbac", "leader_election_role.yaml"))
	Expect(api.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: string(in), Name: "leader-election"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "leader-election-role"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: managerUser}},
	})).To(Succeed())
}
