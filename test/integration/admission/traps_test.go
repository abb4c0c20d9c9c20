// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/test/badinput"
	"servicenet.dev/servicenet/test/integration/hooked"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// answer is what the API server sends, as the network has it: clients come again by
// themselves after some.
type answer struct {
	metav1.Status
	// retryAfter is the header.
	retryAfter string
}

// post creates a Service without a client in between.
func post(ctx context.Context, service *corev1.Service) answer {
	GinkgoHelper()
	config := dual.Plane.RESTConfig()
	sender, err := rest.HTTPClientFor(config)
	Expect(err).NotTo(HaveOccurred())
	content, err := json.Marshal(service)
	Expect(err).NotTo(HaveOccurred())
	url := fmt.Sprintf("%s/api/v1/namespaces/%s/services", config.Host, service.Namespace)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(content))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json")
	response, err := sender.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	got := answer{retryAfter: response.Header.Get("Retry-After")}
	if response.StatusCode == http.StatusCreated {
		got.Code = http.StatusCreated
		return got
	}
	Expect(json.NewDecoder(response.Body).Decode(&got.Status)).To(Succeed())
	return got
}

// allocations returns how often the API server took an address that a Service names
// (static), and how often it chose one itself (dynamic).
func allocations(ctx context.Context, scope string) float64 {
	GinkgoHelper()
	config := dual.Plane.RESTConfig()
	reader, err := rest.HTTPClientFor(config)
	Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+"/metrics", http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	response, err := reader.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	var sum float64
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if strings.HasPrefix(name, "kube_apiserver_clusterip_allocator_allocation_total{") && strings.Contains(name, `scope="`+scope+`"`) {
			var count float64
			_, err := fmt.Sscan(value, &count)
			Expect(err).NotTo(HaveOccurred())
			sum += count
		}
	}
	return sum
}

// youngPool makes a pool with a ServiceCIDR of its own, for a namespace of its own.
func youngPool(ctx context.Context, name, cidr string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: badinput.NamespaceLabels(name)}}
	Expect(dual.API.Create(ctx, namespace)).To(Succeed())
	pool := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	pool.Spec.CIDRs, pool.Spec.ServiceCIDR = []string{cidr}, servicenetv1alpha1.ServiceCIDRManaged
	pool.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: badinput.NamespaceLabels(name)}
	Expect(dual.API.Create(ctx, pool)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(dual.Around.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(name))).To(Succeed())
		Expect(dual.API.Delete(ctx, pool)).To(Succeed())
	})
}

var _ = Describe("What is special about webhooks", Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		manager := dual.StartManager(ctx, "traps")
		dual.Route(ctx, manager.WebhookURL)
	}, NodeTimeout(numbers.StartTimeout))

	AfterEach(func(ctx SpecContext) { dual.Clear(ctx) })

	It("numbers are given for what a later webhook makes of a Service (trap 5)", func(ctx SpecContext) {
		later := hooked.StartLater(ctx, dual, nil,
			`[{"op":"replace","path":"/spec/type","value":"NodePort"},
			{"op":"add","path":"/spec/ports/-","value":{"name":"metrics","port":9090}}]`)
		service := badinput.Make("shop", "web", clusterIP)
		service.Labels = later.Labels()
		Expect(dual.API.Create(ctx, service)).To(Succeed())
		expectPooled(service)
		Expect(service.Spec.Type).To(Equal(nodePort))
		Expect(service.Spec.Ports).To(HaveLen(2))
		for i := range service.Spec.Ports {
			Expect(service.Spec.Ports[i].NodePort).To(And(BeNumerically(">=", 30500), BeNumerically("<=", 30509)))
		}
		Eventually(dual.Unknown).WithArguments(service).WithContext(ctx).Should(BeEmpty())

		By("with a name that is yet to be generated, too")
		nameless := bare("", clusterIP, "") // the pool has few ports
		nameless.GenerateName, nameless.Labels = "web-", later.Labels()
		Expect(dual.API.Create(ctx, nameless)).To(Succeed())
		Expect(nameless.Spec.Ports).To(HaveEach(HaveField("NodePort", Not(BeZero()))))
	})

	It("addresses of a ServiceCIDR that is new are given when every API server knows it, and not refused before (trap 7)",
		func(ctx SpecContext) {
			youngPool(ctx, "young", "10.200.0.0/24")
			service := badinput.Make("young", "web", clusterIP)
			var got answer
			Eventually(func(ctx context.Context) int32 { // until the manager has seen the pool
				Expect(client.IgnoreNotFound(dual.API.Delete(ctx, service.DeepCopy()))).To(Succeed())
				got = post(ctx, service)
				return got.Code
			}).WithContext(ctx).Should(BeEquivalentTo(http.StatusServiceUnavailable))
			Expect(got.Message).To(ContainSubstring("in a ServiceCIDR that has not been ready for 10s"))
			Expect(dual.API.Create(ctx, service)).To(Succeed(), "a client comes again by itself")
			Expect(service.Spec.ClusterIP).To(HavePrefix("10.200.0."))
		})

	It("addresses of objects that are no Services are nobody's (trap 7)", func(ctx SpecContext) {
		parked := &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: "10.96.5.70"}}
		parked.Spec.ParentRef = &networkingv1.ParentReference{Group: "example.com", Resource: "parks", Name: "here"}
		Expect(dual.API.Create(ctx, parked)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(dual.API.Delete(ctx, parked)).To(Succeed()) })
		got := hooked.StatusOf(dual.API.Create(ctx, badinput.Make("shop", "web", clusterIP, badinput.Singular("10.96.5.70"))))
		Expect(got.Code).To(BeEquivalentTo(http.StatusUnprocessableEntity))
		Expect(got.Details.Causes).To(ConsistOf(HaveField("Message", ContainSubstring("used by an object that is no Service"))))
	})

	It("a refusal keeps its code, reason and causes, and trouble its time to come again (trap 12)", func(ctx SpecContext) {
		refused := post(ctx, badinput.Make("shop", "web", nodePort, badinput.Singular("10.97.0.1"), badinput.HTTP(30080)))
		Expect(refused.Code).To(BeEquivalentTo(http.StatusUnprocessableEntity))
		Expect(refused.Reason).To(Equal(metav1.StatusReasonInvalid))
		Expect(refused.Details.Causes).To(HaveLen(2))
		Expect(refused.Message).To(HavePrefix(`admission webhook "mutate.services.servicenet.dev" denied the request: Service "web" is invalid`))
		Expect(refused.retryAfter).To(BeEmpty())

		youngPool(ctx, "younger", "10.201.0.0/24")
		service := badinput.Make("younger", "web", clusterIP)
		var postponed answer
		Eventually(func(ctx context.Context) int32 {
			Expect(client.IgnoreNotFound(dual.API.Delete(ctx, service.DeepCopy()))).To(Succeed())
			postponed = post(ctx, service)
			return postponed.Code
		}).WithContext(ctx).Should(BeEquivalentTo(http.StatusServiceUnavailable))
		Expect(postponed.Reason).To(Equal(metav1.StatusReasonServiceUnavailable))
		Expect(postponed.Details.RetryAfterSeconds).To(And(BeNumerically(">", 0), BeNumerically("<=", 10)))
		Expect(postponed.retryAfter).To(Equal(strconv.Itoa(int(postponed.Details.RetryAfterSeconds))))
	})

	It("what is given is nobody's field: who applies a Service goes on doing so (trap 12)", func(ctx SpecContext) {
		apply := func(owner, content string) *corev1.Service {
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
			Expect(dual.API.Patch(ctx, service, client.RawPatch(apitypes.ApplyPatchType, []byte(content)), client.FieldOwner(owner))).To(Succeed())
			return service
		}
		const mine = `{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"type":"NodePort","ports":[{"port":80}]}}`
		first := apply("somebody", mine)
		for i := range first.ManagedFields {
			Expect(first.ManagedFields[i].Manager).To(Equal("somebody"))
			Expect(first.ManagedFields[i].FieldsV1.GetRawString()).NotTo(Or(ContainSubstring("f:clusterIP"), ContainSubstring("f:nodePort")))
		}
		Expect(apply("somebody", mine).Spec).To(Equal(first.Spec))
		named := apply("another", fmt.Sprintf(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"clusterIP":%q}}`, first.Spec.ClusterIP))
		Expect(named.Spec).To(Equal(first.Spec))
		Expect(apply("somebody", mine).Spec).To(Equal(first.Spec))
	})

	It("the API server searches for none itself (trap 13)", func(ctx SpecContext) {
		const services = 20
		static, dynamic := allocations(ctx, "static"), allocations(ctx, "dynamic")
		for i := range services {
			Expect(dual.API.Create(ctx, bare(fmt.Sprint("web-", i), clusterIP, ""))).To(Succeed())
		}
		Expect(allocations(ctx, "static") - static).To(BeEquivalentTo(services))
		Expect(allocations(ctx, "dynamic")).To(Equal(dynamic))
	})
})
