// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// poolUsage counts what the numbers of pools are used for. A Service that changes
// is counted anew by itself, all are when pools change.
type poolUsage struct {
	*replica

	addresses *pool.AddressTally
	ports     *pool.PortTally
	balancers *pool.BalancerTally
	// labels are those of namespaces, for as long as one update takes.
	labels map[string]map[string]string
}

func newPoolUsage(r *replica) *poolUsage { return &poolUsage{replica: r} }

// update takes over what changed since it was called last.
func (u *poolUsage) update(ctx context.Context) error {
	services, namespaces := u.news.take()
	u.labels = map[string]map[string]string{}
	addresses, ports, balancers := u.book.ClusterIPs(), u.book.NodePorts(), u.book.LoadBalancers()
	var err error
	if u.addresses == nil || u.addresses.Of() != addresses || u.ports.Of() != ports || u.balancers.Of() != balancers {
		u.addresses, u.ports, u.balancers = addresses.Tally(), ports.Tally(), balancers.Tally()
		err = u.countAll(ctx)
	} else {
		err = u.countChanged(ctx, services, namespaces)
	}
	if err != nil {
		u.addresses = nil // what is lost of the news comes back with all
		return err
	}
	kept := split(u.pending())
	u.addresses.Hold(slices.Values(kept.addresses))
	u.ports.Hold(slices.Values(kept.ports))
	u.balancers.Hold(slices.Values(kept.balancers))
	u.balancers.Wait(u.balancing.Waiting())
	return nil
}

func (u *poolUsage) countAll(ctx context.Context) error {
	for service := range each[*serviceRecord](u.services.List()) {
		if err := u.count(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

func (u *poolUsage) countNamespace(ctx context.Context, name string) error {
	services, err := u.services.ByIndex(toolscache.NamespaceIndex, name)
	if err != nil {
		return fmt.Errorf("listing the Services of namespace %s: %w", name, err)
	}
	for service := range each[*serviceRecord](services) {
		if err := u.count(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

func (u *poolUsage) countChanged(ctx context.Context, services map[types.NamespacedName]bool, namespaces map[string]bool) error {
	for namespace := range namespaces {
		if err := u.countNamespace(ctx, namespace); err != nil {
			return err
		}
	}
	for name := range services {
		object, _, err := u.services.GetByKey(name.String())
		if err != nil {
			return fmt.Errorf("reading Service %s: %w", name, err)
		}
		service, found := object.(*serviceRecord)
		if !found {
			gone := &pool.Who{Namespace: name.Namespace, Name: name.Name}
			u.addresses.Set(gone, nil)
			u.ports.Set(gone, nil)
			u.balancers.Set(gone, nil)
			continue
		}
		if err := u.count(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// count counts the numbers of a Service.
func (u *poolUsage) count(ctx context.Context, service *serviceRecord) error {
	labels, err := u.namespaceLabels(ctx, service.Namespace)
	if err != nil {
		return err
	}
	who := &pool.Who{
		Namespace: service.Namespace, Name: service.Name, NamespaceLabels: labels, ServiceLabels: service.labelSet(),
	}
	numbers := split(slices.Values(service.Numbers))
	u.addresses.Set(who, numbers.addresses)
	u.ports.Set(who, numbers.ports)
	u.balancers.Set(who, u.balancing.AddressesOf(service.UID))
	return nil
}

// namespaceLabels returns the labels of a namespace, none if it is not known yet.
func (u *poolUsage) namespaceLabels(ctx context.Context, name string) (map[string]string, error) {
	if labels, known := u.labels[name]; known {
		return labels, nil
	}
	namespace := &corev1.Namespace{}
	if err := u.reader.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	u.labels[name] = namespace.Labels
	return namespace.Labels, nil
}

// pending returns the numbers that are kept for Services, or on loan to replicas.
func (u *poolUsage) pending() iter.Seq[ledger.Place] {
	blocks := u.store.Blocks()
	return func(yield func(ledger.Place) bool) {
		for key, block := range blocks {
			if !u.counts(key.Family) {
				continue
			}
			for number := range block.Loans() {
				if !yield(ledger.Place{Key: key, Number: number}) {
					return
				}
			}
			for number := range block.Holds() {
				if !yield(ledger.Place{Key: key, Number: number}) {
					return
				}
			}
		}
	}
}

// counts tells whether a family is one of the controllers that run. Records of Services
// have no addresses of load balancers: the ledger alone knows these.
func (u *poolUsage) counts(family servicenetv1alpha1.NumberFamily) bool {
	if isBalancing(family) {
		return u.options.runs(LoadBalancerName)
	}
	return slices.Contains(u.records.families, family)
}

func isBalancing(family servicenetv1alpha1.NumberFamily) bool {
	return family == servicenetv1alpha1.LoadBalancerIPv4 || family == servicenetv1alpha1.LoadBalancerIPv6
}

// numbers are places by what pools they may be of.
type numbers struct {
	addresses, balancers []netip.Addr
	ports                []pool.Port
}

func split(places iter.Seq[ledger.Place]) (n numbers) {
	for place := range places {
		switch {
		case place.Family == servicenetv1alpha1.NodePort:
			n.ports = append(n.ports, pool.Port(place.Block.Port(place.Number))) //nolint:gosec // a port
		case isBalancing(place.Family):
			n.balancers = append(n.balancers, place.Address())
		default:
			n.addresses = append(n.addresses, place.Address())
		}
	}
	return n
}
