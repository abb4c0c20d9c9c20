// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NodePortPool is a set of node ports that Services get theirs from, for their
// ports and for health checks. Whatever is done to a pool, the Services that
// exist keep the ports that they have.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=nppool,categories=servicenet
// +kubebuilder:printcolumn:name="Total",type=integer,JSONPath=`.status.capacity`,description="How many ports the pool has."
// +kubebuilder:printcolumn:name="Used",type=integer,JSONPath=`.status.used`,description="How many of them Services have."
// +kubebuilder:printcolumn:name="Free",type=integer,JSONPath=`.status.free`,description="How many of them can be given out."
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the pool gives out ports."
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it does or does not."
// +kubebuilder:printcolumn:name="Priority",type=integer,priority=1,JSONPath=`.spec.priority`,description="Pools with a higher priority go first."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type NodePortPool struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is that of every object. A name says nothing but what a person
	// calls the pool, and, last of all, which of two equal pools goes first.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which ports the pool has, and whom it serves.
	//
	// +required
	Spec NodePortPoolSpec `json:"spec"`

	// status is what has become of the pool. The manager writes it.
	//
	// +optional
	Status NodePortPoolStatus `json:"status,omitempty"`
}

// NodePortPoolSpec says which ports a pool has, and whom it serves.
type NodePortPoolSpec struct {
	// ranges are the ports of the pool. They count as far as they are in the range
	// of the cluster, which is a setting of the API server.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Ranges []PortRange `json:"ranges"`

	// exclusions are ports of ranges that the pool does not have. What no other
	// pool has either is given to nobody, nor may anybody name it.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	Exclusions []PortRange `json:"exclusions,omitempty"`

	// reservations are ports of the pool for certain Services, which need not
	// exist. They get these ports, without naming them, and nobody else does.
	//
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Reservations []PortReservation `json:"reservations,omitempty"`

	PoolPolicy `json:",inline"`
}

// PortRange is one or more ports.
//
// +kubebuilder:validation:XValidation:rule="!has(self.last) || self.first <= self.last",fieldPath=".last",message="must not be lower than first"
type PortRange struct {
	// first is the lowest port.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	First int32 `json:"first"`

	// last is the highest port. Without it there is only first.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Last int32 `json:"last,omitempty"`
}

// PortReservation is the node ports of one Service.
//
// +kubebuilder:validation:XValidation:rule="has(self.ports) || has(self.healthCheckNodePort)",message="needs ports, a healthCheckNodePort, or both"
type PortReservation struct {
	// namespace of the Service.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`

	// name of the Service.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// ports are node ports of the Service, for its ports by their names.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Ports []ReservedPort `json:"ports,omitempty"`

	// healthCheckNodePort is the port of its health check.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	HealthCheckNodePort int32 `json:"healthCheckNodePort,omitempty"`
}

// ReservedPort is a node port of a port of a Service.
type ReservedPort struct {
	// name of the Service's port; empty for a Service with one port without a name.
	//
	// +optional
	// +default=""
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// nodePort is the port on the nodes.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort int32 `json:"nodePort"`
}

// NodePortPoolStatus is what has become of a pool. Used, free and held add up to
// the capacity.
type NodePortPoolStatus struct {
	// capacity is how many ports the pool has: those of its ranges that are not
	// excluded, that are in the range of the cluster, and that no pool that goes
	// first has.
	//
	// +optional
	Capacity *int32 `json:"capacity,omitempty"`

	// used is how many of them Services have.
	//
	// +optional
	Used *int32 `json:"used,omitempty"`

	// free is how many of them every Service that the pool serves could get.
	//
	// +optional
	Free *int32 `json:"free,omitempty"`

	// held is how many of them no Service has that are not free either: reserved,
	// kept for a deleted Service, in quarantine after one, or about to be given
	// out.
	//
	// +optional
	Held *int32 `json:"held,omitempty"`

	// usedByOthers is how many of the used ones Services have that the pool does
	// not serve. They had them before the pool was made or edited, and keep them.
	//
	// +optional
	UsedByOthers *int32 `json:"usedByOthers,omitempty"`

	// usedOutside is how many ports the Services that the pool serves have that are
	// in no pool that serves them. They keep them. A Service that several pools
	// serve counts in the one that goes first.
	//
	// +optional
	UsedOutside *int32 `json:"usedOutside,omitempty"`

	// conditions of the pool: Ready.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// NodePortPoolList is a list of pools.
//
// +kubebuilder:object:root=true
type NodePortPoolList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []NodePortPool `json:"items"`
}
