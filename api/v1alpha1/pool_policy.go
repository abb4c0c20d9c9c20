// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PoolPolicy says whom a pool serves, and on what terms. All pool kinds have it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.exclusive) || !self.exclusive || has(self.namespaceSelector) || has(self.serviceSelector)",fieldPath=".exclusive",message="needs a namespaceSelector or a serviceSelector: a pool that serves everybody keeps nobody out"
type PoolPolicy struct {
	// namespaceSelector picks by their labels the namespaces whose Services the
	// pool serves. The label kubernetes.io/metadata.name picks a namespace by its
	// name. Without a selector the pool serves all namespaces.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.all(e, e.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist'])",fieldPath=".matchExpressions",message="operator must be In, NotIn, Exists or DoesNotExist"
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.all(e, (e.operator in ['In', 'NotIn']) == (has(e.values) && size(e.values) > 0))",fieldPath=".matchExpressions",message="In and NotIn need values, Exists and DoesNotExist must have none"
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// serviceSelector picks by their labels the Services that the pool serves, of
	// the namespaces that it serves. Without a selector it serves all of them.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.all(e, e.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist'])",fieldPath=".matchExpressions",message="operator must be In, NotIn, Exists or DoesNotExist"
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.all(e, (e.operator in ['In', 'NotIn']) == (has(e.values) && size(e.values) > 0))",fieldPath=".matchExpressions",message="In and NotIn need values, Exists and DoesNotExist must have none"
	ServiceSelector *metav1.LabelSelector `json:"serviceSelector,omitempty"`

	// priority orders the pools that serve a Service: numbers come from the one
	// with the highest priority that has a free one. Among equals, a pool with a
	// serviceSelector goes before one with a namespaceSelector only, that one
	// before one without, and then the name decides.
	//
	// +optional
	// +default=0
	Priority int32 `json:"priority,omitempty"`

	// exclusive keeps Services that the pool does not serve away from its
	// numbers: they neither get one nor may name one. Services that already have
	// one keep it.
	//
	// +optional
	Exclusive bool `json:"exclusive,omitempty"`

	// retain is how long the number of a deleted Service is kept for the next
	// Service with the same namespace and name, such as "24h" or "1h30m", at most
	// a year. Without it the number is free for all.
	//
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}(s|m|h))+$') || duration(self) <= duration('8784h')",message="at most a year, 8784h"
	Retain *metav1.Duration `json:"retain,omitempty"`

	// limitPerNamespace is how many numbers of the pool the Services of one
	// namespace may have, those kept for deleted ones included. Without it there
	// is no limit.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	LimitPerNamespace *int32 `json:"limitPerNamespace,omitempty"`
}

// ConditionReady is the type of the condition that says whether a pool gives out
// numbers, and if not, why. While it is False, the pool does what it still can.
const ConditionReady = "Ready"

// Reasons of the condition Ready. The first is that of True, all others are of
// False; of several, the one that comes first here is shown.
const (
	// ReasonAvailable says that the pool has free numbers.
	ReasonAvailable = "Available"
	// ReasonMalformed says that the spec cannot be understood, or contradicts
	// itself. The pool serves nobody until that is put right; an exclusive pool
	// still keeps others away from its numbers.
	ReasonMalformed = "Malformed"
	// ReasonOutsideServiceCIDR says that the pool has addresses in no ServiceCIDR
	// of the cluster: the API server would refuse them, so they are not given out.
	ReasonOutsideServiceCIDR = "OutsideServiceCIDR"
	// ReasonServiceCIDRNotReady says that the pool has addresses in ServiceCIDRs
	// that are not ready, or have not been ready for long enough that every API
	// server knows.
	ReasonServiceCIDRNotReady = "ServiceCIDRNotReady"
	// ReasonOutsidePortRange says that the pool has ports outside the range of the
	// cluster.
	ReasonOutsidePortRange = "OutsidePortRange"
	// ReasonNoNodeAddresses says that no node that the pool picks, and that can take
	// traffic, has an address.
	ReasonNoNodeAddresses = "NoNodeAddresses"
	// ReasonOverlaps says that the pool shares numbers with another of the same
	// standing that is older, or comes first by its name: they are that one's. It
	// is also the reason when pools that go first leave it no number at all.
	ReasonOverlaps = "Overlaps"
	// ReasonExhausted says that no number is free, in one of its families or in all.
	ReasonExhausted = "Exhausted"
)

// ForceAnnotation with the value "true" lets a pool be changed or deleted in a way
// that leaves numbers of Services outside of it, or namespaces above its limit. The
// Services keep what they have.
const ForceAnnotation = "servicenet.dev/force"
