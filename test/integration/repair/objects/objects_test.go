// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// patience is how long the API server may take until it is told that it did not act,
// and as long again as that takes.
const patience = 2*time.Minute + numbers.Patience

// Addresses of both families.
const (
	lost4, lost6     = "10.96.3.7", "fd00:10:96::307"
	misled4, misled6 = "10.96.3.9", "fd00:10:96::309"
	other4, other6   = "10.96.3.8", "fd00:10:96::308"
	wrong4, wrong6   = "10.96.4.8", "fd00:10:96::408"
	stray4, stray6   = "10.96.5.9", "fd00:10:96::509"
)

var _ = Describe("IPAddress objects", func() {
	var in numbers.Space
	BeforeEach(func(ctx SpecContext) {
		in = dual.NewSpace(ctx, nil)
		DeferCleanup(dual.ForgetEvents)
		expose(ctx, in, "lost", lost4, lost6)
		expose(ctx, in, "misled", misled4, misled6)
		expose(ctx, in, "other", other4, other6)
		dual.StartManager(ctx, "looking", "--repair-interval=2s")
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())
	})

	It("are left to the API server, which repairs them", func(ctx SpecContext) {
		Expect(dual.API.Delete(ctx, &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: lost4}})).To(Succeed())
		// It looks at a Service when that changes, and now and then.
		service := in.New("lost", corev1.ServiceTypeClusterIP, "")
		touch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"touched":"yes"}}}`))
		Expect(dual.API.Patch(ctx, service, touch)).To(Succeed())
		Eventually(func(ctx context.Context) (string, error) {
			object := &networkingv1.IPAddress{}
			err := dual.API.Get(ctx, client.ObjectKey{Name: lost4}, object)
			if err != nil || object.Spec.ParentRef == nil {
				return "", client.IgnoreNotFound(err)
			}
			return object.Spec.ParentRef.Name, nil
		}).WithContext(ctx).Should(Equal("lost"))
		Expect(dual.Events(ctx)).To(BeEmpty())
		Expect(dual.Contradictions(ctx)).To(BeEmpty())
	})

	It("are told of once the API server has not repaired them for two minutes", func(ctx SpecContext) {
		forbid(ctx)
		for _, name := range []string{lost4, lost6, misled4, misled6} {
			Expect(dual.API.Delete(ctx, &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
		}
		makeObjects(ctx, in)
		Eventually(dual.Events).WithContext(ctx).WithTimeout(patience).WithPolling(time.Second).Should(ConsistOf(
			"ClusterIPNotAllocated Service lost", "ClusterIPNotAllocated Service misled",
			"IPAddressNotAllocated IPAddress "+stray4, "IPAddressNotAllocated IPAddress "+stray6,
			"IPAddressNotAllocated IPAddress "+misled4, "IPAddressNotAllocated IPAddress "+misled6,
			"IPAddressWrongReference IPAddress "+wrong4, "IPAddressWrongReference IPAddress "+wrong6,
		))
		Expect(dual.Contradictions(ctx)).To(BeEmpty())
	})
})

func expose(ctx context.Context, in numbers.Space, name string, addresses ...string) {
	GinkgoHelper()
	service := in.New(name, corev1.ServiceTypeClusterIP, addresses[0])
	service.Spec.ClusterIPs = addresses
	service.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
	Expect(dual.API.Create(ctx, service)).To(Succeed())
}

// makeObjects makes IPAddress objects as the API server makes them, of Services that
// do not exist, or have other addresses.
func makeObjects(ctx context.Context, in numbers.Space) {
	GinkgoHelper()
	for name, service := range map[string]string{
		stray4: "nobody", stray6: "nobody", misled4: "nobody", misled6: "nobody", wrong4: "other", wrong6: "other",
	} {
		family := corev1.IPv4Protocol
		if strings.Contains(name, ":") {
			family = corev1.IPv6Protocol
		}
		Expect(dual.API.Create(ctx, &networkingv1.IPAddress{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
				networkingv1.LabelManagedBy: "ipallocator.k8s.io", networkingv1.LabelIPAddressFamily: string(family),
			}},
			Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{
				Resource: "services", Namespace: in.Name, Name: service,
			}},
		})).To(Succeed())
	}
}

// forbid keeps the API server from making and deleting IPAddress objects itself
// until the spec ends.
func forbid(ctx context.Context) {
	GinkgoHelper()
	own := "request.userInfo.username != 'system:apiserver'"
	remove := numbers.Refuse(ctx, dual.API, "objects", own, admissionregistrationv1.Rule{
		APIGroups: []string{networkingv1.GroupName}, APIVersions: []string{"*"}, Resources: []string{"ipaddresses"},
	})
	DeferCleanup(remove)
	Eventually(makeAsServer).WithContext(ctx).Should(Satisfy(apierrors.IsInvalid))
}

// makeAsServer makes an IPAddress object as the API server itself does, in a dry run.
func makeAsServer(ctx context.Context) error {
	config := dual.Plane.RESTConfig()
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:apiserver", Groups: []string{controlplane.AdminGroup}}
	server, err := client.New(config, client.Options{Scheme: dual.API.Scheme()})
	if err != nil {
		return err
	}
	return server.Create(ctx, &networkingv1.IPAddress{
		ObjectMeta: metav1.ObjectMeta{Name: "10.96.9.9"},
		Spec:       networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: "namespaces", Name: "default"}},
	}, client.DryRunAll)
}
