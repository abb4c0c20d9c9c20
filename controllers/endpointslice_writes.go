// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// errStale marks a write that the server refused because a slice is not as the
// cache had it. It asks for newer data, not for attention.
var errStale = errors.New("the cache is older than the API server")

func isStale(err error) bool { return errors.Is(err, errStale) }

// apply carries out a plan. The first failure ends it: a later write may rely on
// an earlier one, and the next plan starts from what was reached.
func (r *endpointSliceReconciler) apply(ctx context.Context, changes *endpointslice.Changes) error {
	for _, slice := range changes.Create {
		if err := r.create(ctx, slice); err != nil {
			return err
		}
	}
	for _, slice := range changes.Update {
		if err := r.update(ctx, slice); err != nil {
			return err
		}
	}
	for _, slice := range changes.Delete {
		if err := r.delete(ctx, slice); err != nil {
			return err
		}
	}
	return nil
}

// create creates a slice under its planned name. If the name is taken, either
// the cache does not show the slice yet (a create was repeated), or something
// else bears the name by chance and the server may choose another.
func (r *endpointSliceReconciler) create(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	err := r.writer.Create(ctx, slice)
	if apierrors.IsAlreadyExists(err) {
		err = r.createUnderOtherName(ctx, slice)
	}
	switch {
	case err == nil:
		r.tracker.Wrote(slice)
		return nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil // the Service goes with its namespace
	default:
		return fmt.Errorf("creating an EndpointSlice: %w", err)
	}
}

func (r *endpointSliceReconciler) createUnderOtherName(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	var holder discoveryv1.EndpointSlice
	err := r.live.Get(ctx, client.ObjectKeyFromObject(slice), &holder)
	if apierrors.IsNotFound(err) || (err == nil && endpointslice.ServiceOf(&holder) == endpointslice.ServiceOf(slice)) {
		return fmt.Errorf("%w: EndpointSlice %s exists already", errStale, slice.Name)
	}
	if err != nil {
		return fmt.Errorf("looking who bears the name %s: %w", slice.Name, err)
	}
	slice.Name = ""
	return r.writer.Create(ctx, slice)
}

func (r *endpointSliceReconciler) update(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	name := slice.Name
	err := r.writer.Update(ctx, slice)
	switch {
	case err == nil:
		r.tracker.Wrote(slice)
		return nil
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return fmt.Errorf("%w: updating EndpointSlice %s: %w", errStale, name, err)
	default:
		return fmt.Errorf("updating EndpointSlice %s: %w", name, err)
	}
}

// delete deletes a slice if it is still the one that was read.
func (r *endpointSliceReconciler) delete(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	err := r.writer.Delete(ctx, slice, client.Preconditions(metav1.Preconditions{
		UID:             &slice.UID,
		ResourceVersion: &slice.ResourceVersion,
	}))
	switch {
	case err == nil, apierrors.IsNotFound(err):
		r.tracker.Deleted(slice)
		return nil
	case apierrors.IsConflict(err):
		return fmt.Errorf("%w: deleting EndpointSlice %s: %w", errStale, slice.Name, err)
	default:
		return fmt.Errorf("deleting EndpointSlice %s: %w", slice.Name, err)
	}
}
