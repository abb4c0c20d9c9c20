// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NumberFamily is a kind of numbers that Services are given. Each has a ledger
// of its own.
//
// +kubebuilder:validation:Enum=ClusterIPv4;ClusterIPv6;NodePort;LoadBalancerIPv4;LoadBalancerIPv6
type NumberFamily string

// The families of numbers.
const (
	ClusterIPv4      NumberFamily = "ClusterIPv4"
	ClusterIPv6      NumberFamily = "ClusterIPv6"
	NodePort         NumberFamily = "NodePort"
	LoadBalancerIPv4 NumberFamily = "LoadBalancerIPv4"
	LoadBalancerIPv6 NumberFamily = "LoadBalancerIPv6"
)

// AllocationBlock is what became of 4,096 neighbouring numbers: addresses or
// ports that Services use, that replicas of the manager have on loan, or that
// are held back for a while. All blocks together are the ledger that pools give
// numbers out from. A block depends on its numbers alone, not on any pool.
//
// The manager makes a block when one of its numbers is first asked for, and
// removes it once all are free again. Nobody else should write it: what a block
// says is repaired from the Services, but a number may be refused meanwhile.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=block,categories=servicenet
// +kubebuilder:printcolumn:name="Family",type=string,JSONPath=`.family`
// +kubebuilder:printcolumn:name="First",type=string,JSONPath=`.first`
// +kubebuilder:printcolumn:name="Used",type=integer,JSONPath=`.summary.used`
// +kubebuilder:printcolumn:name="Lent",type=integer,JSONPath=`.summary.lent`
// +kubebuilder:printcolumn:name="Held",type=integer,JSONPath=`.summary.held`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AllocationBlock struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// family says what the numbers are for.
	//
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a block keeps its family"
	Family NumberFamily `json:"family"`
	// first is the lowest number of the block: an address, or a port.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a block keeps its numbers"
	First string `json:"first"`
	// data is the record of the numbers that are not free, in a form of the
	// manager's own that has a version and a checksum.
	//
	// +kubebuilder:validation:MaxLength=262144
	Data []byte `json:"data"`
	// summary counts what data says, for people. The manager never reads it.
	Summary AllocationSummary `json:"summary"`
}

// AllocationSummary counts the numbers of a block that are not free.
type AllocationSummary struct {
	// used is how many numbers Services have.
	//
	// +kubebuilder:validation:Minimum=0
	Used int32 `json:"used"`
	// lent is how many numbers replicas of the manager have on loan, to give them
	// out without a write on the way.
	//
	// +kubebuilder:validation:Minimum=0
	Lent int32 `json:"lent"`
	// held is how many numbers no Service has any more that are not free yet:
	// kept for their last owner, or until it is certain that they are unused.
	//
	// +kubebuilder:validation:Minimum=0
	Held int32 `json:"held"`
}

// AllocationBlockList is a list of blocks.
//
// +kubebuilder:object:root=true
type AllocationBlockList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []AllocationBlock `json:"items"`
}
