// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
)

func keyOf(service *corev1.Service) types.NamespacedName { return client.ObjectKeyFromObject(service) }

// say has the status of a Service list what the provider says, if it does not already. It
// returns after what time to look at it again without a reason; zero is never.
func (r *cloudReconciler) say(ctx context.Context, service *corev1.Service, record *hosts.Record) (again time.Duration, err error) {
	list, differs := record.Ingress(service)
	if !differs {
		record.Said()
		return 0, nil
	}
	if again := record.Patience(r.clock.Now()); again > 0 {
		return again, nil
	}
	if _, err := r.writeIngress(ctx, service, list); err != nil {
		return 0, err
	}
	record.Said()
	return 0, nil
}

// writeIngress has the status of a Service list what is given, if it does not already,
// and returns the Service as it is then.
func (r *cloudReconciler) writeIngress(
	ctx context.Context, service *corev1.Service, list []corev1.LoadBalancerIngress,
) (*corev1.Service, error) {
	if apiequality.Semantic.DeepEqual(service.Status.LoadBalancer.Ingress, list) {
		return service, nil
	}
	after := service.DeepCopy()
	after.Status.LoadBalancer.Ingress = list
	return r.write(service, after, func(patch client.Patch) error { return r.statuses.Status().Patch(ctx, after, patch) })
}

// putFinalizer puts the finalizer of cloud controllers on a Service.
func (r *cloudReconciler) putFinalizer(ctx context.Context, service *corev1.Service) (*corev1.Service, error) {
	after := service.DeepCopy()
	after.Finalizers = append(after.Finalizers, hosts.Finalizer)
	return r.write(service, after, func(patch client.Patch) error { return r.writer.Patch(ctx, after, patch) })
}

// takeFinalizer takes it off.
func (r *cloudReconciler) takeFinalizer(ctx context.Context, service *corev1.Service) error {
	after := service.DeepCopy()
	after.Finalizers = slices.DeleteFunc(after.Finalizers, func(finalizer string) bool { return finalizer == hosts.Finalizer })
	_, err := r.write(service, after, func(patch client.Patch) error { return r.writer.Patch(ctx, after, patch) })
	if apierrors.IsNotFound(err) {
		return nil // somebody else has, and the Service is gone
	}
	return err
}

// write changes a Service that is still the one that was read, and returns what it is
// then. patch sends the change; after becomes what the API server answers.
func (r *cloudReconciler) write(before, after *corev1.Service, patch func(client.Patch) error) (*corev1.Service, error) {
	defer r.tracker.Begin(keyOf(before))()
	err := patch(client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return nil, fmt.Errorf("%w: changing Service %s: %w", errStale, before.Name, err)
	case err != nil:
		return nil, fmt.Errorf("changing Service %s: %w", before.Name, err)
	}
	if after.DeletionTimestamp == nil || len(after.Finalizers) > 0 {
		r.tracker.Wrote(after)
	}
	return after, nil
}

// tell makes an event about a Service, under a reason of upstream's service controller:
// a warning unless the reason says that all is well. None is made of what fails since
// the manager stops.
func (r *cloudReconciler) tell(ctx context.Context, service *corev1.Service, reason, note string, values ...any) {
	if ctx.Err() != nil {
		return
	}
	kind := corev1.EventTypeNormal
	if strings.HasSuffix(reason, "Failed") || strings.HasPrefix(reason, "UnAvailable") {
		kind = corev1.EventTypeWarning
	}
	r.recorder.Eventf(referenceToService(service), nil, kind, reason, "SyncLoadBalancer", note, values...)
}
