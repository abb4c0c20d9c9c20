// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/tracker"
)

// sliceTracker remembers own writes to slices by the Service their label names.
type sliceTracker = tracker.Tracker[*discoveryv1.EndpointSlice]

// sliceWriter carries out plans for EndpointSlices, and remembers what it wrote.
type sliceWriter struct {
	access
	tracker *sliceTracker
	metrics *sliceMetrics
}

// apply carries out a plan. The first failure ends it: a later write may rely on
// an earlier one, and the next plan starts from what was reached.
func (w *sliceWriter) apply(ctx context.Context, changes *endpointslice.Changes) error {
	for _, slice := range changes.Create {
		if err := w.create(ctx, slice); err != nil {
			return err
		}
	}
	for _, slice := range changes.Update {
		if err := w.update(ctx, slice); err != nil {
			return err
		}
	}
	for _, slice := range changes.Delete {
		if err := w.delete(ctx, slice); err != nil {
			return err
		}
	}
	return nil
}

// create creates a slice under its planned name. If the name is taken, either
// the cache does not show the slice yet (a create was repeated), or something
// else bears the name by chance and the server may choose another.
func (w *sliceWriter) create(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	err := w.writer.Create(ctx, slice)
	if apierrors.IsAlreadyExists(err) {
		err = w.createUnderOtherName(ctx, slice)
	}
	switch {
	case err == nil:
		w.tracker.Wrote(slice)
		w.metrics.changed("create")
		return nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil // the Service goes with its namespace
	default:
		return fmt.Errorf("creating an EndpointSlice: %w", err)
	}
}

func (w *sliceWriter) createUnderOtherName(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	var holder discoveryv1.EndpointSlice
	err := w.live.Get(ctx, client.ObjectKeyFromObject(slice), &holder)
	if apierrors.IsNotFound(err) || (err == nil && sameRole(&holder, slice)) {
		return fmt.Errorf("%w: EndpointSlice %s exists already", errStale, slice.Name)
	}
	if err != nil {
		return fmt.Errorf("looking who bears the name %s: %w", slice.Name, err)
	}
	slice.Name = ""
	return w.writer.Create(ctx, slice)
}

// sameRole tells whether two slices are kept by the same controller for the same
// Service.
func sameRole(a, b *discoveryv1.EndpointSlice) bool {
	return endpointslice.ServiceOf(a) == endpointslice.ServiceOf(b) &&
		a.Labels[discoveryv1.LabelManagedBy] == b.Labels[discoveryv1.LabelManagedBy]
}

func (w *sliceWriter) update(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	name := slice.Name
	err := w.writer.Update(ctx, slice)
	switch {
	case err == nil:
		w.tracker.Wrote(slice)
		w.metrics.changed("update")
		return nil
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return fmt.Errorf("%w: updating EndpointSlice %s: %w", errStale, name, err)
	default:
		return fmt.Errorf("updating EndpointSlice %s: %w", name, err)
	}
}

func (w *sliceWriter) delete(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	if err := w.deleteRead(ctx, slice); err != nil {
		return err
	}
	w.tracker.Deleted(slice)
	w.metrics.changed("delete")
	return nil
}

// listSlices returns the slices that bear a Service's name, whoever manages them.
func (w *sliceWriter) listSlices(ctx context.Context, service client.ObjectKey) ([]*discoveryv1.EndpointSlice, error) {
	return listSlices(ctx, w.reader, service)
}

func listSlices(ctx context.Context, reader client.Reader, service client.ObjectKey) ([]*discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	ofService := client.MatchingFields{serviceNameIndex: service.Name}
	if err := reader.List(ctx, &list, client.InNamespace(service.Namespace), ofService); err != nil {
		return nil, fmt.Errorf("listing the EndpointSlices of the Service: %w", err)
	}
	return pointers(list.Items), nil
}
