// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// hearer is who is told.
type hearer interface {
	Carried(place ledger.Place, owner ledger.Owner, version string)
	Dropped(place ledger.Place, owner ledger.Owner, then ledger.Retention)
}

// hints tell the ledger what this replica's watch of Services shows.
type hints struct {
	ledger   hearer
	carriers *carriers
	// retention says for how long the number of a Service that was deleted is kept
	// for its name.
	retention func(place ledger.Place, owner ledger.Owner) ledger.Retention
	// changed is told of each change too, after the ledger. A Service that did not
	// exist before, or does not any more, is nil.
	changed func(before, after *serviceRecord)
}

// handler returns the handler of an informer of Services.
func (h *hints) handler() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { h.show(nil, object) },
		UpdateFunc: h.show,
		DeleteFunc: func(object any) { h.show(object, nil) },
	}
}

// show tells what a Service carries now, and what it carried before.
func (h *hints) show(was, is any) {
	if last, missed := was.(toolscache.DeletedFinalStateUnknown); missed {
		was = last.Obj
	}
	before, _ := was.(*serviceRecord)
	after, _ := is.(*serviceRecord)
	h.carriers.replace(before, after)
	carries := after.numbers()
	for _, place := range carries {
		h.ledger.Carried(place, after.Owner, after.version)
	}
	for _, place := range before.numbers() {
		// One of two that share a number by mistake leaves it to the other.
		if h.carriers.carrier(place) == nil && !slices.Contains(carries, place) {
			h.ledger.Dropped(place, before.Owner, h.retained(place, before, after))
		}
	}
	h.changed(before, after)
}

// retained returns for how long a number is kept that a Service does not carry any
// more: not at all if the Service lives on without it.
func (h *hints) retained(place ledger.Place, before, after *serviceRecord) ledger.Retention {
	if after != nil && after.UID == before.UID {
		return ledger.Retention{}
	}
	then := h.retention(place, before.Owner)
	if !then.Until.IsZero() {
		then.Slot = before.slot(place)
	}
	return then
}

// slotOf tells which of its numbers a Service had: a port by the name that the
// Service has for it.
func slotOf(service *corev1.Service, place ledger.Place) ledger.Slot {
	if !place.Block.IsPorts() {
		return 0
	}
	port := int32(place.Block.Port(place.Number)) //nolint:gosec // a port
	for i := range service.Spec.Ports {
		if service.Spec.Ports[i].NodePort == port {
			return ledger.SlotOf(service.Spec.Ports[i].Name)
		}
	}
	return ledger.SlotOf(pool.HealthCheck)
}

// retentionUntil keeps a number for the name of its owner for some time from now.
func retentionUntil(owner ledger.Owner, now time.Time, period time.Duration) ledger.Retention {
	if period <= 0 {
		return ledger.Retention{}
	}
	return ledger.Retention{Until: now.Add(period), For: ledger.SubjectOf(owner.NamespacedName)}
}
