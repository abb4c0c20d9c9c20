// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
)

// bell rings for one who waits. However often it rings meanwhile, it is heard once.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// numberNews gathers what changes until the leader gets to it. On other replicas it
// gathers nothing.
type numberNews struct {
	// status is for who writes the status of pools, repair for who repairs.
	status, repair bell

	mu         sync.Mutex
	leads      bool
	services   map[types.NamespacedName]bool
	namespaces map[string]bool
}

func newNumberNews() *numberNews {
	return &numberNews{
		status: newBell(), repair: newBell(),
		services: map[types.NamespacedName]bool{}, namespaces: map[string]bool{},
	}
}

// begin gathers from now on.
func (n *numberNews) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.leads = true
}

// take returns the Services, and the namespaces with other labels, that changed
// since it was called last.
func (n *numberNews) take() (services map[types.NamespacedName]bool, namespaces map[string]bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	services, namespaces = n.services, n.namespaces
	n.services, n.namespaces = map[types.NamespacedName]bool{}, map[string]bool{}
	return services, namespaces
}

// serviceChanged tells of a Service. A change of anything but numbers and labels is
// none.
func (n *numberNews) serviceChanged(before, after *serviceRecord) {
	if before != nil && after != nil && before.same(after) {
		return
	}
	n.mu.Lock()
	if n.leads {
		for _, service := range []*serviceRecord{before, after} {
			if service != nil {
				n.services[service.NamespacedName] = true
			}
		}
	}
	n.mu.Unlock()
	n.status.ring()
	n.repair.ring()
}

// balancingChanged tells that a Service has other load-balancer addresses, or waits for
// one, or does so no more.
func (n *numberNews) balancingChanged(name types.NamespacedName) {
	n.mu.Lock()
	if n.leads {
		n.services[name] = true
	}
	n.mu.Unlock()
	n.status.ring()
}

// namespaceEvents returns the handler of an informer of namespaces.
func (n *numberNews) namespaceEvents() toolscache.ResourceEventHandler {
	changed := func(before, after any) {
		was, _ := before.(*corev1.Namespace)
		is, _ := after.(*corev1.Namespace)
		if is == nil || was != nil && maps.Equal(was.Labels, is.Labels) {
			return
		}
		n.mu.Lock()
		if n.leads {
			n.namespaces[is.Name] = true
		}
		n.mu.Unlock()
		n.status.ring()
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { changed(nil, object) },
		UpdateFunc: changed,
	}
}

// poolsChanged, blockChanged and addressChanged tell of what has no names to
// remember.
func (n *numberNews) poolsChanged() { n.status.ring() }

func (n *numberNews) blockChanged() {
	n.status.ring()
	n.repair.ring()
}

func (n *numberNews) addressChanged() { n.repair.ring() }

// anyEvent returns a handler that calls back on each event.
func anyEvent(then func()) toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { then() },
		UpdateFunc: func(any, any) { then() },
		DeleteFunc: func(any) { then() },
	}
}
