// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/tracker"
)

// +kubebuilder:rbac:groups="",resources=services,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=endpoints,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups="",resources=endpoints/restricted,verbs=create
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// endpointsTracker remembers own writes to Endpoints, which bear their Service's
// name.
type endpointsTracker = tracker.Tracker[*corev1.Endpoints]

func newEndpointsTracker() *endpointsTracker {
	return tracker.New(func(object *corev1.Endpoints) types.NamespacedName { return client.ObjectKeyFromObject(object) })
}

type endpointsStates = states[*endpoints.State]

// endpointsReconciler keeps the Endpoints of a Service as [endpoints.Plan] says
// they should be.
type endpointsReconciler struct {
	access
	tracker     *endpointsTracker
	gatherer    *gatherer
	checks      *checks
	states      *endpointsStates
	late        *lateChanges
	departed    *departures
	keepOrphans bool
}

// Reconcile brings the Endpoints of one Service up to date.
func (r *endpointsReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	r.late.enqueue()
	if wait := r.gatherer.begin(request.NamespacedName); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	var again time.Duration
	service, err := r.getService(ctx, request.NamespacedName)
	var current *corev1.Endpoints
	if err == nil {
		current, err = r.currentEndpoints(ctx, request.NamespacedName)
	}
	switch {
	case err != nil:
	case service == nil:
		err = r.remove(ctx, request.NamespacedName, current)
	case !endpoints.Managed(service):
		err = r.cleanUp(ctx, service, current)
	default:
		again, err = r.publish(ctx, service, current)
	}
	r.gatherer.end(request.NamespacedName, err == nil)
	result, err := conclude(ctx, err, r.tracker.Pending(request.NamespacedName), func(error) {}) // the writes report their own failures
	return sooner(result, again), err
}

// currentEndpoints returns the Endpoints of a name, nil if there are none. It fails
// while the cache does not show own writes; what is settled in the middle of that,
// the cache shows afterwards.
func (r *endpointsReconciler) currentEndpoints(ctx context.Context, key client.ObjectKey) (*corev1.Endpoints, error) {
	var failed error
	behind := r.tracker.Behind(key, func(string) (*corev1.Endpoints, bool) {
		object, err := r.getEndpoints(ctx, key)
		if err != nil {
			failed = err
		}
		return object, object != nil
	}, r.clock.Now())
	if failed != nil {
		return nil, failed
	}
	if behind {
		return nil, fmt.Errorf("%w: own writes are missing", errStale)
	}
	return r.getEndpoints(ctx, key)
}

// publish carries out a plan for a Service with a selector. It returns after what
// time to look at the Service again without a reason; zero is never.
func (r *endpointsReconciler) publish(
	ctx context.Context, service *corev1.Service, current *corev1.Endpoints,
) (again time.Duration, err error) {
	r.departed.forget(client.ObjectKeyFromObject(service))
	state, err := r.refresh(ctx, service)
	if err != nil {
		return 0, err
	}
	changes := state.Plan(current, state.Trigger(current))
	switch {
	case changes.Create != nil:
		err = r.create(ctx, changes.Create)
	case changes.Update != nil:
		err = r.update(ctx, changes.Update)
	}
	if err != nil {
		return 0, err
	}
	state.Published()
	if changes.LeftOut > 0 && !changes.Empty() {
		r.recorder.Eventf(referenceToService(service), nil, corev1.EventTypeWarning, "EndpointsOverCapacity", "UpdateEndpoints",
			"%d addresses are missing from the Endpoints, which list %d at most; the EndpointSlices list them all",
			changes.LeftOut, endpoints.MaxAddresses)
	}
	if !changes.Empty() {
		return 0, nil
	}
	return r.checks.run(ctx, service, r.examine)
}

// refresh shows the state of a Service the pods that have changed since the last
// time, or everything when that is due.
func (r *endpointsReconciler) refresh(ctx context.Context, service *corev1.Service) (*endpoints.State, error) {
	state, noted := r.states.take(service)
	if state.Outdated(service) {
		key, value := r.states.labelOf(service)
		pods, err := r.listPods(ctx, service, key, value)
		if err != nil {
			return nil, err
		}
		state.Reset(service, pods)
		return state, nil
	}
	for name := range noted.pods {
		pod, err := r.getPod(ctx, client.ObjectKey{Namespace: service.Namespace, Name: name})
		switch {
		case err != nil:
			state.Invalidate() // what was noted has been taken
			return nil, err
		case pod == nil:
			state.RemovePod(name)
		default:
			state.SetPod(pod)
		}
	}
	return state, nil
}

func (r *endpointsReconciler) create(ctx context.Context, object *corev1.Endpoints) error {
	defer r.tracker.Begin(client.ObjectKeyFromObject(object))()
	err := r.writer.Create(ctx, object)
	switch {
	case err == nil:
		r.tracker.Wrote(object)
		return nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil // the Service goes with its namespace
	case apierrors.IsAlreadyExists(err):
		return fmt.Errorf("%w: Endpoints %s exist already", errStale, object.Name)
	default:
		r.recorder.Eventf(referenceToEndpoints(object), nil, corev1.EventTypeWarning, "FailedToCreateEndpoint", "CreateEndpoints",
			"Could not create the Endpoints of Service %s/%s: %v", object.Namespace, object.Name, err)
		return fmt.Errorf("creating the Endpoints: %w", err)
	}
}

func (r *endpointsReconciler) update(ctx context.Context, object *corev1.Endpoints) error {
	defer r.tracker.Begin(client.ObjectKeyFromObject(object))()
	before := object.ResourceVersion
	reference := referenceToEndpoints(object)
	err := r.writer.Update(ctx, object)
	switch {
	case err == nil && object.ResourceVersion == before:
		return nil // somebody between here and the store undid it: no event will come
	case err == nil:
		r.tracker.Wrote(object)
		return nil
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return fmt.Errorf("%w: updating the Endpoints: %w", errStale, err)
	default:
		r.recorder.Eventf(reference, nil, corev1.EventTypeWarning, "FailedToUpdateEndpoint", "UpdateEndpoints",
			"Could not update the Endpoints of Service %s/%s: %v", reference.Namespace, reference.Name, err)
		return fmt.Errorf("updating the Endpoints: %w", err)
	}
}

// remove deletes the Endpoints of a Service that is gone. They have no owner
// reference, so the garbage collector does not. Endpoints that somebody made by
// hand go with their Service too, but only if it was there a moment ago: left
// from before this process started, they may be waiting for a Service to come.
func (r *endpointsReconciler) remove(ctx context.Context, service types.NamespacedName, current *corev1.Endpoints) error {
	r.states.forget(service)
	r.gatherer.forget(service)
	r.checks.forget(service)
	if current == nil || endpoints.LeaderElection(current) {
		r.departed.forget(service)
		return nil
	}
	if !endpoints.Owned(current) && !r.departed.has(service) {
		return nil
	}
	if err := r.delete(ctx, current); err != nil {
		return err
	}
	r.departed.forget(service) // what somebody makes from now on is for a Service to come
	return nil
}

// cleanUp deletes the Endpoints that were made for a Service while it had a
// selector.
func (r *endpointsReconciler) cleanUp(ctx context.Context, service *corev1.Service, current *corev1.Endpoints) error {
	key := client.ObjectKeyFromObject(service)
	r.states.forget(key)
	r.checks.forget(key)
	r.departed.forget(key)
	if r.keepOrphans || current == nil || !endpoints.Owned(current) || current.DeletionTimestamp != nil {
		return nil
	}
	object := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: current.Namespace, Name: current.Name}}
	orphan, err := r.isOrphan(ctx, service, object)
	if err != nil {
		return err
	}
	if !orphan {
		log.FromContext(ctx).V(1).Info("Keeping Endpoints that somebody has edited")
		return nil
	}
	return r.delete(ctx, object)
}

func (r *endpointsReconciler) delete(ctx context.Context, object *corev1.Endpoints) error {
	defer r.tracker.Begin(client.ObjectKeyFromObject(object))()
	if err := r.deleteRead(ctx, object); err != nil {
		return err
	}
	r.tracker.Deleted(object)
	return nil
}

// departures are the Services whose deletion this process has seen and whose
// Endpoints may still be there.
type departures struct {
	mu   sync.Mutex
	seen map[types.NamespacedName]bool
}

func newDepartures() *departures { return &departures{seen: map[types.NamespacedName]bool{}} }

func (d *departures) add(service types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[service] = true
}

func (d *departures) has(service types.NamespacedName) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[service]
}

func (d *departures) forget(service types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seen, service)
}
