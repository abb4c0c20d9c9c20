// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"servicenet.dev/servicenet/internal/mirroring"
)

// mirroredChanges keeps out what cannot change a mirrored slice. Endpoints of
// Services with a selector come and go all the time; those are looked at and
// left alone.
func mirroredChanges() predicate.TypedPredicate[*corev1.Endpoints] {
	return predicate.TypedFuncs[*corev1.Endpoints]{
		UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Endpoints]) bool {
			return isResync(e.ObjectOld, e.ObjectNew) || mirroring.Matters(e.ObjectOld, e.ObjectNew)
		},
	}
}

// selectorChanges keeps out changes of Services that leave them with or without
// a selector.
func selectorChanges() predicate.TypedPredicate[*corev1.Service] {
	return predicate.TypedFuncs[*corev1.Service]{
		UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Service]) bool {
			return mirroring.ServiceMatters(e.ObjectOld, e.ObjectNew)
		},
	}
}
