// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/repair"
)

// world returns what there is to compare, the ledger first.
func (r *repairs) world() (*repair.World, error) {
	w := &repair.World{
		Families: r.records.families,
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
	services := r.services.List()
	w.Services = make([]repair.Service, 0, len(services))
	for service := range each[*serviceRecord](services) {
		w.Services = append(w.Services, service.Service)
	}
	return w, nil
}

func (r *repairs) readAddresses(w *repair.World) error {
	w.CIDRs = r.book.prefixes()
	all := r.book.ClusterIPs()
	w.Capacity[servicenetv1alpha1.ClusterIPv4] = all.Total(corev1.IPv4Protocol)
	w.Capacity[servicenetv1alpha1.ClusterIPv6] = all.Total(corev1.IPv6Protocol)
	addresses := r.carriers.addresses.List()
	w.Addresses = make([]repair.Address, 0, len(addresses))
	for address := range each[*addressRecord](addresses) {
		if address.err != nil {
			return fmt.Errorf("reading IPAddress %s: %w", address.name, address.err)
		}
		w.Addresses = append(w.Addresses, address.Address)
	}
	return nil
}
