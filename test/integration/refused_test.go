// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
)

// Failures are errors in the log, so the manager is one of its own.
var _ = Describe("Services whose endpoints the API server refuses to store", Serial, func() {
	const services = 60
	var (
		in, other space
		extra     *controlplane.Manager
	)

	BeforeEach(func(ctx SpecContext) {
		in, other = newSpace(ctx), newSpace(ctx)
		stopSharedManager(ctx)
		extra = startExtraManager(ctx, "refused-manager")
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
		other.expose(ctx, "web")
		in.refuseEndpoints(ctx)
		for i := range services {
			Expect(api.Create(ctx, in.newService(fmt.Sprintf("refused-%d", i), "web"))).To(Succeed())
		}
	})

	It("have events that say so, hold nobody up, and are right when it does store them", func(ctx SpecContext) {
		in.setReady(ctx, "web-0", false)
		const cause = "no room for endpoints"
		in.expectEvent(ctx, "web", "FailedToUpdateEndpointSlices", cause)
		in.expectEvent(ctx, "refused-0", "FailedToUpdateEndpointSlices", cause)
		for name, reason := range map[string]string{"web": "FailedToUpdateEndpoint", "refused-0": "FailedToCreateEndpoint"} {
			Eventually(in.events("Endpoints", name)).WithContext(ctx).Should(ContainElement(
				And(HavePrefix("Warning "+reason+": "), ContainSubstring(cause))))
		}

		By("publishing the change of another Service meanwhile")
		other.runPods(ctx, "web", 2)
		other.expectNoFaults(ctx, "web", 2)
		other.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
		Expect(in.currentSlices(ctx, "refused-0")).To(BeEmpty())
		Expect(readMetrics(ctx, Default, extra).with(ofSlices+"syncs", "result", "error")).To(BeNumerically(">", services))

		By("storing them from now on")
		in.acceptEndpoints(ctx)
		in.expectNoFaults(ctx, "web", 2)
		in.expectSubsets(ctx, "web", "http:8080: web-1, not ready: web-0")
		for i := range services {
			name := fmt.Sprintf("refused-%d", i)
			in.expectNoFaults(ctx, name, 2)
			in.expectSubsets(ctx, name, "http:8080: web-1, not ready: web-0")
		}
	})
})

// refuseEndpoints makes the API server refuse every write of slices and Endpoints
// in the namespace, until acceptEndpoints or the end of the spec.
func (in space) refuseEndpoints(ctx context.Context) {
	GinkgoHelper()
	name := "refuse-" + string(in)
	resources := func(group, version, resource string) admissionregistrationv1.NamedRuleWithOperations {
		return admissionregistrationv1.NamedRuleWithOperations{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
			Rule: admissionregistrationv1.Rule{
				APIGroups: []string{group}, APIVersions: []string{version}, Resources: []string{resource},
			},
		}}
	}
	Expect(api.Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{
				resources("", "v1", "endpoints"), resources("discovery.k8s.io", "v1", "endpointslices"),
			}},
			Validations: []admissionregistrationv1.Validation{{Expression: "false", Message: "no room for endpoints"}},
		},
	})).To(Succeed())
	Expect(api.Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        name,
			ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
			MatchResources: &admissionregistrationv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{
				MatchLabels: map[string]string{corev1.LabelMetadataName: string(in)},
			}},
		},
	})).To(Succeed())
	DeferCleanup(in.acceptEndpoints)
	Eventually(in.tryEndpoints).WithContext(ctx).Should(MatchError(apierrors.IsInvalid, "refused"))
}

// acceptEndpoints ends what refuseEndpoints began.
func (in space) acceptEndpoints(ctx context.Context) {
	GinkgoHelper()
	name := metav1.ObjectMeta{Name: "refuse-" + string(in)}
	for _, object := range []client.Object{
		&admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name},
		&admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: name},
	} {
		Expect(client.IgnoreNotFound(api.Delete(ctx, object))).To(Succeed())
	}
}

// tryEndpoints tells whether the API server would store a slice.
func (in space) tryEndpoints(ctx context.Context) error {
	return api.Create(ctx, &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: string(in), Name: "try"}, AddressType: discoveryv1.AddressTypeIPv4,
	}, client.DryRunAll)
}
