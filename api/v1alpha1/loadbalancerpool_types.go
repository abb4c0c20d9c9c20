// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LoadBalancerPool is a set of addresses that Services of type LoadBalancer get
// theirs from: some that are written down, or those of nodes. The pool gives
// addresses out; that traffic for them finds its way is the matter of whoever
// announces them, but for those of nodes.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=lbpool,categories=servicenet
// +kubebuilder:printcolumn:name="Total",type=string,JSONPath=`.status.total`,description="How many addresses the pool has."
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.used`,description="How many of them Services have."
// +kubebuilder:printcolumn:name="Free",type=string,JSONPath=`.status.free`,description="How many of them can be given out."
// +kubebuilder:printcolumn:name="Waiting",type=integer,JSONPath=`.status.waiting`,description="How many Services wait for one."
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the pool gives out addresses."
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it does or does not."
// +kubebuilder:printcolumn:name="Priority",type=integer,priority=1,JSONPath=`.spec.priority`,description="Pools with a higher priority go first."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type LoadBalancerPool struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is that of every object. A Service may ask for a pool by its name,
	// which also, last of all, says which of two equal pools goes first.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which addresses the pool has, and whom it serves.
	//
	// +required
	Spec LoadBalancerPoolSpec `json:"spec"`

	// status is what has become of the pool. The manager writes it.
	//
	// +optional
	Status LoadBalancerPoolStatus `json:"status,omitempty"`
}

// LoadBalancerPoolSpec says which addresses a pool has, and whom it serves.
//
// A pool of node addresses keeps nothing for anybody: its Services have the
// addresses of all its nodes, and share them by their ports.
//
// +kubebuilder:validation:XValidation:rule="has(self.addresses) != has(self.nodeSelector)",message="needs either addresses or a nodeSelector"
// +kubebuilder:validation:XValidation:rule="has(self.nodeSelector) || !has(self.nodeAddressTypes)",fieldPath=".nodeAddressTypes",message="is for pools with a nodeSelector"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || !has(self.exclusions)",fieldPath=".exclusions",message="is for pools with addresses; label a node node.kubernetes.io/exclude-from-external-load-balancers to leave it out"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || !has(self.reservations)",fieldPath=".reservations",message="is for pools with addresses: those of nodes are shared"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || !has(self.avoidNetworkAndBroadcast) || !self.avoidNetworkAndBroadcast",fieldPath=".avoidNetworkAndBroadcast",message="is for pools with addresses"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || !has(self.exclusive) || !self.exclusive",fieldPath=".exclusive",message="is for pools with addresses: those of nodes are shared"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || !has(self.retain)",fieldPath=".retain",message="is for pools with addresses: those of nodes are shared"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || !has(self.limitPerNamespace)",fieldPath=".limitPerNamespace",message="is for pools with addresses: those of nodes are shared"
type LoadBalancerPoolSpec struct {
	// addresses of the pool, as CIDRs such as 192.0.2.0/24 or ranges such as
	// 192.0.2.10-192.0.2.20, the lowest address first, of either family or both.
	// Each has 2^64 addresses at most, as a /64 has.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=79
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self) || (self.split('-').size() == 2 && self.split('-').all(a, isIP(a)))",message="must be a CIDR, or a range such as 192.0.2.10-192.0.2.20"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self) == cidr(self).masked()",message="must not have bits set after its prefix"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self).ip().family() == 4 || cidr(self).prefixLength() >= 64",message="IPv6 prefixes must be /64 or longer"
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self) || self.split('-').size() != 2 || !self.split('-').all(a, isIP(a)) || ip(self.split('-')[0]).family() == ip(self.split('-')[1]).family()",message="must be of one family"
	Addresses []string `json:"addresses,omitempty"`

	// exclusions are addresses that the pool does not have: an address, a CIDR, or
	// a range such as 192.0.2.0-192.0.2.15.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=79
	// +kubebuilder:validation:items:XValidation:rule="isIP(self) || isCIDR(self) || (self.split('-').size() == 2 && self.split('-').all(a, isIP(a)))",message="must be an address, a CIDR, or a range such as 192.0.2.0-192.0.2.15"
	Exclusions []string `json:"exclusions,omitempty"`

	// avoidNetworkAndBroadcast excludes the first and the last address of each IPv4
	// CIDR that has more than two, which some devices take for the address of a
	// network and for a broadcast. Ranges are taken as they are written.
	//
	// +optional
	AvoidNetworkAndBroadcast bool `json:"avoidNetworkAndBroadcast,omitempty"`

	// reservations are addresses of the pool for certain Services, which need not
	// exist. They get these addresses, without naming them, and nobody else does.
	//
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Reservations []AddressReservation `json:"reservations,omitempty"`

	// nodeSelector picks nodes by their labels. The pool has their addresses, as
	// long as they are ready, and neither labelled
	// node.kubernetes.io/exclude-from-external-load-balancers nor about to be
	// removed. An empty selector picks all nodes.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.all(e, e.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist'])",fieldPath=".matchExpressions",message="operator must be In, NotIn, Exists or DoesNotExist"
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.all(e, (e.operator in ['In', 'NotIn']) == (has(e.values) && size(e.values) > 0))",fieldPath=".matchExpressions",message="In and NotIn need values, Exists and DoesNotExist must have none"
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// nodeAddressTypes are the types of node addresses that count: of each family,
	// those of the first type that a node has. Without them, that is ExternalIP,
	// then InternalIP.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:XValidation:rule="self.size() < 2 || self[0] != self[1]",message="must be different types"
	NodeAddressTypes []NodeAddressType `json:"nodeAddressTypes,omitempty"`

	// autoAssign says whether Services get addresses of the pool without asking for
	// it. If not, they must name the pool, or one of its addresses, or have one
	// reserved.
	//
	// +optional
	// +default=true
	AutoAssign *bool `json:"autoAssign,omitempty"`

	// onShrink says what becomes of Services that the pool serves when their address
	// is in no pool any more that serves them: with Keep they keep it, with Rehome
	// they get another one, of this pool or of the next. Of several pools that
	// serve a Service, the one that goes first decides. It is no matter of pools of
	// node addresses: what Services have of these follows the nodes.
	//
	// +optional
	// +default="Keep"
	OnShrink ShrinkPolicy `json:"onShrink,omitempty"`

	// ipMode is what the status of Services says of addresses of the pool: with VIP,
	// nodes take traffic for them in themselves, with Proxy they send it out to a
	// proxy that has the address. An annotation of a Service goes before it.
	//
	// +optional
	// +default="VIP"
	IPMode IPMode `json:"ipMode,omitempty"`

	PoolPolicy `json:",inline"`
}

// NodeAddressType is a type of the addresses that a node has.
//
// +kubebuilder:validation:Enum=ExternalIP;InternalIP
type NodeAddressType string

// The types of node addresses.
const (
	NodeExternalIP NodeAddressType = "ExternalIP"
	NodeInternalIP NodeAddressType = "InternalIP"
)

// ShrinkPolicy says what becomes of Services whose address is in no pool any more
// that serves them.
//
// +kubebuilder:validation:Enum=Keep;Rehome
type ShrinkPolicy string

const (
	// ShrinkKeep lets them keep it.
	ShrinkKeep ShrinkPolicy = "Keep"
	// ShrinkRehome gives them another one.
	ShrinkRehome ShrinkPolicy = "Rehome"
)

// IPMode is the ipMode of the status of a Service.
//
// +kubebuilder:validation:Enum=VIP;Proxy
type IPMode string

// The modes, as the API of Services has them.
const (
	IPModeVIP   IPMode = "VIP"
	IPModeProxy IPMode = "Proxy"
)

// LoadBalancerPoolStatus is what has become of a pool. An address that several
// Services share counts once.
type LoadBalancerPoolStatus struct {
	// total, used and free are those of families in short, as kubectl shows them:
	// "254" of one family, "254/65535" of IPv4 and IPv6.
	//
	// +optional
	Total string `json:"total,omitempty"`
	// used is described at total.
	//
	// +optional
	Used string `json:"used,omitempty"`
	// free is described at total.
	//
	// +optional
	Free string `json:"free,omitempty"`

	// waiting is how many Services wait for an address of the pool. One that waits
	// for several pools counts in the one that goes first.
	//
	// +optional
	Waiting *int32 `json:"waiting,omitempty"`

	// families is how the pool stands in each family that it has addresses of.
	//
	// +optional
	// +listType=map
	// +listMapKey=family
	// +kubebuilder:validation:MaxItems=2
	Families []AddressUsage `json:"families,omitempty"`

	// conditions of the pool: Ready.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// LoadBalancerPoolList is a list of pools.
//
// +kubebuilder:object:root=true
type LoadBalancerPoolList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []LoadBalancerPool `json:"items"`
}
