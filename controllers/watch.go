// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// watch is a kind of object whose events a controller acts on. Each controller
// lists its own, so that whatever runs it, a manager or a simulation, runs it on
// the same events.
type watch interface {
	// from returns the events as they come from a cache.
	from(informers cache.Cache) source.Source
}

// watchOf is a watch of the objects of one type.
type watchOf[T client.Object] struct {
	kind    T // an empty object
	handler handler.TypedEventHandler[T, reconcile.Request]
	filters []predicate.TypedPredicate[T]
}

func watching[T client.Object](
	kind T, to handler.TypedEventHandler[T, reconcile.Request], filters ...predicate.TypedPredicate[T],
) watch {
	return watchOf[T]{kind: kind, handler: to, filters: filters}
}

func (w watchOf[T]) from(informers cache.Cache) source.Source {
	return source.Kind(informers, w.kind, w.handler, w.filters...)
}
