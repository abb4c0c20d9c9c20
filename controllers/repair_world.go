// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/repair"
)

// world returns what there is to compare, the ledger first.
func (r *repairs) world() (*repair.World, error) {
	w := &repair.World{
		Families: r.carriers.families,
		Blocks:   r.store.Blocks(), Broken: r.store.Broken(),
		Capacity: map[servicenetv1alpha1.NumberFamily]int{},
	}
	if r.options.runs(NodePortName) {
		w.Ports = r.book.ports
		w.Capacity[servicenetv1alpha1.NodePort] = w.Ports.Last - w.Ports.First + 1
	}
	if r.options.runs(ClusterIPName) {
		if err := r.readAddresses(w); err != nil {
			return nil, err
		}
	}
	for service := range each[*corev1.Service](r.services) {
		w.Services = append(w.Services, r.read(service))
	}
	return w, nil
}

func (r *repairs) readAddresses(w *repair.World) error {
	w.CIDRs = r.book.prefixes()
	all := r.book.ClusterIPs()
	w.Capacity[servicenetv1alpha1.ClusterIPv4] = all.Total(corev1.IPv4Protocol)
	w.Capacity[servicenetv1alpha1.ClusterIPv6] = all.Total(corev1.IPv6Protocol)
	for object := range each[*networkingv1.IPAddress](r.carriers.addresses) {
		address, err := repair.NewAddress(object)
		if err != nil {
			return fmt.Errorf("reading IPAddress %s: %w", object.Name, err)
		}
		w.Addresses = append(w.Addresses, address)
	}
	return nil
}

// read returns what matters of a Service.
func (r *repairs) read(service *corev1.Service) repair.Service {
	numbers := slices.DeleteFunc(store.Numbers(service), func(place ledger.Place) bool {
		return !slices.Contains(r.carriers.families, place.Family)
	})
	return repair.NewService(service, numbers)
}
