// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClusterIPPool is a set of addresses that Services get their cluster IPs from.
// Whatever is done to a pool, the Services that exist keep the addresses that
// they have.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=cippool,categories=servicenet
// +kubebuilder:printcolumn:name="Total",type=string,JSONPath=`.status.total`,description="How many addresses the pool has."
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.used`,description="How many of them Services have."
// +kubebuilder:printcolumn:name="Free",type=string,JSONPath=`.status.free`,description="How many of them can be given out."
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the pool gives out addresses."
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it does or does not."
// +kubebuilder:printcolumn:name="Priority",type=integer,priority=1,JSONPath=`.spec.priority`,description="Pools with a higher priority go first."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ClusterIPPool struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is that of every object. A name says nothing but what a person
	// calls the pool, and, last of all, which of two equal pools goes first.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which addresses the pool has, and whom it serves.
	//
	// +required
	Spec ClusterIPPoolSpec `json:"spec"`

	// status is what has become of the pool. The manager writes it.
	//
	// +optional
	Status ClusterIPPoolStatus `json:"status,omitempty"`
}

// ClusterIPPoolSpec says which addresses a pool has, and whom it serves.
//
// +kubebuilder:validation:XValidation:rule="!has(self.serviceCIDR) || self.serviceCIDR != 'Managed' || (self.cidrs.filter(c, c.contains(':')).size() <= 1 && self.cidrs.filter(c, !c.contains(':')).size() <= 1)",fieldPath=".serviceCIDR",message="Managed needs at most one CIDR of each family: a ServiceCIDR has no more"
type ClusterIPPoolSpec struct {
	// cidrs are the addresses of the pool, such as 10.96.5.0/24 or
	// fd00:10:96::/112, of either family or both. IPv6 prefixes are /64 or longer.
	// They count as far as the ServiceCIDRs of the cluster contain them.
	//
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR, such as 10.96.5.0/24 or fd00:10:96::/112"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self) == cidr(self).masked()",message="must not have bits set after its prefix"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self).ip().family() == 4 || cidr(self).prefixLength() >= 64",message="IPv6 prefixes must be /64 or longer"
	CIDRs []string `json:"cidrs"`

	// exclusions are addresses of cidrs that the pool does not have: an address, a
	// CIDR, or a range such as 10.96.5.0-10.96.5.15. What no other pool has
	// either is given to nobody, nor may anybody name it.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=79
	// +kubebuilder:validation:items:XValidation:rule="isIP(self) || isCIDR(self) || (self.split('-').size() == 2 && self.split('-').all(a, isIP(a)))",message="must be an address, a CIDR, or a range such as 10.96.5.0-10.96.5.15"
	Exclusions []string `json:"exclusions,omitempty"`

	// reservations are addresses of the pool for certain Services, which need not
	// exist. They get these addresses, without naming them, and nobody else does.
	//
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Reservations []AddressReservation `json:"reservations,omitempty"`

	// serviceCIDR says who makes sure that the API server accepts the addresses of
	// the pool. With Unmanaged, ServiceCIDRs that contain cidrs exist for
	// other reasons. With Managed, the pool has a ServiceCIDR of its own.
	//
	// +optional
	// +default="Unmanaged"
	ServiceCIDR ServiceCIDRPolicy `json:"serviceCIDR,omitempty"`

	PoolPolicy `json:",inline"`
}

// ServiceCIDRPolicy says who makes sure that the API server accepts addresses.
//
// +kubebuilder:validation:Enum=Unmanaged;Managed
type ServiceCIDRPolicy string

const (
	// ServiceCIDRUnmanaged leaves ServiceCIDRs alone.
	ServiceCIDRUnmanaged ServiceCIDRPolicy = "Unmanaged"
	// ServiceCIDRManaged gives the pool a ServiceCIDR of its own.
	ServiceCIDRManaged ServiceCIDRPolicy = "Managed"
)

// AddressReservation is the addresses of one Service.
type AddressReservation struct {
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

	// addresses of the Service, one of each family at most.
	//
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=39
	// +kubebuilder:validation:items:XValidation:rule="isIP(self)",message="must be an address, such as 10.96.5.10 or fd00:10:96::a"
	// +kubebuilder:validation:XValidation:rule="self.size() < 2 || !self.all(a, isIP(a)) || ip(self[0]).family() != ip(self[1]).family()",message="must be of different families"
	Addresses []string `json:"addresses"`
}

// ClusterIPPoolStatus is what has become of a pool.
type ClusterIPPoolStatus struct {
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

// AddressUsage is how a pool stands in a family. The numbers are decimal and
// written as text, since a /64 has more addresses than 64 bits can count. Used,
// free and held add up to the capacity.
type AddressUsage struct {
	// family is IPv4 or IPv6.
	//
	// +required
	// +kubebuilder:validation:Enum=IPv4;IPv6
	Family string `json:"family"`

	// capacity is how many addresses the pool has: those of its cidrs or addresses
	// that are not excluded, and that no pool that goes first has; of cluster IPs,
	// that a ServiceCIDR has.
	//
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[0-9]+$`
	Capacity string `json:"capacity"`

	// used is how many of them Services have.
	//
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[0-9]+$`
	Used string `json:"used"`

	// free is how many of them every Service that the pool serves could get.
	//
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[0-9]+$`
	Free string `json:"free"`

	// held is how many of them no Service has that are not free either: reserved,
	// kept for a deleted Service, or about to be given out.
	//
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[0-9]+$`
	Held string `json:"held"`

	// usedByOthers is how many of the used ones Services have that the pool does
	// not serve. They had them before the pool was made or edited, and keep them.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[0-9]+$`
	UsedByOthers string `json:"usedByOthers,omitempty"`

	// usedOutside is how many addresses the Services that the pool serves have that
	// are in no pool that serves them. They keep them. A Service that several
	// pools serve counts in the one that goes first.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[0-9]+$`
	UsedOutside string `json:"usedOutside,omitempty"`
}

// ClusterIPPoolList is a list of pools.
//
// +kubebuilder:object:root=true
type ClusterIPPoolList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ClusterIPPool `json:"items"`
}
