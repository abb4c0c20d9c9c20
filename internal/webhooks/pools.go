// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/admission"
)

// Where pools are served.
const (
	ValidateClusterIPPoolsPath    = "/validate-servicenet-dev-v1alpha1-clusterippool"
	ValidateLoadBalancerPoolsPath = "/validate-servicenet-dev-v1alpha1-loadbalancerpool"
	ValidateNodePortPoolsPath     = "/validate-servicenet-dev-v1alpha1-nodeportpool"
)

// PoolFacts is what is known of the cluster when a pool of a name changes: all of a
// request but the pool itself.
type PoolFacts interface {
	ClusterIPPool(name string) *admission.ClusterIPPoolRequest
	LoadBalancerPool(name string) *admission.LoadBalancerPoolRequest
	NodePortPool(name string) *admission.NodePortPoolRequest
}

// Pools decides on pools.
type Pools struct{ Facts PoolFacts }

// ValidateClusterIPPool is the Judge of ClusterIPPools.
func (p *Pools) ValidateClusterIPPool(_ context.Context, request *admissionv1.AdmissionRequest, times *Times) (*Verdict, error) {
	is, was, err := readPool[servicenetv1alpha1.ClusterIPPool](request, "clusterippools")
	times.Spent("decoding")
	if err != nil || is == nil && was == nil {
		return &Verdict{}, err
	}
	asked := p.Facts.ClusterIPPool(request.Name)
	times.Spent("counting")
	asked.Pool, asked.Old = is, was
	review := admission.ReviewClusterIPPool(asked)
	times.Spent("deciding")
	return reviewed(&review, "ClusterIPPool", request.Name), nil
}

// ValidateLoadBalancerPool is the Judge of LoadBalancerPools.
func (p *Pools) ValidateLoadBalancerPool(_ context.Context, request *admissionv1.AdmissionRequest, times *Times) (*Verdict, error) {
	is, was, err := readPool[servicenetv1alpha1.LoadBalancerPool](request, "loadbalancerpools")
	times.Spent("decoding")
	if err != nil || is == nil && was == nil {
		return &Verdict{}, err
	}
	asked := p.Facts.LoadBalancerPool(request.Name)
	times.Spent("counting")
	asked.Pool, asked.Old = is, was
	review := admission.ReviewLoadBalancerPool(asked)
	times.Spent("deciding")
	return reviewed(&review, "LoadBalancerPool", request.Name), nil
}

// ValidateNodePortPool is the Judge of NodePortPools.
func (p *Pools) ValidateNodePortPool(_ context.Context, request *admissionv1.AdmissionRequest, times *Times) (*Verdict, error) {
	is, was, err := readPool[servicenetv1alpha1.NodePortPool](request, "nodeportpools")
	times.Spent("decoding")
	if err != nil || is == nil && was == nil {
		return &Verdict{}, err
	}
	asked := p.Facts.NodePortPool(request.Name)
	times.Spent("counting")
	asked.Pool, asked.Old = is, was
	review := admission.ReviewNodePortPool(asked)
	times.Spent("deciding")
	return reviewed(&review, "NodePortPool", request.Name), nil
}

// readPool returns a pool as it is to be, nil if it is deleted, and as it was, nil if
// it is created. Both are nil where there is nothing to decide.
func readPool[T any](request *admissionv1.AdmissionRequest, resource string) (is, was *T, err error) {
	if request.Resource != (metav1.GroupVersionResource(servicenetv1alpha1.GroupVersion.WithResource(resource))) {
		return nil, nil, &MalformedError{fmt.Errorf("%s are no %s of %s", request.Resource, resource, servicenetv1alpha1.GroupVersion)}
	}
	if request.SubResource != "" {
		return nil, nil, nil
	}
	switch request.Operation {
	case admissionv1.Create:
		is, err = decode[T](request.Object.Raw)
	case admissionv1.Delete:
		was, err = decode[T](request.OldObject.Raw)
	case admissionv1.Update:
		if is, err = decode[T](request.Object.Raw); err == nil {
			was, err = decode[T](request.OldObject.Raw)
		}
	default:
	}
	return is, was, err
}

func decode[T any](raw []byte) (*T, error) {
	object := new(T)
	if err := json.Unmarshal(raw, object); err != nil {
		return nil, &MalformedError{fmt.Errorf("the pool can't be read: %w", err)}
	}
	return object, nil
}

func reviewed(review *admission.Review, kind, name string) *Verdict {
	verdict := &Verdict{Warnings: review.Warnings}
	if len(review.Faults) > 0 {
		of := schema.GroupKind{Group: servicenetv1alpha1.GroupVersion.Group, Kind: kind}
		verdict.Refusal = admission.Refuse(of, &metav1.ObjectMeta{Name: name}, review.Faults)
	}
	return verdict
}
