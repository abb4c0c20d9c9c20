// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"servicenet.dev/servicenet/internal/policy"
	"servicenet.dev/servicenet/internal/pool"
)

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingadmissionpolicies;validatingadmissionpolicybindings,verbs=get;list;watch;create;update;delete

// policyPeriod is for how long changes of pools are gathered before the policies are
// written: the API servers compile them anew each time.
const policyPeriod = time.Second

// policyReconciler keeps the ValidatingAdmissionPolicies that pools need, and their
// bindings. All of them are one request, since one pool more may change any of them.
type policyReconciler struct {
	access

	options Options
	book    *poolBook
	// told is closed once the book shows all pools.
	told  <-chan struct{}
	pools *policyWatch
	// left are the pools that were reported to fit into no policy, and unheld counts them.
	left   []string
	unheld *prometheus.GaugeVec
}

func setupPolicies(mgr ctrl.Manager, r *replica) error {
	reconciler := &policyReconciler{access: r.access, options: r.options, book: r.book, told: r.told, pools: r.policies}
	var err error
	if reconciler.unheld, err = newUnheld(metrics.Registry); err != nil {
		return err
	}
	return newController(mgr, "policy", "policy", 1, r.cluster.GetCache(), reconciler.watches()).Complete(reconciler)
}

// newUnheld returns the gauge of pools that webhooks alone keep to.
func newUnheld(registry prometheus.Registerer) (*prometheus.GaugeVec, error) {
	r := &registrar{registry: registry, subsystem: "servicenet"}
	unheld := register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Subsystem: r.subsystem, Name: "pools_without_admission_policy",
		Help: "Pools for which there is no room in ValidatingAdmissionPolicies, by kind; the leader knows",
	}, []string{"kind"}))
	return unheld, r.failed()
}

func (r *policyReconciler) watches() []watch {
	return []watch{
		r.pools,
		watching(&admissionregistrationv1.ValidatingAdmissionPolicy{},
			handler.TypedEnqueueRequestsFromMapFunc(toPolicies[*admissionregistrationv1.ValidatingAdmissionPolicy])),
		watching(&admissionregistrationv1.ValidatingAdmissionPolicyBinding{},
			handler.TypedEnqueueRequestsFromMapFunc(toPolicies[*admissionregistrationv1.ValidatingAdmissionPolicyBinding])),
	}
}

// policiesRequest is the one request there is.
func policiesRequest() reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKey{Name: "pools"}}
}

func toPolicies[T client.Object](context.Context, T) []reconcile.Request {
	return []reconcile.Request{policiesRequest()}
}

// policyWatch is what poolBook tells of.
type policyWatch struct {
	mu    sync.Mutex
	queue queue
}

// from is of watch. The first look at the pools is taken at once.
func (w *policyWatch) from(cache.Cache) source.Source {
	return source.Func(func(_ context.Context, q queue) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.queue = q
		q.Add(policiesRequest())
		return nil
	})
}

// changed has the policies looked at soon.
func (w *policyWatch) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue != nil {
		w.queue.AddAfter(policiesRequest(), policyPeriod)
	}
}

// Reconcile brings all policies up to date.
func (r *policyReconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	select {
	case <-r.told:
	case <-ctx.Done():
		return ctrl.Result{}, nil
	}
	left, err := r.bringAll(ctx)
	if err == nil && !slices.Equal(left, r.left) {
		log.FromContext(ctx).Info("There is no room for all pools in ValidatingAdmissionPolicies: webhooks alone keep to these",
			"pools", left)
		r.left = left
	}
	return conclude(ctx, err, false, func(error) {})
}

// bringAll returns the pools that fit into no policy.
func (r *policyReconciler) bringAll(ctx context.Context) (left []string, err error) {
	for _, family := range r.families() {
		wanted := r.wanted(family)
		left = append(left, wanted.Left...)
		r.unheld.WithLabelValues(kindOf(family)).Set(float64(len(wanted.Left)))
		if err := r.bring(ctx, family, &wanted); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// families are those whose pools are known here.
func (r *policyReconciler) families() []policy.Family {
	var families []policy.Family
	if r.options.runs(ClusterIPName) {
		families = append(families, policy.ClusterIPs)
	}
	if r.options.runs(NodePortName) {
		families = append(families, policy.NodePorts)
	}
	return families
}

// kindOf returns the kind of the pools of a family.
func kindOf(family policy.Family) string {
	if family == policy.ClusterIPs {
		return "ClusterIPPool"
	}
	return "NodePortPool"
}

func (r *policyReconciler) wanted(family policy.Family) policy.Set {
	switch {
	case r.options.NoAdmissionPolicy:
		return policy.Set{}
	case family == policy.ClusterIPs:
		return policy.ForClusterIPs(r.book.ClusterIPs())
	default:
		return policy.ForNodePorts(r.book.NodePorts(), r.book.ports)
	}
}

// bring writes what is not there as it is to be, policies before bindings, and
// deletes what is there and not to be.
func (r *policyReconciler) bring(ctx context.Context, family policy.Family, wanted *policy.Set) error {
	var policies admissionregistrationv1.ValidatingAdmissionPolicyList
	var bindings admissionregistrationv1.ValidatingAdmissionPolicyBindingList
	if err := errors.Join(r.reader.List(ctx, &policies), r.reader.List(ctx, &bindings)); err != nil {
		return fmt.Errorf("listing ValidatingAdmissionPolicies: %w", err)
	}
	var all, there []client.Object
	for _, p := range wanted.Policies {
		all = append(all, p)
	}
	for _, b := range wanted.Bindings {
		all = append(all, b)
	}
	for i := range bindings.Items {
		there = append(there, &bindings.Items[i])
	}
	for i := range policies.Items {
		there = append(there, &policies.Items[i])
	}
	var errs []error
	for _, object := range all {
		errs = append(errs, r.put(ctx, object, find(there, object)))
	}
	for _, object := range there {
		if family.Has(object) && find(all, object) == nil {
			errs = append(errs, r.remove(ctx, object))
		}
	}
	return errors.Join(errs...)
}

// find returns the object of the same kind and name, nil if there is none.
func find(among []client.Object, object client.Object) client.Object {
	for _, other := range among {
		if other.GetName() == object.GetName() && fmt.Sprintf("%T", other) == fmt.Sprintf("%T", object) {
			return other
		}
	}
	return nil
}

// put makes an object, or updates the one that there is. One that the cache does not
// show has lost its label, if it exists at all.
func (r *policyReconciler) put(ctx context.Context, wanted, there client.Object) error {
	if there == nil {
		err := r.writer.Create(ctx, wanted)
		if !apierrors.IsAlreadyExists(err) {
			return failedTo("creating", wanted, err)
		}
		there, _ = wanted.DeepCopyObject().(client.Object)
		if err := r.live.Get(ctx, client.ObjectKeyFromObject(wanted), there); err != nil {
			return failedTo("reading", wanted, err)
		}
	}
	if samePolicy(wanted, there) {
		return nil
	}
	wanted.SetResourceVersion(there.GetResourceVersion())
	return failedTo("updating", wanted, r.writer.Update(ctx, wanted))
}

// samePolicy tells whether an object is as it is to be.
func samePolicy(wanted, there client.Object) bool {
	if there.GetLabels()[pool.ManagedByLabel] != pool.ManagedBy {
		return false
	}
	switch wanted := wanted.(type) {
	case *admissionregistrationv1.ValidatingAdmissionPolicy:
		is, ok := there.(*admissionregistrationv1.ValidatingAdmissionPolicy)
		return ok && apiequality.Semantic.DeepEqual(&wanted.Spec, &is.Spec)
	case *admissionregistrationv1.ValidatingAdmissionPolicyBinding:
		is, ok := there.(*admissionregistrationv1.ValidatingAdmissionPolicyBinding)
		return ok && apiequality.Semantic.DeepEqual(&wanted.Spec, &is.Spec)
	default:
		return false
	}
}

func (r *policyReconciler) remove(ctx context.Context, object client.Object) error {
	uid := object.GetUID()
	return failedTo("deleting", object, client.IgnoreNotFound(r.writer.Delete(ctx, object, client.Preconditions{UID: &uid})))
}

// failedTo says what failed, nil if nothing did. The event of an edit that came in
// between starts the next reconcile.
func failedTo(what string, object client.Object, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsConflict(err):
		return fmt.Errorf("%w: %s %T %s: %w", errStale, what, object, object.GetName(), err)
	}
	return fmt.Errorf("%s %T %s: %w", what, object, object.GetName(), err)
}
