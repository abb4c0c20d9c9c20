// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// markers is the namespace of the objects by which it is seen that the writers
// have come so far. Records leave it out.
const markers = "markers"

// awaitTurn waits until everything that was in the queues of the one who writes
// has had its turn: something new for each of the three controllers is done.
func (w *world) awaitTurn(ctx context.Context) {
	GinkgoHelper()
	in := space{world: w, name: markers}
	name := fmt.Sprintf("marker-%d", w.turns.Add(1))
	in.run(ctx, name, 0, 1)
	in.expose(ctx, name)
	byHand := name + "-by-hand"
	in.expose(ctx, byHand, withoutSelector)
	in.create(ctx, newEndpoints(byHand, newSubset(newAddress(1))))

	Eventually(in.sizes(name)).WithContext(ctx).Should(ContainElement(1))
	Eventually(in.subsets(name)).WithContext(ctx).ShouldNot(BeEmpty())
	Eventually(in.sizes(byHand)).WithContext(ctx).Should(ContainElement(1))
}

// slices lists a Service's slices, whoever manages them.
func (in space) slices(ctx context.Context, service string) ([]discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	ofService := client.MatchingLabels{discoveryv1.LabelServiceName: service}
	err := in.api.List(ctx, &list, client.InNamespace(in.name), ofService)
	return list.Items, err
}

// sizes returns a function that tells how many endpoints each slice of a Service
// lists, for Eventually.
func (in space) sizes(service string) func(context.Context) ([]int, error) {
	return func(ctx context.Context) ([]int, error) {
		list, err := in.slices(ctx, service)
		sizes := make([]int, 0, len(list))
		for i := range list {
			sizes = append(sizes, len(list[i].Endpoints))
		}
		return sizes, err
	}
}

// subsets returns a function that returns the subsets of a Service's Endpoints,
// none if it has no Endpoints, for Eventually.
func (in space) subsets(service string) func(context.Context) ([]corev1.EndpointSubset, error) {
	return func(ctx context.Context) ([]corev1.EndpointSubset, error) {
		var endpoints corev1.Endpoints
		err := client.IgnoreNotFound(in.api.Get(ctx, in.key(service), &endpoints))
		return endpoints.Subsets, err
	}
}

// newEndpoints describes Endpoints written by hand.
func newEndpoints(name string, subsets ...corev1.EndpointSubset) *corev1.Endpoints {
	return &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: name}, Subsets: subsets}
}

// newSubset lists addresses at a port.
func newSubset(addresses ...corev1.EndpointAddress) corev1.EndpointSubset {
	return corev1.EndpointSubset{
		Addresses: addresses,
		Ports:     []corev1.EndpointPort{{Name: "http", Port: 8080}},
	}
}

// newAddress is an address outside of the cluster: for documentation.
func newAddress(number int) corev1.EndpointAddress {
	return corev1.EndpointAddress{IP: fmt.Sprintf("198.51.%d.%d", 100+number>>8, number&0xff)}
}
