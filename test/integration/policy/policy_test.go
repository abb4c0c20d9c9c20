// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/policy"
	"servicenet.dev/servicenet/internal/pool"
)

// refused tells how the API server refuses an object: code, reason, and message. A
// policy is obeyed some time after it was written.
func refused(of client.Object) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		attempt, ok := of.DeepCopyObject().(client.Object)
		if !ok {
			return "", fmt.Errorf("%T is no object", of)
		}
		err := api.Create(ctx, attempt)
		if err == nil {
			return "", api.Delete(ctx, attempt)
		}
		status, ok := err.(apierrors.APIStatus)
		if !ok {
			return "", err
		}
		return fmt.Sprintf("%d %s: %s", status.Status().Code, status.Status().Reason, status.Status().Message), nil
	}
}

func named(names ...string) []string { return names }

var _ = Describe("While no manager runs", func() {
	It("numbers of exclusive pools go to nobody but whom they are for", func(ctx SpecContext) {
		shop, other := newNamespace(ctx, "shop"), newNamespace(ctx, "other")
		manager := startManager(ctx)
		before := service(other, "before", "10.96.5.9", 31009)
		Expect(api.Create(ctx, before)).To(Succeed())
		Expect(api.Create(ctx, addressPool("shop", "shop", "10.96.5.0/24", "fd00:10:96::5:0/120"))).To(Succeed())
		Expect(api.Create(ctx, portPool("shop", "shop", 31000, 31099))).To(Succeed())
		Eventually(policies).WithContext(ctx).Should(ConsistOf(
			"servicenet-clusterip-1", "servicenet-nodeport-1", "servicenet-nodeport-range"))
		Expect(manager.Stop(ctx)).To(Succeed())

		Eventually(refused(service(other, "web", "10.96.5.1", 0))).WithContext(ctx).Should(And(
			HavePrefix(fmt.Sprintf("%d Invalid: ", http.StatusUnprocessableEntity)),
			ContainSubstring("10.96.5.1 belongs to a pool that does not serve this Service")))
		Eventually(refused(service(other, "web", "", 31000))).WithContext(ctx).Should(And(
			HavePrefix("422 Invalid: "), ContainSubstring("node port 31000 belongs to a pool that does not serve this Service")))
		Eventually(refused(service("kube-system", "web", "10.96.5.1", 0))).WithContext(ctx).Should(HavePrefix("422 Invalid: "))
		Expect(refused(service(other, "web", "10.96.6.1", 32000))(ctx)).To(BeEmpty())

		By("its own namespace gets them")
		Expect(api.Create(ctx, service(shop, "web", "10.96.5.1", 31000))).To(Succeed())

		By("a Service that had some before keeps them, whatever else becomes of it")
		before.Labels, before.Spec.Ports[0].Port = map[string]string{"a": "b"}, 81
		Expect(api.Update(ctx, before)).To(Succeed())
		taking := before.DeepCopy()
		taking.Spec.Ports = append(taking.Spec.Ports, corev1.ServicePort{Name: "more", Port: 90, NodePort: 31001})
		taking.Spec.Ports[0].Name = "first"
		Expect(apierrors.IsInvalid(api.Update(ctx, taking))).To(BeTrue())

		By("a Service that is being deleted can let go of its finalizer")
		before.Finalizers = []string{"example.com/wait"}
		Expect(api.Update(ctx, before)).To(Succeed())
		Expect(api.Delete(ctx, before)).To(Succeed())
		Expect(api.Get(ctx, client.ObjectKeyFromObject(before), before)).To(Succeed())
		before.Finalizers = nil
		Expect(api.Update(ctx, before)).To(Succeed())

		By("dry runs, in which numbers are made up, are left alone")
		Expect(api.Create(ctx, service(other, "dry", "10.96.5.77", 0), client.DryRunAll)).To(Succeed())
	})
})

var _ = Describe("The policies", func() {
	It("follow the pools, come back, and go with them", func(ctx SpecContext) {
		newNamespace(ctx, "shop")
		startManager(ctx)
		of := addressPool("shop", "shop", "10.96.5.0/24")
		Expect(api.Create(ctx, of)).To(Succeed())
		Eventually(policies).WithContext(ctx).Should(Equal(named("servicenet-clusterip-1")))

		By("after somebody deletes one, or the binding, or changes it, or takes its label")
		meta := metav1.ObjectMeta{Name: "servicenet-clusterip-1"}
		Expect(api.Delete(ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: meta})).To(Succeed())
		Eventually(policies).WithContext(ctx).Should(Equal(named("servicenet-clusterip-1")))
		Expect(api.Delete(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: meta})).To(Succeed())
		Eventually(policies).WithContext(ctx).Should(Equal(named("servicenet-clusterip-1")))
		for _, patch := range []string{
			`{"spec":{"failurePolicy":"Ignore"}}`, `{"metadata":{"labels":null},"spec":{"validations":[{"expression":"true"}]}}`,
		} {
			there := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: meta}
			Expect(api.Get(ctx, client.ObjectKeyFromObject(there), there)).To(Succeed())
			whole := there.Spec
			Expect(api.Patch(ctx, there, client.RawPatch("application/merge-patch+json", []byte(patch)))).To(Succeed())
			Eventually(func(ctx context.Context) (admissionregistrationv1.ValidatingAdmissionPolicySpec, error) {
				err := api.Get(ctx, client.ObjectKeyFromObject(there), there)
				return there.Spec, err
			}).WithContext(ctx).Should(Equal(whole))
		}

		By("writing nothing while all agrees")
		versions := func(ctx context.Context) ([]string, error) {
			var all admissionregistrationv1.ValidatingAdmissionPolicyList
			err := api.List(ctx, &all)
			var found []string
			for i := range all.Items {
				found = append(found, fmt.Sprint(all.Items[i].Name, all.Items[i].Generation, all.Items[i].UID))
			}
			return found, err
		}
		Eventually(policies).WithContext(ctx).Should(Equal(named("servicenet-clusterip-1")))
		rest, err := versions(ctx)
		Expect(err).NotTo(HaveOccurred())
		Consistently(versions).WithContext(ctx).Should(Equal(rest))

		By("with another team")
		other := newNamespace(ctx, "other")
		before := of.DeepCopy()
		of.Spec.PoolPolicy = exclusive("other")
		Expect(api.Patch(ctx, of, client.MergeFrom(before))).To(Succeed())
		Eventually(refused(service(other, "web", "10.96.5.1", 0))).WithContext(ctx).Should(BeEmpty())

		By("without the pool")
		Expect(api.Delete(ctx, of)).To(Succeed())
		Eventually(policies).WithContext(ctx).Should(BeEmpty())
	})

	It("are removed where they are not wanted, and nobody else's", func(ctx SpecContext) {
		newNamespace(ctx, "shop")
		manager := startManager(ctx)
		Expect(api.Create(ctx, addressPool("shop", "shop", "10.96.5.0/24"))).To(Succeed())
		Eventually(policies).WithContext(ctx).Should(Equal(named("servicenet-clusterip-1")))
		Expect(manager.Stop(ctx)).To(Succeed())
		theirs := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "theirs", Labels: map[string]string{"app.kubernetes.io/managed-by": "servicenet"}},
			Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
				PolicyName: "none", ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
			},
		}
		Expect(api.Create(ctx, theirs)).To(Succeed())

		startManager(ctx, "--admission-policy=false")
		Eventually(policies).WithContext(ctx).Should(BeEmpty())
		Expect(api.Get(ctx, client.ObjectKeyFromObject(theirs), theirs)).To(Succeed())
	})

	It("are accepted and obeyed when they are as large as they get", func(ctx SpecContext) {
		other := newNamespace(ctx, "other")
		address := func(i, more int) string { return fmt.Sprintf("10.%d.%d.%d", 96+i/16384, i/64%256, i%64*4+more) }
		name := func(i int) string { return fmt.Sprintf("team-%05d", i) }
		var compiled []*pool.ClusterIPPool
		for i := range 20000 {
			compiled = append(compiled, pool.CompileClusterIPPool(
				addressPool(name(i), name(i), address(i, 0)+"/30", fmt.Sprintf("fd00:10:96::%x:0/120", i+1))))
		}
		set := policy.ForClusterIPs(pool.NewClusterIPs(compiled, nil, time.Now(), nil))
		Expect(set.Left).NotTo(BeEmpty(), "there is room left")
		for i := range set.Policies {
			Expect(api.Create(ctx, set.Policies[i])).To(Succeed())
			Expect(api.Create(ctx, set.Bindings[i])).To(Succeed())
		}
		Eventually(policies).WithContext(ctx).Should(HaveLen(len(set.Policies)))
		last := 16383
		for slices.Contains(set.Left, name(last)) {
			last--
		}
		for _, i := range []int{1, last} {
			Eventually(refused(service(other, "web", address(i, 1), 0))).WithContext(ctx).Should(And(
				HavePrefix("422 Invalid: "), ContainSubstring("belongs to a pool that does not serve this Service")))
		}
		AddReportEntry("pools in the policies", 20000-len(set.Left))
	})

	It("hold what a thousand pools keep to themselves", func(ctx SpecContext) {
		for i := range 1000 {
			team := fmt.Sprintf("team-%04d", i)
			Expect(api.Create(ctx, addressPool(team, team, fmt.Sprintf("10.%d.%d.0/24", 100+i/256, i%256),
				fmt.Sprintf("fd00:%x::/112", i+1)))).To(Succeed())
			Expect(api.Create(ctx, portPool(team, team, 30001+int32(i)*2, 30002+int32(i)*2))).To(Succeed())
		}
		last, other := newNamespace(ctx, "team-0999"), newNamespace(ctx, "other")
		manager := startManager(ctx)
		Eventually(policies).WithContext(ctx).Should(ConsistOf(
			"servicenet-clusterip-1", "servicenet-nodeport-1", "servicenet-nodeport-range"))
		Expect(manager.Stop(ctx)).To(Succeed())
		Eventually(refused(service(other, "web", "", 31999))).WithContext(ctx).Should(HavePrefix("422 Invalid: "))
		Expect(refused(service(last, "web", "", 31999))(ctx)).To(BeEmpty())
	})
})
