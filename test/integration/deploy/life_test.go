// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// team is the label of the namespace that exclusive pools are for.
const team = "team"

// newNamespace makes a namespace that goes with the spec.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	of := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "life-", Labels: map[string]string{team: "shop"}}}
	Expect(api.Create(ctx, of)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(api.Delete(ctx, of)).To(Succeed())
		Eventually(func(ctx context.Context) bool {
			return apierrors.IsNotFound(api.Get(ctx, client.ObjectKeyFromObject(of), of))
		}).WithContext(ctx).Should(BeTrue(), "the namespace does not go")
	})
	return of.Name
}

func merge(patch string) client.Patch { return client.RawPatch(types.MergePatchType, []byte(patch)) }

func exclusive() servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{
		Exclusive: true, NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{team: "shop"}},
	}
}

// runPod makes a Pod that runs, with an address.
func runPod(ctx context.Context, namespace, name, address string) {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			NodeName: "node-a", Containers: []corev1.Container{{Name: "web", Image: "web"}},
			TerminationGracePeriodSeconds: new(int64(0)), // there is no kubelet to wait for
		},
	}
	Expect(api.Create(ctx, pod)).To(Succeed())
	Expect(api.Status().Patch(ctx, pod, merge(fmt.Sprintf(`{"status":{"phase":"Running","podIP":%q,"podIPs":[{"ip":%q}],
		"conditions":[{"type":"Ready","status":"True"}]}}`, address, address)))).To(Succeed())
}

// listed returns the addresses in the slices of a Service.
func listed(namespace, name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var all discoveryv1.EndpointSliceList
		err := api.List(ctx, &all, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: name})
		var addresses []string
		for i := range all.Items {
			for j := range all.Items[i].Endpoints {
				addresses = append(addresses, all.Items[i].Endpoints[j].Addresses...)
			}
		}
		return addresses, err
	}
}

// gone tells whether an object is not there.
func gone(object client.Object) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(object), object)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}
}

// liveEndpoints has the endpoint controllers do all they do.
func liveEndpoints(ctx context.Context, namespace string) {
	GinkgoHelper()
	runPod(ctx, namespace, "web-0", "10.1.0.1")
	runPod(ctx, namespace, "web-1", "10.1.0.2")
	service := web(namespace, "web")
	Expect(api.Create(ctx, service)).To(Succeed())
	Eventually(listed(namespace, "web")).WithContext(ctx).Should(ConsistOf("10.1.0.1", "10.1.0.2"))
	Expect(api.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web-1"}},
		client.GracePeriodSeconds(0))).To(Succeed())
	Eventually(listed(namespace, "web")).WithContext(ctx).Should(ConsistOf("10.1.0.1"))
	Expect(api.Patch(ctx, service, merge(`{"spec":{"selector":null}}`))).To(Succeed())
	Eventually(listed(namespace, "web")).WithContext(ctx).Should(BeEmpty())
	stale := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"}}
	Eventually(gone(stale)).WithContext(ctx).Should(BeTrue())

	by := web(namespace, "by-hand")
	by.Spec.Selector = nil
	Expect(api.Create(ctx, by)).To(Succeed())
	endpoints := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "by-hand"},
		Subsets: []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{IP: "192.0.2.1"}}, Ports: []corev1.EndpointPort{{Port: 80}},
		}},
	}
	Expect(api.Create(ctx, endpoints)).To(Succeed())
	Eventually(listed(namespace, "by-hand")).WithContext(ctx).Should(ConsistOf("192.0.2.1"))
	Expect(api.Patch(ctx, endpoints, merge(`{"subsets":[{"addresses":[{"ip":"192.0.2.2"}],"ports":[{"port":80}]}]}`))).To(Succeed())
	Eventually(listed(namespace, "by-hand")).WithContext(ctx).Should(ConsistOf("192.0.2.2"))
	Expect(api.Delete(ctx, endpoints)).To(Succeed())
	Eventually(listed(namespace, "by-hand")).WithContext(ctx).Should(BeEmpty())
}

// ports returns what a policy of node ports has in it.
func ports(ctx context.Context) (string, error) {
	var of admissionregistrationv1.ValidatingAdmissionPolicy
	err := api.Get(ctx, client.ObjectKey{Name: "servicenet-nodeport-1"}, &of)
	return fmt.Sprint(of.Spec.Variables), client.IgnoreNotFound(err)
}

// livePools has the controllers of numbers do all they do. A Service of type
// LoadBalancer and a pool of each kind are left.
func livePools(ctx context.Context, namespace string) *corev1.Service {
	GinkgoHelper()
	addresses := &servicenetv1alpha1.ClusterIPPool{
		ObjectMeta: metav1.ObjectMeta{Name: "more"},
		Spec: servicenetv1alpha1.ClusterIPPoolSpec{
			CIDRs: []string{"10.97.0.0/20"}, ServiceCIDR: servicenetv1alpha1.ServiceCIDRManaged, PoolPolicy: exclusive(),
		},
	}
	Expect(api.Create(ctx, addresses.DeepCopy())).To(Succeed())
	Eventually(ownCIDRs).WithContext(ctx).Should(HaveLen(1))
	Expect(api.Delete(ctx, addresses.DeepCopy())).To(Succeed())
	Eventually(ownCIDRs).WithContext(ctx).Should(BeEmpty())
	Expect(api.Create(ctx, addresses)).To(Succeed())
	nodePorts := &servicenetv1alpha1.NodePortPool{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: servicenetv1alpha1.NodePortPoolSpec{
			Ranges: []servicenetv1alpha1.PortRange{{First: 31000, Last: 31099}}, PoolPolicy: exclusive(),
		},
	}
	Expect(api.Create(ctx, nodePorts)).To(Succeed())
	Eventually(ports).WithContext(ctx).ShouldNot(Equal("[]"))
	before, err := ports(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(api.Patch(ctx, nodePorts, merge(`{"spec":{"ranges":[{"first":31000,"last":31199}]}}`))).To(Succeed())
	Eventually(ports).WithContext(ctx).ShouldNot(Equal(before))
	Expect(api.Delete(ctx, nodePorts.DeepCopy())).To(Succeed())
	Eventually(ports).WithContext(ctx).Should(Equal("[]"))
	nodePorts.ResourceVersion = ""
	Expect(api.Create(ctx, nodePorts)).To(Succeed())
	Expect(api.Create(ctx, &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: "public"},
		Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.0/25"}},
	})).To(Succeed())
	return liveBalancers(ctx, namespace)
}

// liveBalancers has Services come and go, and leaves one.
func liveBalancers(ctx context.Context, namespace string) *corev1.Service {
	GinkgoHelper()
	service := web(namespace, "balanced")
	service.Spec.Type, service.Spec.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new(servicenetv1alpha1.LoadBalancerClass)
	Expect(api.Create(ctx, service)).To(Succeed())
	Eventually(balanced(service)).WithContext(ctx).Should(HavePrefix("192.0.2."))
	Expect(api.Create(ctx, web(namespace, "balanced"))).To(MatchError(apierrors.IsAlreadyExists, "already exists"))
	// Twice the same makes a series of an event.
	for _, address := range []string{"192.0.2.10", "192.0.2.11", "192.0.2.10", "192.0.2.11"} {
		Expect(api.Patch(ctx, service, merge(
			`{"metadata":{"annotations":{"servicenet.dev/load-balancer-ips":"`+address+`"}}}`))).To(Succeed())
		Eventually(balanced(service)).WithContext(ctx).Should(Equal(address))
	}
	other := service.DeepCopy()
	other.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: "deleted"}
	other.Spec.ClusterIP, other.Spec.ClusterIPs, other.Spec.Ports[0].NodePort = "", nil, 0
	Expect(api.Create(ctx, other)).To(Succeed())
	Eventually(balanced(other)).WithContext(ctx).Should(HavePrefix("192.0.2."))
	Expect(api.Delete(ctx, other)).To(Succeed())
	Eventually(gone(other)).WithContext(ctx).Should(BeTrue())
	return service
}

// balanced returns the address in the status of a Service.
func balanced(service *corev1.Service) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		is := &corev1.Service{}
		if err := api.Get(ctx, client.ObjectKeyFromObject(service), is); err != nil || len(is.Status.LoadBalancer.Ingress) == 0 {
			return "", err
		}
		return is.Status.LoadBalancer.Ingress[0].IP, nil
	}
}

// ownCIDRs returns the ServiceCIDRs that the manager made.
func ownCIDRs(ctx context.Context) ([]string, error) {
	var all networkingv1.ServiceCIDRList
	err := api.List(ctx, &all, client.MatchingLabels{"app.kubernetes.io/managed-by": "servicenet"})
	var names []string
	for i := range all.Items {
		names = append(names, all.Items[i].Name)
	}
	return names, err
}

// scrape reads the metrics as somebody who may, and as somebody who may not.
func scrape(ctx context.Context, manager *deployed) {
	GinkgoHelper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // it signs itself
	defer transport.CloseIdleConnections()
	status := func(ctx context.Context, token string) (int, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+manager.metricsAddress+"/metrics", http.NoBody)
		if err != nil {
			return 0, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	Expect(status(ctx, "nonsense")).To(BeNumerically(">=", http.StatusBadRequest))
	scraper := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "scraper"}}
	Expect(api.Create(ctx, scraper)).To(Succeed())
	Expect(status(ctx, tokenOf(ctx, "scraper"))).To(Equal(http.StatusForbidden))
	reader := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "reader"}}
	Expect(api.Create(ctx, reader)).To(Succeed())
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "servicenet-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: "reader"}},
	}
	Expect(api.Create(ctx, binding)).To(Succeed())
	DeferCleanup(func(ctx context.Context) error { return api.Delete(ctx, binding) })
	token := tokenOf(ctx, "reader")
	Eventually(func(ctx context.Context) (int, error) { return status(ctx, token) }).WithContext(ctx).Should(Equal(http.StatusOK))
}

// live has a manager do everything that it does. It returns a Service of type
// LoadBalancer that is left.
func live(ctx context.Context, manager *deployed) *corev1.Service {
	GinkgoHelper()
	namespace := newNamespace(ctx)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-a", Labels: map[string]string{corev1.LabelTopologyZone: "a"}}}
	Expect(api.Create(ctx, node)).To(Succeed())
	DeferCleanup(func(ctx context.Context) error { return api.Delete(ctx, node) })
	liveEndpoints(ctx, namespace)
	service := livePools(ctx, namespace)
	scrape(ctx, manager)
	return service
}
