// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/tracker"
)

// access is what a reconciler reaches the API server with.
type access struct {
	reader   client.Reader // the cache; its objects are shared, do not change them
	live     client.Reader
	writer   client.Writer
	recorder events.EventRecorder
	clock    clock.PassiveClock
}

// newAccess names a reconciler's events after a stock controller, so that alerts
// on them go on working.
func newAccess(mgr ctrl.Manager, own cluster.Cluster, eventSource string) access {
	return access{
		reader:   own.GetClient(),
		live:     own.GetAPIReader(),
		writer:   client.WithFieldOwner(own.GetClient(), endpointslice.FieldManager),
		recorder: mgr.GetEventRecorder(eventSource),
		clock:    clock.RealClock{},
	}
}

// errStale marks a write that the server refused, or that was not even tried,
// because the cache is behind. It asks for newer data, not for attention.
var errStale = errors.New("the cache is older than the API server")

func isStale(err error) bool { return errors.Is(err, errStale) }

// conclude turns the end of a reconcile into what the queue is told. A failure
// that a user should know of is reported first. pending tells whether the cache
// still has to show what was written.
func conclude(ctx context.Context, err error, pending bool, report func(error)) (ctrl.Result, error) {
	switch {
	case err == nil && pending:
		// Mostly an event settles it in no time. None does when somebody undid
		// the write while the watch was down: then the object is missing, and
		// nothing but this tells.
		return ctrl.Result{RequeueAfter: tracker.MaxWait}, nil
	case err == nil:
		return ctrl.Result{}, nil
	case isStale(err):
		// The event that brings the new data starts the next reconcile; the
		// delay is for an event that never comes.
		const safetyNet = time.Second
		log.FromContext(ctx).V(1).Info("Waiting for the cache", "reason", err.Error())
		return ctrl.Result{RequeueAfter: safetyNet}, nil
	case ctx.Err() != nil:
		return ctrl.Result{}, nil //nolint:nilerr // the manager stops; the next one goes on from here
	default:
		report(err)
		return ctrl.Result{}, err
	}
}

// soon is after what time a Service is looked at again that is not done yet.
const soon = time.Millisecond

// sooner makes a result ask for another look after a time, unless it does already.
// Zero is never.
func sooner(result ctrl.Result, again time.Duration) ctrl.Result {
	if again > 0 && (result.RequeueAfter == 0 || again < result.RequeueAfter) {
		result.RequeueAfter = again
	}
	return result
}

// getService returns a Service from the cache, or nil when there is none.
func (a *access) getService(ctx context.Context, key client.ObjectKey) (*corev1.Service, error) {
	service := &corev1.Service{}
	switch err := a.reader.Get(ctx, key, service); {
	case err == nil:
		return service, nil
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // no Service is an answer here, not a failure
	default:
		return nil, fmt.Errorf("reading the Service: %w", err)
	}
}

// getEndpoints returns Endpoints from the cache, or nil when there are none.
func (a *access) getEndpoints(ctx context.Context, key client.ObjectKey) (*corev1.Endpoints, error) {
	endpoints := &corev1.Endpoints{}
	switch err := a.reader.Get(ctx, key, endpoints); {
	case err == nil:
		return endpoints, nil
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // no Endpoints are an answer here, not a failure
	default:
		return nil, fmt.Errorf("reading the Endpoints: %w", err)
	}
}

// getPod returns a pod from the cache, or nil when there is none.
func (a *access) getPod(ctx context.Context, key client.ObjectKey) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	switch err := a.reader.Get(ctx, key, pod); {
	case err == nil:
		return pod, nil
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // no pod is an answer here, not a failure
	default:
		return nil, fmt.Errorf("reading pod %s: %w", key.Name, err)
	}
}

// listPods returns the pods a Service selects. It looks at those alone that bear a
// certain label of the selector.
func (a *access) listPods(ctx context.Context, service *corev1.Service, key, value string) ([]*corev1.Pod, error) {
	var pods corev1.PodList
	err := a.reader.List(ctx, &pods, client.InNamespace(service.Namespace),
		client.MatchingFields{labelPairIndex: labelPair(key, value)}, client.MatchingLabels(service.Spec.Selector))
	if err != nil {
		return nil, fmt.Errorf("listing the pods the Service selects: %w", err)
	}
	return pointers(pods.Items), nil
}

func pointers[T any](items []T) []*T {
	all := make([]*T, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}

// deleteRead deletes an object if it is still the one that was read.
func (a *access) deleteRead(ctx context.Context, object client.Object) error {
	uid, version := object.GetUID(), object.GetResourceVersion()
	err := a.writer.Delete(ctx, object, client.Preconditions(metav1.Preconditions{UID: &uid, ResourceVersion: &version}))
	switch {
	case err == nil, apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err):
		return fmt.Errorf("%w: deleting %T %s: %w", errStale, object, object.GetName(), err)
	default:
		return fmt.Errorf("deleting %T %s: %w", object, object.GetName(), err)
	}
}

// isOrphan tells whether an object that a controller made may be deleted, since
// nobody keeps it up to date any more and nobody else has written to it. The
// cache holds no record of who wrote, and may be older than the API server,
// which is asked for both; the object becomes what it answers. One that is gone
// is no orphan.
func (a *access) isOrphan(ctx context.Context, service *corev1.Service, object client.Object) (bool, error) {
	var now corev1.Service
	err := a.live.Get(ctx, client.ObjectKeyFromObject(service), &now)
	if apierrors.IsNotFound(err) || (err == nil && (now.UID != service.UID || endpointslice.Managed(&now))) {
		return false, fmt.Errorf("%w: Service %s has changed", errStale, service.Name)
	}
	if err == nil {
		err = a.live.Get(ctx, client.ObjectKeyFromObject(object), object)
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking whether %T %s is still needed: %w", object, object.GetName(), err)
	}
	return endpointslice.WrittenByControllers(object), nil
}

// referenceToService names a Service in events without asking the host's scheme.
func referenceToService(service *corev1.Service) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: "v1", Kind: "Service",
		Namespace: service.Namespace, Name: service.Name, UID: service.UID,
	}
}

// referenceToEndpoints names Endpoints likewise.
func referenceToEndpoints(endpoints *corev1.Endpoints) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: "v1", Kind: "Endpoints",
		Namespace: endpoints.Namespace, Name: endpoints.Name, UID: endpoints.UID,
	}
}
