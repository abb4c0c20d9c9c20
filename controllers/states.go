// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// states keeps what a controller knows of each Service, and the names of the
// objects that have changed since it looked. Event handlers note the names; a
// reconcile takes them, reads those objects from the cache and nothing else.
//
// Names and not objects are noted: the cache is at least as new as the event, and
// however events and reads mix, the last thing that is read is the newest. For the
// same reason a state may be filled from lists while events come in, if it is there
// to note them before the lists are made.
//
// Which Services a pod concerns, the selectors tell by which they were taken last: a
// state is taken before its pods are listed, so that a pod is either listed or noted.
//
// A state itself belongs to the reconcile of its Service, of which there is one at a
// time.
type states[S any] struct {
	create func() S

	mu        sync.Mutex
	services  map[types.NamespacedName]*stateOf[S]
	selectors selectors
}

type stateOf[S any] struct {
	state S
	noted changedNames
}

// changedNames are the names of a Service's pods and slices that have come, gone or
// changed.
type changedNames struct {
	pods, slices map[string]struct{}
}

func newStates[S any](create func() S) *states[S] {
	return &states[S]{create: create, services: map[types.NamespacedName]*stateOf[S]{}, selectors: newSelectors()}
}

// labelOf returns the label of a Service's selector that the fewest other Services
// have, of a Service that was taken.
func (s *states[S]) labelOf(service *corev1.Service) (key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.selectors.filed[client.ObjectKeyFromObject(service)].in
	return in.key, in.value
}

// introduce makes a Service known that has no state yet, so that a change of its pods
// enqueues it: at start it may be a long time until its turn comes.
func (s *states[S]) introduce(service *corev1.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKeyFromObject(service)
	if s.services[key] == nil && endpointslice.Managed(service) {
		s.selectors.file(key, service.Spec.Selector)
	}
}

// take returns the state of a Service with a selector, a new one if there is none,
// with the names noted since it was taken last.
func (s *states[S]) take(service *corev1.Service) (S, changedNames) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKeyFromObject(service)
	s.selectors.file(key, service.Spec.Selector)
	of := s.services[key]
	if of == nil {
		of = &stateOf[S]{state: s.create()}
		s.services[key] = of
	}
	noted := of.noted
	of.noted = changedNames{}
	return of.state, noted
}

// notePod notes a pod for the Services that select it by its labels, now or before,
// and returns them. A Service without a state needs no note: its state will be made
// from everything there is.
func (s *states[S]) notePod(pod *corev1.Pod) []types.NamespacedName {
	s.mu.Lock()
	defer s.mu.Unlock()
	services := s.selectors.selecting(pod.Namespace, pod.Labels)
	for _, service := range services {
		if of := s.services[service]; of != nil {
			of.noted.pods = with(of.noted.pods, pod.Name)
		}
	}
	return services
}

// noteSlice notes a slice that bears a Service's name or has borne it.
func (s *states[S]) noteSlice(service types.NamespacedName, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := s.services[service]; of != nil {
		of.noted.slices = with(of.noted.slices, name)
	}
}

// with adds a name to a set, which may be nil.
func with(names map[string]struct{}, name string) map[string]struct{} {
	if names == nil {
		names = map[string]struct{}{}
	}
	names[name] = struct{}{}
	return names
}

// forget drops what is known of a Service.
func (s *states[S]) forget(service types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.services, service)
	s.selectors.remove(service)
}
