// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Space is the namespace that a spec has to itself.
type Space struct {
	*Server

	Name string
}

// NewSpace makes a namespace with labels. At the end of the spec, after what was
// started in it has stopped, its Services, all pools and all blocks are removed.
func (s *Server) NewSpace(ctx context.Context, labels map[string]string) Space {
	GinkgoHelper()
	in := s.NewLastingSpace(ctx, labels)
	DeferCleanup(in.clear)
	return in
}

// NewLastingSpace makes a namespace with labels, of which nothing is removed: the
// control plane ends with the specs.
func (s *Server) NewLastingSpace(ctx context.Context, labels map[string]string) Space {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-", Labels: labels}}
	Expect(s.API.Create(ctx, namespace)).To(Succeed())
	return Space{s, namespace.Name}
}

func (in Space) clear(ctx context.Context) {
	GinkgoHelper()
	in.RemoveAll(ctx)
	Expect(in.API.DeleteAllOf(ctx, &servicenetv1alpha1.ClusterIPPool{})).To(Succeed())
	Expect(in.API.DeleteAllOf(ctx, &servicenetv1alpha1.NodePortPool{})).To(Succeed())
	Expect(in.API.DeleteAllOf(ctx, &servicenetv1alpha1.AllocationBlock{})).To(Succeed())
}

// New returns a Service of a type, with an address if one is named.
func (in Space) New(name string, of corev1.ServiceType, address string, ports ...int32) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: in.Name, Name: name},
		Spec:       corev1.ServiceSpec{Type: of, ClusterIP: address},
	}
	if len(ports) == 0 {
		service.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	}
	for i, port := range ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
			Name: fmt.Sprintf("p%d", i), Port: int32(80 + i), NodePort: port,
		})
	}
	return service
}

// Expose makes a Service of a type, with an address if one is named.
func (in Space) Expose(ctx context.Context, name string, of corev1.ServiceType, address string, ports ...int32) *corev1.Service {
	GinkgoHelper()
	service := in.New(name, of, address, ports...)
	Expect(in.API.Create(ctx, service)).To(Succeed())
	return service
}

// ExposeMany makes so many Services with an address each.
func (in Space) ExposeMany(ctx context.Context, name string, count int) {
	GinkgoHelper()
	in.MakeMany(ctx, count, func(i int) *corev1.Service {
		return in.New(fmt.Sprintf("%s-%d", name, i), corev1.ServiceTypeClusterIP, "")
	})
}

// ExposeAt makes so many Services that name their addresses, one after the other,
// which costs the API server less than to choose them.
func (in Space) ExposeAt(ctx context.Context, first string, count int) {
	GinkgoHelper()
	address := netip.MustParseAddr(first)
	addresses := make([]string, count)
	for i := range addresses {
		addresses[i], address = address.String(), address.Next()
	}
	in.MakeMany(ctx, count, func(i int) *corev1.Service {
		return in.New(fmt.Sprintf("at-%d", i), corev1.ServiceTypeClusterIP, addresses[i])
	})
}

// MakeMany makes so many Services.
func (in Space) MakeMany(ctx context.Context, count int, of func(i int) *corev1.Service) {
	GinkgoHelper()
	atOnce(ctx, count, func(ctx context.Context, i int) error { return in.API.Create(ctx, of(i)) })
}

// atOnce does something many times, some of them at a time.
func atOnce(ctx context.Context, count int, do func(ctx context.Context, i int) error) {
	GinkgoHelper()
	const atATime = 16
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atATime)
	for i := range count {
		group.Go(func() error { return do(ctx, i) })
	}
	Expect(group.Wait()).To(Succeed())
}

// Remove deletes a Service.
func (in Space) Remove(ctx context.Context, name string) {
	GinkgoHelper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: in.Name, Name: name}}
	Expect(in.API.Delete(ctx, service)).To(Succeed())
}

// RemoveAll deletes all Services of the space, one by one: one request for all of them
// may take longer than the API server gives a request.
func (in Space) RemoveAll(ctx context.Context) {
	GinkgoHelper()
	var all corev1.ServiceList
	Expect(in.API.List(ctx, &all, client.InNamespace(in.Name))).To(Succeed())
	atOnce(ctx, len(all.Items), func(ctx context.Context, i int) error {
		return client.IgnoreNotFound(in.API.Delete(ctx, &all.Items[i]))
	})
}
