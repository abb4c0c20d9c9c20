// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	cloudprovider "k8s.io/cloud-provider"
	cloudapi "k8s.io/cloud-provider/api"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
	"servicenet.dev/servicenet/internal/tracker"
)

// +kubebuilder:rbac:groups="",resources=services,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups="",resources=services/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// cloudReconciler has a cloud provider make the load balancers of Services, lead them to
// the nodes, and delete them. All that it knows of a Service it can learn anew: after a
// start, each is ensured once.
type cloudReconciler struct {
	access
	cloud    *Cloud
	balancer cloudprovider.LoadBalancer
	calls    *cloudCalls
	metrics  *cloudMetrics
	statuses client.StatusClient
	terms    hosts.Terms
	nodes    *cloudNodes
	records  *cloudRecords
	pass     *nodePass
	// tracker knows which of our writes the cache has not shown yet.
	tracker *tracker.Tracker[*corev1.Service]
}

// Reconcile brings the load balancer of one Service up to date.
func (r *cloudReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	name := request.NamespacedName
	service, err := r.getService(ctx, name)
	if err != nil {
		return ctrl.Result{}, err
	}
	if r.tracker.Behind(name, shownAs(service), r.clock.Now()) {
		return ctrl.Result{RequeueAfter: tracker.MaxWait}, nil
	}
	again, err := r.sync(ctx, name, service)
	r.records.ended(name, err)
	if took, all := r.pass.ended(r.clock.Now(), name); all {
		r.metrics.nodeLatency.Observe(took.Seconds())
	}
	if retry, told := errors.AsType[*cloudapi.RetryError](err); told {
		log.FromContext(ctx).Info("The provider wants to be asked again", "after", retry.RetryAfter(), "reason", err.Error())
		return ctrl.Result{RequeueAfter: max(retry.RetryAfter(), soon)}, nil
	}
	result, err := conclude(ctx, err, r.tracker.Pending(name), func(error) {}) // sync has told
	return sooner(result, again), err
}

// shownAs returns what the cache has of a Service, for the tracker.
func shownAs(service *corev1.Service) func(string) (*corev1.Service, bool) {
	return func(string) (*corev1.Service, bool) { return service, service != nil }
}

// sync does what is owed to a Service, which is nil if there is none of that name, and
// says in events what could not be done. It returns after what time to look at it again
// without a reason; zero is never.
func (r *cloudReconciler) sync(ctx context.Context, name types.NamespacedName, service *corev1.Service) (again time.Duration, err error) {
	record := r.records.get(name)
	if r.terms.Departed(record, service) {
		if err := r.deleteDeparted(ctx, record.Service); err != nil {
			r.tell(ctx, record.Service, "DeleteLoadBalancerFailed", "Could not delete the load balancer: %v", err)
			return 0, err
		}
		r.records.forget(name)
		record = nil
	}
	if service == nil {
		return 0, nil
	}
	switch r.terms.Duty(service) {
	case hosts.Serve:
		return r.serve(ctx, service)
	case hosts.CleanUp:
		if err := r.cleanUp(ctx, service, record); err != nil {
			r.tell(ctx, service, "SyncLoadBalancerFailed", "The load balancer is not deleted, and tried again: %v", err)
			return 0, err
		}
		r.records.forget(name)
	case hosts.Nothing:
	}
	return 0, nil
}

// serve has a Service get its load balancer, and says in its status what that is.
func (r *cloudReconciler) serve(ctx context.Context, service *corev1.Service) (again time.Duration, err error) {
	nodes, err := r.nodes.current(ctx)
	if err != nil {
		return 0, err
	}
	record := r.records.get(keyOf(service))
	owed := record.Owed(service, nodes.ID)
	if owed == hosts.Ensure {
		r.tell(ctx, service, "EnsuringLoadBalancer", "Has the provider make the load balancer")
	}
	if !hosts.HasFinalizer(service) {
		if service, err = r.putFinalizer(ctx, service); err != nil {
			return 0, err
		}
	}
	if record == nil {
		record = r.records.add(keyOf(service), service)
	}
	switch owed {
	case hosts.Ensure:
		err = r.ensure(ctx, service, record, nodes)
	case hosts.Update:
		err = r.update(ctx, service, record, nodes)
	case hosts.None:
	}
	if err != nil {
		return 0, err
	}
	return r.say(ctx, service, record)
}

// ensure has the provider make a load balancer, or change it to what the Service asks
// for.
func (r *cloudReconciler) ensure(ctx context.Context, service *corev1.Service, record *hosts.Record, nodes hosts.Set) error {
	r.warnOfNoNodes(ctx, service, nodes)
	record.Asking(service, nodes.ID)
	status, err := called(ctx, r.calls, keyOf(service), "ensure", func(ctx context.Context) (*corev1.LoadBalancerStatus, error) {
		return r.balancer.EnsureLoadBalancer(ctx, r.cloud.ClusterName, service.DeepCopy(), nodes.Nodes)
	})
	switch {
	case errors.Is(err, cloudprovider.ImplementedElsewhere):
		record.Elsewhere()
		return nil
	case err == nil && status == nil:
		err = errors.New("the provider answered with no status")
	}
	if err != nil {
		err = fmt.Errorf("ensuring the load balancer: %w", err)
		r.tell(ctx, service, "SyncLoadBalancerFailed", "The load balancer is not up to date, and tried again: %v", err)
		return err
	}
	record.Ensured(status.Ingress)
	r.tell(ctx, service, "EnsuredLoadBalancer", "The load balancer is up to date")
	return nil
}

// update has the provider lead a load balancer to other nodes. Where that fails it is
// ensured at the next attempt, which also helps if it is gone.
func (r *cloudReconciler) update(ctx context.Context, service *corev1.Service, record *hosts.Record, nodes hosts.Set) error {
	record.Asking(service, nodes.ID)
	begun := r.clock.Now()
	_, err := called(ctx, r.calls, keyOf(service), "update", func(ctx context.Context) (none struct{}, err error) {
		return none, r.balancer.UpdateLoadBalancer(ctx, r.cloud.ClusterName, service.DeepCopy(), nodes.Nodes)
	})
	r.metrics.hostUpdate.Observe(r.clock.Since(begun).Seconds())
	if err != nil && !errors.Is(err, cloudprovider.ImplementedElsewhere) {
		r.metrics.nodeErrors.Inc()
		err = fmt.Errorf("leading the load balancer to %d nodes: %w", len(nodes.Nodes), err)
		r.tell(ctx, service, "UpdateLoadBalancerFailed", "The load balancer does not know its nodes, and is tried again: %v", err)
		return err
	}
	record.Updated()
	r.warnOfNoNodes(ctx, service, nodes)
	if err == nil && len(nodes.Nodes) > 0 {
		r.tell(ctx, service, "UpdatedLoadBalancer", "The load balancer leads to %d nodes", len(nodes.Nodes))
	}
	return nil
}

func (r *cloudReconciler) warnOfNoNodes(ctx context.Context, service *corev1.Service, nodes hosts.Set) {
	if len(nodes.Nodes) == 0 {
		r.tell(ctx, service, "UnAvailableLoadBalancer", "There is no node that the load balancer may lead to")
	}
}

// cleanUp has the provider delete a load balancer, and takes everything of it from the
// Service, the finalizer last.
func (r *cloudReconciler) cleanUp(ctx context.Context, service *corev1.Service, record *hosts.Record) error {
	held, exists, err := r.lookUp(ctx, service)
	if err != nil {
		return err
	}
	if !exists && record == nil && r.terms.Foreign(service) {
		return nil // the finalizer is that of whoever serves its class
	}
	if exists {
		r.tell(ctx, service, "DeletingLoadBalancer", "Has the provider delete the load balancer")
	}
	// Also if it does not exist: parts of it may.
	if err := r.deleteBalancer(ctx, service); err != nil {
		return err
	}
	if service.DeletionTimestamp == nil || len(service.Finalizers) > 1 {
		if service, err = r.writeIngress(ctx, service, r.terms.Left(service, record, held)); err != nil {
			return err
		}
	}
	if err := r.takeFinalizer(ctx, service); err != nil {
		return err
	}
	r.tell(ctx, service, "DeletedLoadBalancer", "The load balancer is deleted")
	return nil
}

// deleteDeparted has the provider delete the load balancer of a Service that is gone.
func (r *cloudReconciler) deleteDeparted(ctx context.Context, service *corev1.Service) error {
	r.tell(ctx, service, "DeletingLoadBalancer", "Has the provider delete the load balancer")
	if err := r.deleteBalancer(ctx, service); err != nil {
		return err
	}
	r.tell(ctx, service, "DeletedLoadBalancer", "The load balancer is deleted")
	return nil
}

func (r *cloudReconciler) deleteBalancer(ctx context.Context, service *corev1.Service) error {
	_, err := called(ctx, r.calls, keyOf(service), "delete", func(ctx context.Context) (none struct{}, err error) {
		return none, r.balancer.EnsureLoadBalancerDeleted(ctx, r.cloud.ClusterName, service.DeepCopy())
	})
	if err != nil && !errors.Is(err, cloudprovider.ImplementedElsewhere) {
		return fmt.Errorf("deleting the load balancer: %w", err)
	}
	return nil
}

// lookUp asks the provider whether it has a load balancer for a Service, and what the
// status says of that.
func (r *cloudReconciler) lookUp(
	ctx context.Context, service *corev1.Service,
) (held []corev1.LoadBalancerIngress, exists bool, err error) {
	type found struct {
		*corev1.LoadBalancerStatus
		exists bool
	}
	is, err := called(ctx, r.calls, keyOf(service), "get", func(ctx context.Context) (found, error) {
		status, exists, err := r.balancer.GetLoadBalancer(ctx, r.cloud.ClusterName, service.DeepCopy())
		return found{status, exists}, err
	})
	switch {
	case errors.Is(err, cloudprovider.ImplementedElsewhere), errors.Is(err, cloudprovider.InstanceNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("looking for the load balancer: %w", err)
	case is.exists && is.LoadBalancerStatus != nil:
		held = is.Ingress
	}
	return held, is.exists, nil
}
