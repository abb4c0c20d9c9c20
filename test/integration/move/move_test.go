// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package move

import (
	"context"
	"net/netip"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// served is a Service that MetalLB gave addresses.
type served struct {
	namespace, name string
	annotations     map[string]string
	port            int32
	dual            bool
	asks            string // spec.loadBalancerIP
	addresses       string
}

func (s *served) key() string { return s.namespace + "/" + s.name }

// services are all, in all ways to get an address.
func services() []served {
	shared := map[string]string{"metallb.universe.tf/allow-shared-ip": "the door's"}
	return []served{
		{namespace: "shop", name: "plain", port: 80, addresses: "198.51.100.12"},
		{namespace: "shop", name: "from-the-next-pool", port: 80, addresses: "192.0.2.9"},
		{namespace: "lab", name: "both", port: 80, dual: true, addresses: "192.0.2.3 2001:db8::3"},
		{namespace: "lab", name: "named-pool", port: 80, addresses: "203.0.113.4",
			annotations: map[string]string{"metallb.io/address-pool": "request"}},
		{namespace: "lab", name: "named-address", port: 80, addresses: "203.0.113.5",
			annotations: map[string]string{"metallb.io/loadBalancerIPs": "203.0.113.5"}},
		{namespace: "lab", name: "named-in-spec", port: 80, asks: "192.0.2.5", addresses: "192.0.2.5"},
		{namespace: "lab", name: "shared", port: 53, annotations: shared, addresses: "192.0.2.7"},
		{namespace: "lab", name: "shared-too", port: 54, annotations: shared, addresses: "192.0.2.7"},
		{namespace: "shop", name: "shared-across", port: 55, annotations: shared, addresses: "192.0.2.7"},
	}
}

// serve makes a Service as MetalLB leaves it.
func serve(ctx context.Context, of *served) {
	GinkgoHelper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: of.namespace, Name: of.name, Annotations: of.annotations},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, LoadBalancerIP: of.asks, Ports: []corev1.ServicePort{{Port: of.port}},
		},
	}
	if of.dual {
		service.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
	}
	Expect(dual.API.Create(ctx, service)).To(Succeed())
	for address := range strings.FieldsSeq(of.addresses) {
		service.Status.LoadBalancer.Ingress = append(service.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: address})
	}
	if of.addresses != "" {
		Expect(dual.API.Status().Update(ctx, service)).To(Succeed())
	}
}

// addresses returns those in the status of a Service, in their order.
func addresses(service *corev1.Service) string {
	var all []string
	for i := range service.Status.LoadBalancer.Ingress {
		all = append(all, service.Status.LoadBalancer.Ingress[i].IP)
	}
	return strings.Join(all, " ")
}

// unsettled returns the Services that the manager has not said of that they have what
// they ask for.
func unsettled(ctx context.Context) ([]string, error) {
	var all corev1.ServiceList
	if err := dual.API.List(ctx, &all); err != nil {
		return nil, err
	}
	var found []string
	for i := range all.Items {
		service := &all.Items[i]
		allocated := apimeta.IsStatusConditionTrue(service.Status.Conditions, servicenetv1alpha1.ConditionAddressAllocated)
		if service.Spec.Type == corev1.ServiceTypeLoadBalancer && !allocated {
			found = append(found, service.Namespace+"/"+service.Name)
		}
	}
	return found, nil
}

// observe notes the addresses that Services show from now on, each list once, until the
// function that it returns is called.
func observe(ctx context.Context) (end func() map[string][]string) {
	GinkgoHelper()
	watching, err := client.NewWithWatch(dual.Plane.RESTConfig(), client.Options{Scheme: dual.API.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	events, err := watching.Watch(ctx, &corev1.ServiceList{})
	Expect(err).NotTo(HaveOccurred())
	seen, done := map[string][]string{}, make(chan struct{})
	go func() {
		defer close(done)
		for event := range events.ResultChan() {
			service, is := event.Object.(*corev1.Service)
			if !is || service.Spec.Type != corev1.ServiceTypeLoadBalancer || event.Type == watch.Bookmark {
				continue
			}
			key, shows := service.Namespace+"/"+service.Name, addresses(service)
			if list := seen[key]; len(list) == 0 || list[len(list)-1] != shows {
				seen[key] = append(list, shows)
			}
		}
	}()
	return func() map[string][]string {
		events.Stop()
		<-done
		return seen
	}
}

// giveBack is what docs/moving-from-metallb.md says for the way back.
const giveBack = `kubectl get services -A -o go-template='{{range $s := .items}}{{range $i, $f := .metadata.finalizers}}` +
	`{{if eq $f "servicenet.dev/load-balancer-cleanup"}}{{$s.metadata.namespace}} {{$s.metadata.name}} {{$i}}{{"\n"}}{{end}}{{end}}{{end}}' |
while read -r namespace name i; do
  kubectl patch service -n "$namespace" "$name" --type=json -p '[
    {"op": "test", "path": "/metadata/finalizers/'"$i"'", "value": "servicenet.dev/load-balancer-cleanup"},
    {"op": "remove", "path": "/metadata/finalizers/'"$i"'"}]'
done`

var _ = Describe("A cluster of MetalLB", func() {
	It("is taken over, and handed back, while no Service ever shows another address", func(ctx SpecContext) {
		here, err := filepath.Abs("testdata")
		Expect(err).NotTo(HaveOccurred())
		for _, name := range []string{"metallb-system", "shop", "lab"} {
			Expect(dual.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
		}
		shell(ctx, "kubectl apply -f "+here+"/ipaddresspools.yaml; kubectl wait --for=condition=Established crd/ipaddresspools.metallb.io")
		Eventually(func() error { return dual.Plane.Apply(ctx, filepath.Join(here, "pools.yaml")) }).WithContext(ctx).Should(Succeed())
		all := services()
		for i := range all {
			serve(ctx, &all[i])
		}
		seen := observe(ctx)

		By("converting what there is")
		shell(ctx, "manager convert metallb > pools.yaml; manager convert metallb -o commands > edits.sh")
		shell(ctx, "bash -e edits.sh; kubectl apply -f pools.yaml")

		By("starting the manager")
		manager := dual.StartManager(ctx, "mover", "--controllers=loadbalancer", "--load-balancer-default", "--repair-interval=1s")
		Eventually(unsettled).WithContext(ctx).Should(BeEmpty())
		Consistently(unsettled).WithContext(ctx).Should(BeEmpty())

		By("making Services, one in each namespace")
		pools := map[string]string{"shop": "198.51.100.8/29", "lab": "192.0.2.0/28"}
		for namespace := range pools {
			serve(ctx, &served{namespace: namespace, name: "new", port: 80})
		}
		Eventually(unsettled).WithContext(ctx).Should(BeEmpty())
		Eventually(func() string { return shell(ctx, "kubectl get lbpool --no-headers | awk '{print $1, $3}'") }).
			WithContext(ctx).Should(Equal("public 5/1\nrequest 2\nshop 2\n"))

		By("handing them back")
		Expect(manager.Stop(ctx)).To(Succeed())
		shell(ctx, giveBack)
		shell(ctx, "kubectl delete lbpool --all")
		var last corev1.ServiceList
		Expect(dual.API.List(ctx, &last)).To(Succeed())
		for i := range last.Items {
			Expect(last.Items[i].Finalizers).To(BeEmpty())
		}
		shown := seen()
		for i := range all {
			Expect(shown).To(HaveKeyWithValue(all[i].key(), []string{all[i].addresses}))
		}
		taken := map[string]bool{}
		for _, of := range all {
			taken[of.addresses] = true
		}
		for namespace, pool := range pools {
			got := shown[namespace+"/new"]
			Expect(got).To(HaveLen(2), "none, and then one")
			Expect(taken).NotTo(HaveKey(got[1]))
			Expect(netip.MustParsePrefix(pool).Contains(netip.MustParseAddr(got[1]))).To(BeTrue(), got[1])
		}
	})
})
