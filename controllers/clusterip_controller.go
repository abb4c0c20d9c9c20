// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// +kubebuilder:rbac:groups=networking.k8s.io,resources=servicecidrs,verbs=get;list;watch;create;delete

// serviceCIDRReconciler gives pools that want it a ServiceCIDR of their own, as
// [pool.PlanServiceCIDR] says.
type serviceCIDRReconciler struct {
	access

	// settled tells whether addresses are chosen from a ServiceCIDR.
	settled func(*networkingv1.ServiceCIDR) bool
}

func setupServiceCIDR(mgr ctrl.Manager, r *replica) error {
	reconciler := &serviceCIDRReconciler{access: r.access, settled: r.book.settled}
	return newController(mgr, ClusterIPName, "cluster_ip_pool", 1, r.cluster.GetCache(), reconciler.watches()).Complete(reconciler)
}

func (r *serviceCIDRReconciler) watches() []watch {
	return []watch{
		watching(&servicenetv1alpha1.ClusterIPPool{},
			&handler.TypedEnqueueRequestForObject[*servicenetv1alpha1.ClusterIPPool]{}, specChanges()),
		watching(&networkingv1.ServiceCIDR{}, handler.TypedEnqueueRequestsFromMapFunc(ownerOfServiceCIDR)),
	}
}

// specChanges keeps out updates of pools that leave their specs alone.
func specChanges() predicate.TypedPredicate[*servicenetv1alpha1.ClusterIPPool] {
	return predicate.TypedFuncs[*servicenetv1alpha1.ClusterIPPool]{
		UpdateFunc: func(e event.TypedUpdateEvent[*servicenetv1alpha1.ClusterIPPool]) bool {
			return e.ObjectOld.UID != e.ObjectNew.UID || e.ObjectOld.Generation != e.ObjectNew.Generation ||
				e.ObjectNew.DeletionTimestamp != nil
		},
	}
}

func ownerOfServiceCIDR(_ context.Context, cidr *networkingv1.ServiceCIDR) []reconcile.Request {
	name := pool.OwnerPool(cidr)
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: name}}}
}

// Reconcile brings the ServiceCIDRs of one pool up to date.
func (r *serviceCIDRReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	of, owned, err := r.read(ctx, request.Name)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan := pool.PlanServiceCIDR(of, owned, r.settled)
	if err := r.execute(ctx, plan); err != nil {
		if of != nil && ctx.Err() == nil {
			r.recorder.Eventf(referenceToPool(of), nil, corev1.EventTypeWarning, "ServiceCIDRFailed", "UpdateServiceCIDR",
				"The ServiceCIDR of the pool could not be brought up to date: %v", err)
		}
		return ctrl.Result{}, err
	}
	if plan.Waits {
		// A ServiceCIDR settles without an event.
		return ctrl.Result{RequeueAfter: pool.SettleTime/2 + time.Second}, nil
	}
	return ctrl.Result{}, nil
}

// read returns a pool, nil if there is none, and the ServiceCIDRs that belong to it
// or belonged to an earlier one of this name.
func (r *serviceCIDRReconciler) read(
	ctx context.Context, name string,
) (of *servicenetv1alpha1.ClusterIPPool, owned []*networkingv1.ServiceCIDR, err error) {
	of = &servicenetv1alpha1.ClusterIPPool{}
	if err := r.reader.Get(ctx, client.ObjectKey{Name: name}, of); apierrors.IsNotFound(err) {
		of = nil
	} else if err != nil {
		return nil, nil, fmt.Errorf("reading the pool: %w", err)
	}
	var all networkingv1.ServiceCIDRList
	if err := r.reader.List(ctx, &all, client.MatchingLabels{pool.ManagedByLabel: pool.ManagedBy}); err != nil {
		return nil, nil, fmt.Errorf("listing ServiceCIDRs: %w", err)
	}
	for i := range all.Items {
		if pool.OwnerPool(&all.Items[i]) == name {
			owned = append(owned, &all.Items[i])
		}
	}
	return of, owned, nil
}

// execute does what a plan says.
func (r *serviceCIDRReconciler) execute(ctx context.Context, plan pool.ServiceCIDRPlan) error {
	var errs []error
	if plan.Create != nil {
		errs = append(errs, r.create(ctx, plan.Create))
	}
	for _, cidr := range plan.Delete {
		uid := cidr.UID
		err := r.writer.Delete(ctx, cidr, client.Preconditions{UID: &uid})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			errs = append(errs, fmt.Errorf("deleting ServiceCIDR %s: %w", cidr.Name, err))
		}
	}
	return errors.Join(errs...)
}

// create makes a ServiceCIDR. One that exists already is mostly one that the cache
// does not show yet: then its event starts the next reconcile. Somebody else's is
// left alone.
func (r *serviceCIDRReconciler) create(ctx context.Context, cidr *networkingv1.ServiceCIDR) error {
	err := r.writer.Create(ctx, cidr.DeepCopy())
	if err == nil {
		return nil
	}
	var there networkingv1.ServiceCIDR
	if apierrors.IsAlreadyExists(err) && r.live.Get(ctx, client.ObjectKeyFromObject(cidr), &there) == nil &&
		pool.OwnerPool(&there) == pool.OwnerPool(cidr) {
		return nil
	}
	return fmt.Errorf("creating ServiceCIDR %s: %w", cidr.Name, err)
}

// referenceToPool names a pool in events.
func referenceToPool(of *servicenetv1alpha1.ClusterIPPool) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: servicenetv1alpha1.GroupVersion.String(), Kind: "ClusterIPPool", Name: of.Name, UID: of.UID,
	}
}
