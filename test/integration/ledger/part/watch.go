// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package part

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	toolscache "k8s.io/client-go/tools/cache"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// byNumber is the index of Services by the numbers they carry.
const byNumber = "number"

// watch lets the Store see blocks and Services.
func (p *Part) watch(ctx context.Context) error {
	blocks, err := p.Manager.GetCache().GetInformer(ctx, &servicenetv1alpha1.AllocationBlock{})
	if err != nil {
		return err
	}
	if _, err := blocks.AddEventHandler(p.Feed()); err != nil {
		return err
	}
	informer, err := p.Manager.GetCache().GetInformer(ctx, &corev1.Service{})
	if err != nil {
		return err
	}
	if err := informer.AddIndexers(toolscache.Indexers{byNumber: numbersOf}); err != nil {
		return err
	}
	shared, ok := informer.(toolscache.SharedIndexInformer)
	if !ok {
		return errors.New("the informer of Services has no index")
	}
	p.services = shared.GetIndexer()
	addresses, err := p.Manager.GetCache().GetInformer(ctx, &networkingv1.IPAddress{})
	if err != nil {
		return err
	}
	if shared, ok = addresses.(toolscache.SharedIndexInformer); !ok {
		return errors.New("the informer of IPAddress objects has no store")
	}
	p.addresses = shared.GetStore()
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { p.show(nil, object) },
		UpdateFunc: p.show,
		DeleteFunc: func(object any) { p.show(object, nil) },
	})
	return err
}

func numbersOf(object any) ([]string, error) {
	service, ok := object.(*corev1.Service)
	if !ok {
		return nil, nil
	}
	var numbers []string
	for _, place := range store.Numbers(service) {
		numbers = append(numbers, nameOf(place))
	}
	return numbers, nil
}

func nameOf(place ledger.Place) string { return string(place.Family) + "/" + place.String() }

// seen is Seen of the Store's Options.
func (p *Part) seen(place ledger.Place) store.Finding {
	if owner, carried := p.carrier(place); carried {
		return store.Finding{Carrier: owner}
	}
	object, _, _ := p.addresses.GetByKey(place.String())
	if address, ok := object.(*networkingv1.IPAddress); ok {
		return store.FindingOf(address)
	}
	return store.Finding{}
}

func (p *Part) carrier(place ledger.Place) (ledger.Owner, bool) {
	found, err := p.services.ByIndex(byNumber, nameOf(place))
	if err != nil || len(found) == 0 {
		return ledger.Owner{}, false
	}
	service, ok := found[0].(*corev1.Service)
	if !ok {
		return ledger.Owner{}, false
	}
	return store.OwnerOf(service), true
}

// show tells the Store what a Service carries now, and what it carried before.
func (p *Part) show(before, after any) {
	if last, missed := before.(toolscache.DeletedFinalStateUnknown); missed {
		before = last.Obj
	}
	var carries []ledger.Place
	if service, ok := after.(*corev1.Service); ok {
		carries = store.Numbers(service)
		for _, place := range carries {
			p.Carried(place, store.OwnerOf(service), service.ResourceVersion)
		}
	}
	if service, ok := before.(*corev1.Service); ok {
		for _, place := range store.Numbers(service) {
			if !slices.Contains(carries, place) {
				p.Dropped(place, store.OwnerOf(service), ledger.Retention{})
			}
		}
	}
}

// compareOftenEnough is what repairs the ledger, at its simplest.
func (p *Part) compareOftenEnough(ctx context.Context) error {
	ticks := time.NewTicker(comparisons)
	defer ticks.Stop()
	for {
		p.compare()
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// compare hints at numbers that no Service carries, and at those that one does.
func (p *Part) compare() {
	for key, block := range p.Blocks() {
		for number := range block.Used().Numbers() {
			place := ledger.Place{Key: key, Number: number}
			if _, carried := p.carrier(place); !carried {
				p.Release(place)
			}
		}
	}
	for _, object := range p.services.List() {
		p.show(nil, object)
	}
}
