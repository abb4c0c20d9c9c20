// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// byHand labels the IPAddress objects that a spec made, with its namespace.
const byHand = "made-by-hand-in"

// newService describes a Service with the numbers of places.
func (in space) newService(name string, places ...ledger.Place) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: string(in), Name: name},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}
	for _, place := range places {
		if place.Family == servicenetv1alpha1.NodePort {
			service.Spec.Type = corev1.ServiceTypeNodePort
			service.Spec.Ports[0].NodePort = int32(place.Block.Port(place.Number)) //nolint:gosec // a port
		} else {
			service.Spec.ClusterIP = place.String()
		}
	}
	return service
}

// create makes a Service with the numbers of places.
func (in space) create(ctx context.Context, name string, places ...ledger.Place) *corev1.Service {
	GinkgoHelper()
	service := in.newService(name, places...)
	Expect(api.Create(ctx, service)).To(Succeed())
	return service
}

// request is that of a Service that does not exist yet.
func (in space) request(name string) store.Request {
	return store.Request{Owner: store.OwnerOf(in.newService(name))}
}

// makeAddress makes an IPAddress object as the API server does for a Service, but
// for whatever is named.
func (in space) makeAddress(ctx context.Context, place ledger.Place, group, resource, name string) {
	GinkgoHelper()
	Expect(api.Create(ctx, &networkingv1.IPAddress{
		ObjectMeta: metav1.ObjectMeta{Name: place.String(), Labels: map[string]string{byHand: string(in)}},
		Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{
			Group: group, Resource: resource, Namespace: string(in), Name: name,
		}},
	})).To(Succeed())
}

func clusterIP(address string) ledger.Place {
	return ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr(address))
}

// makeBlock makes the object of a block.
func makeBlock(ctx context.Context, key ledger.Key, data []byte) *servicenetv1alpha1.AllocationBlock {
	GinkgoHelper()
	object := &servicenetv1alpha1.AllocationBlock{
		ObjectMeta: metav1.ObjectMeta{Name: key.String()}, Family: key.Family, First: key.First(), Data: data,
	}
	Expect(api.Create(ctx, object)).To(Succeed())
	return object
}
