// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package loadbalancer tests the controller of load balancers with the manager as a
// program on a real etcd and kube-apiserver.
package loadbalancer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// dual is the control plane that all specs share.
var dual *numbers.Server

func TestLoadBalancer(t *testing.T) { numbers.Run(t, "LoadBalancer") }

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = numbers.Start(ctx, controlplane.DefaultServiceClusterIPRange)
}, NodeTimeout(numbers.StartTimeout))

var _ = BeforeEach(func() { dual.AbortIfDead() })

// space is a namespace and what is done with load balancers in it.
type space struct {
	numbers.Space
}

// newSpace makes a namespace, from which all is gone at the end of the spec, with what
// pools gave. Managers that the spec started before still run then.
func newSpace(ctx context.Context, labels map[string]string) space {
	GinkgoHelper()
	return space{dual.NewSpace(ctx, labels)}
}

// start starts a manager of numbers and load balancers. When the spec ends it gives back
// what Services have.
func (in space) start(ctx context.Context, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	manager := dual.StartManager(ctx, name, append([]string{"--controllers=loadbalancer", "--repair-interval=2s"}, args...)...)
	DeferCleanup(in.empty)
	return manager
}

// empty deletes all Services and waits until they are gone, with their addresses, and
// then all pools.
func (in space) empty(ctx context.Context) {
	GinkgoHelper()
	in.RemoveAll(ctx)
	Eventually(in.count).WithContext(ctx).Should(BeZero())
	Eventually(tenancies).WithContext(ctx).Should(BeEmpty())
	Expect(dual.API.DeleteAllOf(ctx, &servicenetv1alpha1.LoadBalancerPool{})).To(Succeed())
	var nodes corev1.NodeList
	Expect(dual.API.List(ctx, &nodes)).To(Succeed())
	for i := range nodes.Items {
		Expect(dual.API.Delete(ctx, &nodes.Items[i])).To(Succeed())
	}
}

func (in space) count(ctx context.Context) (int, error) {
	var all corev1.ServiceList
	err := dual.API.List(ctx, &all, client.InNamespace(in.Name))
	return len(all.Items), err
}

// tenancies returns who has which address by the ledger: address, namespace and name.
func tenancies(ctx context.Context) ([]string, error) {
	var blocks servicenetv1alpha1.AllocationBlockList
	if err := dual.API.List(ctx, &blocks); err != nil {
		return nil, err
	}
	var found []string
	for i := range blocks.Items {
		key, err := ledger.ParseKey(blocks.Items[i].Family, blocks.Items[i].First)
		if err != nil {
			return nil, err
		}
		block, err := ledger.Decode(blocks.Items[i].Data)
		if err != nil {
			return nil, err
		}
		for number, tenant := range block.AllTenants() {
			found = append(found, fmt.Sprint(ledger.Place{Key: key, Number: number}, " ", tenant.Service))
		}
	}
	return found, nil
}

// pool makes a pool of some addresses, changed in some ways.
func makePool(ctx context.Context, name, addresses string, changes ...func(*servicenetv1alpha1.LoadBalancerPoolSpec)) {
	GinkgoHelper()
	of := &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	of.Spec.Addresses = strings.Fields(addresses)
	for _, change := range changes {
		change(&of.Spec)
	}
	Expect(dual.API.Create(ctx, of)).To(Succeed())
}

// editPool changes one.
func editPool(ctx context.Context, name string, change func(*servicenetv1alpha1.LoadBalancerPoolSpec)) {
	GinkgoHelper()
	of := &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(of), of)).To(Succeed())
	before := of.DeepCopy()
	change(&of.Spec)
	Expect(dual.API.Patch(ctx, of, client.MergeFrom(before))).To(Succeed())
}

func deletePool(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(dual.API.Delete(ctx, &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
}

// retain is for how long a pool keeps addresses.
const retain = time.Hour

type change = func(*corev1.Service)

// balanced returns a Service of our class.
func (in space) balanced(name string, changes ...change) *corev1.Service {
	service := in.New(name, corev1.ServiceTypeLoadBalancer, "")
	service.Spec.LoadBalancerClass = new(servicenetv1alpha1.LoadBalancerClass)
	service.Spec.AllocateLoadBalancerNodePorts = new(false)
	for _, change := range changes {
		change(service)
	}
	return service
}

// balance makes one.
func (in space) balance(ctx context.Context, name string, changes ...change) {
	GinkgoHelper()
	Expect(dual.API.Create(ctx, in.balanced(name, changes...))).To(Succeed())
}

// get reads a Service.
func (in space) get(ctx context.Context, name string) (*corev1.Service, error) {
	service := &corev1.Service{}
	err := dual.API.Get(ctx, client.ObjectKey{Namespace: in.Name, Name: name}, service)
	return service, err
}

// edit changes a Service.
func (in space) edit(ctx context.Context, name string, change change) {
	GinkgoHelper()
	service, err := in.get(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	before := service.DeepCopy()
	change(service)
	Expect(dual.API.Patch(ctx, service, client.MergeFrom(before))).To(Succeed())
}

// write changes the status of a Service, as somebody else.
func (in space) write(ctx context.Context, name string, change func(*corev1.ServiceStatus)) {
	GinkgoHelper()
	service, err := in.get(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	before := service.DeepCopy()
	change(&service.Status)
	Expect(dual.API.Status().Patch(ctx, service, client.MergeFrom(before))).To(Succeed())
}

// says returns what the status of a Service says: its addresses, and the reason of the
// condition if that is no Allocated.
func (in space) says(name string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		service, err := in.get(ctx, name)
		if err != nil {
			return "", err
		}
		return textOf(service), nil
	}
}

func textOf(service *corev1.Service) string {
	var words []string
	for i := range service.Status.LoadBalancer.Ingress {
		is := &service.Status.LoadBalancer.Ingress[i]
		parts := []string{is.IP, is.Hostname}
		if is.IPMode != nil && *is.IPMode != corev1.LoadBalancerIPModeVIP {
			parts = append(parts, "/", string(*is.IPMode))
		}
		for _, port := range is.Ports {
			parts = append(parts, fmt.Sprint(":", port.Port))
			if port.Error != nil {
				parts = append(parts, "!")
			}
		}
		words = append(words, strings.Join(parts, ""))
	}
	condition := apimeta.FindStatusCondition(service.Status.Conditions, servicenetv1alpha1.ConditionAddressAllocated)
	switch {
	case condition == nil:
		words = append(words, "-")
	case condition.Reason != "Allocated" || condition.Status != metav1.ConditionTrue:
		words = append(words, condition.Reason)
	}
	return strings.Join(words, " ")
}

// expect waits until the status of a Service says something.
func (in space) expect(ctx context.Context, name, want string) {
	GinkgoHelper()
	Eventually(in.says(name)).WithContext(ctx).Should(Equal(want))
}

// stays sees to it that it goes on saying that.
func (in space) stays(ctx context.Context, name, want string) {
	GinkgoHelper()
	Consistently(in.says(name)).WithContext(ctx).Should(Equal(want))
}

func annotated(key, value string) change {
	return func(s *corev1.Service) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value) }
}

// named asks for addresses.
func named(list string) change { return annotated(servicenetv1alpha1.LoadBalancerIPsAnnotation, list) }

// sharing lets a Service share its address.
func sharing(key string, ports ...int32) change {
	return func(s *corev1.Service) {
		annotated(servicenetv1alpha1.SharingKeyAnnotation, key)(s)
		onPorts(ports...)(s)
	}
}

func onPorts(ports ...int32) change {
	return func(s *corev1.Service) {
		s.Spec.Ports = nil
		for _, port := range ports {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", port), Port: port})
		}
	}
}

func dualStack(policy corev1.IPFamilyPolicy) change {
	return func(s *corev1.Service) { s.Spec.IPFamilyPolicy = &policy }
}
