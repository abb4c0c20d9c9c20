// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
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
func (r *repairs) world(ctx context.Context) (*repair.World, error) {
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
		if err := r.readAddresses(ctx, w); err != nil {
			return nil, err
		}
	}
	var services corev1.ServiceList
	if err := r.reader.List(ctx, &services); err != nil {
		return nil, fmt.Errorf("listing Services: %w", err)
	}
	w.Services = make([]repair.Service, 0, len(services.Items))
	for i := range services.Items {
		w.Services = append(w.Services, r.read(&services.Items[i]))
	}
	return w, nil
}

func (r *repairs) readAddresses(ctx context.Context, w *repair.World) error {
	w.CIDRs = r.book.prefixes()
	all := r.book.ClusterIPs()
	w.Capacity[servicenetv1alpha1.ClusterIPv4] = all.Total(corev1.IPv4Protocol)
	w.Capacity[servicenetv1alpha1.ClusterIPv6] = all.Total(corev1.IPv6Protocol)
	var addresses networkingv1.IPAddressList
	if err := r.reader.List(ctx, &addresses); err != nil {
		return fmt.Errorf("listing IPAddresses: %w", err)
	}
	w.Addresses = make([]repair.Address, 0, len(addresses.Items))
	for i := range addresses.Items {
		address, err := repair.NewAddress(&addresses.Items[i])
		if err != nil {
			return fmt.Errorf("reading IPAddress %s: %w", addresses.Items[i].Name, err)
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
