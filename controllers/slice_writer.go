// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"

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
	// carryOut makes writes, in any order or at once, and returns a failure of one.
	// It begins no more of them after a failure.
	carryOut func(writes []func() error) error
}

func newSliceWriter(api access, metrics *sliceMetrics) sliceWriter {
	return sliceWriter{access: api, tracker: tracker.New(endpointslice.ServiceOf), metrics: metrics, carryOut: atOnce}
}

// writesAtOnce is how many writes for one Service are under way at a time.
const writesAtOnce = 8

// atOnce makes some writes at a time. Of several failures it returns one that is
// more than a cache that lags, if there is any.
func atOnce(writes []func() error) error {
	var (
		mu      sync.Mutex
		failure error
		group   sync.WaitGroup
	)
	next := 0
	take := func() func() error {
		mu.Lock()
		defer mu.Unlock()
		if failure != nil || next == len(writes) {
			return nil
		}
		next++
		return writes[next-1]
	}
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if failure == nil || isStale(failure) {
			failure = err
		}
	}
	for range min(writesAtOnce, len(writes)) {
		group.Go(func() {
			for write := take(); write != nil; write = take() {
				if err := write(); err != nil {
					fail(err)
				}
			}
		})
	}
	group.Wait()
	return failure
}

// apply carries out a plan. The first failure ends it: a later write may rely on
// an earlier one, and the next plan starts from what was reached.
func (w *sliceWriter) apply(ctx context.Context, changes *endpointslice.Changes) error {
	if err := w.all(ctx, changes.Create, w.create); err != nil {
		return err
	}
	for _, wave := range changes.UpdateWaves() {
		if err := w.all(ctx, wave, w.update); err != nil {
			return err
		}
	}
	return w.all(ctx, changes.Delete, w.delete)
}

// all writes slices that do not depend on each other, several at a time.
func (w *sliceWriter) all(
	ctx context.Context, slices []*discoveryv1.EndpointSlice, write func(context.Context, *discoveryv1.EndpointSlice) error,
) error {
	if len(slices) == 1 {
		return write(ctx, slices[0])
	}
	writes := make([]func() error, len(slices))
	for i, slice := range slices {
		writes[i] = func() error { return write(ctx, slice) }
	}
	return w.carryOut(writes)
}

// create creates a slice under its planned name. If the name is taken, either
// the cache does not show the slice yet (a create was repeated), or something
// else bears the name by chance and the server may choose another.
func (w *sliceWriter) create(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	defer w.tracker.Begin(endpointslice.ServiceOf(slice))()
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
	defer w.tracker.Begin(endpointslice.ServiceOf(slice))()
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
	defer w.tracker.Begin(endpointslice.ServiceOf(slice))()
	if err := w.deleteRead(ctx, slice); err != nil {
		return err
	}
	w.tracker.Deleted(slice)
	w.metrics.changed("delete")
	return nil
}

// lookAtSlice returns a slice of a Service as the cache holds it, nil if there is none
// of the name that bears the Service's.
type lookAtSlice func(ctx context.Context, service client.ObjectKey, name string) (*discoveryv1.EndpointSlice, error)

// getSlice is a [lookAtSlice].
func (w *sliceWriter) getSlice(ctx context.Context, service client.ObjectKey, name string) (*discoveryv1.EndpointSlice, error) {
	slice := &discoveryv1.EndpointSlice{}
	err := w.reader.Get(ctx, client.ObjectKey{Namespace: service.Namespace, Name: name}, slice)
	switch {
	case apierrors.IsNotFound(err), err == nil && endpointslice.ServiceOf(slice) != service:
		return nil, nil //nolint:nilnil // no slice is an answer here, not a failure
	case err != nil:
		return nil, fmt.Errorf("reading EndpointSlice %s: %w", name, err)
	default:
		return slice, nil
	}
}

// awaitOwnWrites fails while the cache does not show own writes. What a plan is made
// from is read after that: an event that settles a write in between would else make
// up for a list that does not show it.
func (w *sliceWriter) awaitOwnWrites(ctx context.Context, service client.ObjectKey, look lookAtSlice) error {
	var failed error
	behind := w.tracker.Behind(service, func(name string) (*discoveryv1.EndpointSlice, bool) {
		slice, err := look(ctx, service, name)
		if err != nil {
			failed = err
		}
		return slice, slice != nil
	}, w.clock.Now())
	if failed == nil && behind {
		return fmt.Errorf("%w: own writes are missing", errStale)
	}
	return failed
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
