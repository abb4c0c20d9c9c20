// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/pool"
)

// +kubebuilder:rbac:groups=servicenet.dev,resources=clusterippools;loadbalancerpools;nodeportpools,verbs=list;watch
// +kubebuilder:rbac:groups=servicenet.dev,resources=clusterippools/status;loadbalancerpools/status;nodeportpools/status,verbs=patch

const (
	// statusPeriod is what lies between two writes of one pool's status at least.
	statusPeriod = time.Second
	// longestStatusPeriod is that after many failures.
	longestStatusPeriod = time.Minute
)

// poolStatus writes what has become of pools. It works on the leader.
type poolStatus struct {
	*poolUsage

	statuses client.StatusClient
	clock    clock.WithTicker
	heard    bell
	metrics  *poolMetrics
}

func newPoolStatus(r *replica) *poolStatus {
	return &poolStatus{
		poolUsage: newPoolUsage(r), statuses: r.cluster.GetClient(), clock: clock.RealClock{}, heard: r.news.status,
		metrics: r.poolMetrics,
	}
}

// run writes at once, and then when there is news, until the context ends.
func (s *poolStatus) run(ctx context.Context) error {
	defer s.metrics.show(nil)
	pause := statusPeriod
	for {
		err := s.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // what it was about to write, the next leader writes
		case err != nil:
			log.FromContext(ctx).Error(err, "Could not write the status of all pools")
			pause = min(2*pause, longestStatusPeriod)
			s.heard.ring()
		default:
			pause = statusPeriod
		}
		if !s.rest(ctx, pause) {
			return nil
		}
	}
}

// rest waits for a time, and then for news or until a ServiceCIDR has settled. It
// returns false when the context ends.
func (s *poolStatus) rest(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-s.clock.After(pause):
	}
	var settled <-chan time.Time
	if until := s.book.ClusterIPs().Until(); !until.IsZero() {
		settled = s.clock.After(until.Sub(s.clock.Now()))
	}
	select {
	case <-ctx.Done():
		return false
	case <-settled:
		return true
	case <-s.heard:
		return true
	}
}

// poolState is what is to be said of a pool.
type poolState struct {
	object client.Object
	kind   string
	// before and after are pointers to the status as it is, and as it is to be.
	before, after any
	// conditions are those of after.
	conditions *[]metav1.Condition
	verdict    pool.Verdict
}

// round writes the status of each pool whose status has changed.
func (s *poolStatus) round(ctx context.Context) error {
	if err := s.update(ctx); err != nil {
		return err
	}
	var states []poolState
	for _, list := range [...]func(context.Context) ([]poolState, error){s.clusterIPPools, s.nodePortPools, s.loadBalancerPools} {
		some, err := list(ctx)
		if err != nil {
			return err
		}
		states = append(states, some...)
	}
	s.metrics.show(states)
	var errs []error
	for _, state := range states {
		s.setReady(state.conditions, state.object.GetGeneration(), state.verdict)
		if !apiequality.Semantic.DeepEqual(state.before, state.after) {
			errs = append(errs, s.write(ctx, state.object, state.kind, state.after))
		}
	}
	return errors.Join(errs...)
}

func (s *poolStatus) clusterIPPools(ctx context.Context) ([]poolState, error) {
	if !s.options.runs(ClusterIPName) {
		return nil, nil
	}
	var pools servicenetv1alpha1.ClusterIPPoolList
	if err := s.reader.List(ctx, &pools); err != nil {
		return nil, fmt.Errorf("listing ClusterIPPools: %w", err)
	}
	var states []poolState
	for i := range pools.Items {
		of := &pools.Items[i]
		compiled := s.book.clusterIPPool(of.Name)
		if compiled == nil {
			continue
		}
		status, verdict := s.addresses.Status(compiled)
		status.Conditions = slices.Clone(of.Status.Conditions)
		states = append(states, poolState{of, "ClusterIPPool", &of.Status, &status, &status.Conditions, verdict})
	}
	return states, nil
}

func (s *poolStatus) nodePortPools(ctx context.Context) ([]poolState, error) {
	if !s.options.runs(NodePortName) {
		return nil, nil
	}
	var pools servicenetv1alpha1.NodePortPoolList
	if err := s.reader.List(ctx, &pools); err != nil {
		return nil, fmt.Errorf("listing NodePortPools: %w", err)
	}
	var states []poolState
	for i := range pools.Items {
		of := &pools.Items[i]
		if compiled := s.book.nodePortPool(of.Name); compiled != nil {
			status, verdict := s.ports.Status(compiled)
			status.Conditions = slices.Clone(of.Status.Conditions)
			states = append(states, poolState{of, "NodePortPool", &of.Status, &status, &status.Conditions, verdict})
		}
	}
	return states, nil
}

func (s *poolStatus) loadBalancerPools(ctx context.Context) ([]poolState, error) {
	if !s.options.runs(LoadBalancerName) {
		return nil, nil
	}
	var pools servicenetv1alpha1.LoadBalancerPoolList
	if err := s.reader.List(ctx, &pools); err != nil {
		return nil, fmt.Errorf("listing LoadBalancerPools: %w", err)
	}
	var states []poolState
	for i := range pools.Items {
		of := &pools.Items[i]
		if compiled := s.book.loadBalancerPool(of.Name); compiled != nil {
			status, verdict := s.balancers.Status(compiled)
			status.Conditions = slices.Clone(of.Status.Conditions)
			states = append(states, poolState{of, "LoadBalancerPool", &of.Status, &status, &status.Conditions, verdict})
		}
	}
	return states, nil
}

// setReady puts the verdict on a pool among its conditions.
func (s *poolStatus) setReady(conditions *[]metav1.Condition, generation int64, verdict pool.Verdict) {
	ready := metav1.Condition{
		Type: servicenetv1alpha1.ConditionReady, Status: metav1.ConditionFalse,
		Reason: verdict.Reason, Message: verdict.Message, ObservedGeneration: generation,
		LastTransitionTime: metav1.NewTime(s.clock.Now()).Rfc3339Copy(),
	}
	if verdict.Ready {
		ready.Status = metav1.ConditionTrue
	}
	apimeta.SetStatusCondition(conditions, ready)
}

// write writes the status of a pool, unless the pool is gone.
func (s *poolStatus) write(ctx context.Context, of client.Object, kind string, status any) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return fmt.Errorf("encoding the status of %s %s: %w", kind, of.GetName(), err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	object.SetGroupVersionKind(servicenetv1alpha1.GroupVersion.WithKind(kind))
	object.SetName(of.GetName())
	object.SetUID(of.GetUID()) // not that of a later pool of this name
	err = s.statuses.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object),
		client.FieldOwner(endpointslice.FieldManager), client.ForceOwnership)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("writing the status of %s %s: %w", kind, of.GetName(), err)
	}
	return nil
}
