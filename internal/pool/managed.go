// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// ManagedByLabel and ManagedBy mark the ServiceCIDRs that belong to pools.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "servicenet"
)

// longestName is for names of ServiceCIDRs, with room for what is added to that of
// the pool.
const longestName = 200

// ServiceCIDRPlan is what to do about the ServiceCIDRs of a pool.
type ServiceCIDRPlan struct {
	// Create is the one to make, nil for none.
	Create *networkingv1.ServiceCIDR
	// Delete are those to let go of. The API server keeps one while Services have
	// its addresses.
	Delete []*networkingv1.ServiceCIDR
	// Waits tells that others are to be let go of once the pool's own is settled.
	Waits bool
}

// OwnerPool returns the name of the pool that a ServiceCIDR belongs to, none if it
// is nobody's or somebody else's.
func OwnerPool(cidr *networkingv1.ServiceCIDR) string {
	owner := metav1.GetControllerOf(cidr)
	if owner == nil || owner.Kind != "ClusterIPPool" || cidr.Labels[ManagedByLabel] != ManagedBy {
		return ""
	}
	if group, _, _ := strings.Cut(owner.APIVersion, "/"); group != servicenetv1alpha1.GroupVersion.Group {
		return ""
	}
	return owner.Name
}

// PlanServiceCIDR returns what to do for a pool, nil if it is gone. owned are the
// ServiceCIDRs that belong to a pool of its name; settled tells whether addresses
// are chosen from one of them already. The specs of ServiceCIDRs can't be changed,
// so other CIDRs mean another object, and the one before goes when that is settled.
func PlanServiceCIDR(
	pool *servicenetv1alpha1.ClusterIPPool, owned []*networkingv1.ServiceCIDR, settled func(*networkingv1.ServiceCIDR) bool,
) ServiceCIDRPlan {
	var plan ServiceCIDRPlan
	wanted := wantedCIDRs(pool)
	var own *networkingv1.ServiceCIDR
	ready := true
	if len(wanted) > 0 {
		if own = findOwn(pool, owned, wanted); own == nil {
			plan.Create = newServiceCIDR(pool, wanted, owned)
		}
		ready = own != nil && settled(own)
	}
	for _, cidr := range owned {
		switch {
		case cidr == own || cidr.DeletionTimestamp != nil:
		case ready:
			plan.Delete = append(plan.Delete, cidr)
		default:
			plan.Waits = true
		}
	}
	return plan
}

// findOwn returns the ServiceCIDR that a pool wants, if there is one that stays.
func findOwn(
	pool *servicenetv1alpha1.ClusterIPPool, owned []*networkingv1.ServiceCIDR, wanted []string,
) (own *networkingv1.ServiceCIDR) {
	for _, cidr := range owned {
		fits := metav1.IsControlledBy(cidr, pool) && slices.Equal(sorted(cidr.Spec.CIDRs), sorted(wanted))
		if fits && cidr.DeletionTimestamp == nil && (own == nil || cidr.Name < own.Name) {
			own = cidr
		}
	}
	return own
}

// OwnServiceCIDRs returns what a pool's own ServiceCIDR is to have: nothing if it is to
// have none, or can't have one.
func OwnServiceCIDRs(pool *servicenetv1alpha1.ClusterIPPool) []netip.Prefix {
	if pool == nil || pool.DeletionTimestamp != nil || pool.Spec.ServiceCIDR != servicenetv1alpha1.ServiceCIDRManaged {
		return nil
	}
	var wanted []netip.Prefix
	for _, text := range pool.Spec.CIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil
		}
		wanted = append(wanted, prefix.Masked())
	}
	return wanted
}

// wantedCIDRs returns them as they are written.
func wantedCIDRs(pool *servicenetv1alpha1.ClusterIPPool) []string {
	var wanted []string
	for _, prefix := range OwnServiceCIDRs(pool) {
		wanted = append(wanted, prefix.String())
	}
	return wanted
}

// newServiceCIDR returns one with a name that is not that of one which is on its
// way out: an object that is being deleted can't be made again.
func newServiceCIDR(
	pool *servicenetv1alpha1.ClusterIPPool, cidrs []string, owned []*networkingv1.ServiceCIDR,
) *networkingv1.ServiceCIDR {
	taken := func(name string) bool {
		return slices.ContainsFunc(owned, func(cidr *networkingv1.ServiceCIDR) bool { return cidr.Name == name })
	}
	name := nameServiceCIDR(pool, cidrs, 0)
	for again := 1; taken(name); again++ {
		name = nameServiceCIDR(pool, cidrs, again)
	}
	owner := metav1.NewControllerRef(pool, servicenetv1alpha1.GroupVersion.WithKind("ClusterIPPool"))
	owner.BlockOwnerDeletion = nil // the pool waits for nobody
	return &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{ManagedByLabel: ManagedBy}, OwnerReferences: []metav1.OwnerReference{*owner},
		},
		Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs},
	}
}

// nameServiceCIDR returns the name of a pool's ServiceCIDR. It begins with that of
// the pool and is another for other CIDRs, a later pool of the same name, and a
// further attempt.
func nameServiceCIDR(pool *servicenetv1alpha1.ClusterIPPool, cidrs []string, attempt int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %d", pool.UID, sorted(cidrs), attempt))
	begin := strings.TrimRight(pool.Name[:min(len(pool.Name), longestName)], ".-")
	return begin + "-" + hex.EncodeToString(sum[:4])
}

func sorted(words []string) []string { return slices.Sorted(slices.Values(words)) }
