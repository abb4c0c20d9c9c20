// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// managedPool is a pool that wants a ServiceCIDR of its own.
func managedPool(uid, cidrs string) *servicenetv1alpha1.ClusterIPPool {
	p := makePool("more", cidrs)
	p.UID = types.UID(uid)
	p.Spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRManaged
	return p
}

// ownedBy is the ServiceCIDR that a pool would be given.
func ownedBy(p *servicenetv1alpha1.ClusterIPPool) *networkingv1.ServiceCIDR {
	return PlanServiceCIDR(p, nil, nil).Create
}

func leaving(cidr *networkingv1.ServiceCIDR) *networkingv1.ServiceCIDR {
	cidr = cidr.DeepCopy()
	cidr.DeletionTimestamp = &metav1.Time{Time: noon()}
	return cidr
}

func TestPlanServiceCIDR(t *testing.T) {
	now, edited, later := managedPool("1", "10.97.0.0/20"), managedPool("1", "10.98.0.0/24"), managedPool("2", "10.97.0.0/20")
	unmanaged := managedPool("1", "10.97.0.0/20")
	unmanaged.Spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRUnmanaged
	own := ownedBy(now)
	yes := func(*networkingv1.ServiceCIDR) bool { return true }
	no := func(*networkingv1.ServiceCIDR) bool { return false }
	for name, test := range map[string]struct {
		pool    *servicenetv1alpha1.ClusterIPPool
		owned   []*networkingv1.ServiceCIDR
		settled func(*networkingv1.ServiceCIDR) bool
		create  []string
		deleted []string
		waits   bool
	}{
		"a pool that wants one":         {now, nil, no, []string{"10.97.0.0/20"}, nil, false},
		"it has it":                     {now, []*networkingv1.ServiceCIDR{own}, yes, nil, nil, false},
		"it is on its way out":          {now, []*networkingv1.ServiceCIDR{leaving(own)}, yes, []string{"10.97.0.0/20"}, nil, false},
		"a pool that wants none":        {unmanaged, nil, no, nil, nil, false},
		"it wants none any more":        {unmanaged, []*networkingv1.ServiceCIDR{own}, no, nil, []string{own.Name}, false},
		"the pool is gone":              {nil, []*networkingv1.ServiceCIDR{own}, no, nil, []string{own.Name}, false},
		"gone, and so is the object":    {nil, []*networkingv1.ServiceCIDR{leaving(own)}, no, nil, nil, false},
		"edited":                        {edited, []*networkingv1.ServiceCIDR{own}, no, []string{"10.98.0.0/24"}, nil, true},
		"edited, the other is new":      {edited, []*networkingv1.ServiceCIDR{own, ownedBy(edited)}, no, nil, nil, true},
		"edited, the other has settled": {edited, []*networkingv1.ServiceCIDR{own, ownedBy(edited)}, yes, nil, []string{own.Name}, false},
		"a later pool of the same name": {later, []*networkingv1.ServiceCIDR{own}, no, []string{"10.97.0.0/20"}, nil, true},
		"that has its own":              {later, []*networkingv1.ServiceCIDR{own, ownedBy(later)}, yes, nil, []string{own.Name}, false},
		"made again while one is leaving": {
			now, []*networkingv1.ServiceCIDR{leaving(own), PlanServiceCIDR(now, []*networkingv1.ServiceCIDR{leaving(own)}, no).Create},
			yes, nil, nil, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan := PlanServiceCIDR(test.pool, test.owned, test.settled)
			var create, deleted []string
			if plan.Create != nil {
				create = plan.Create.Spec.CIDRs
				for _, other := range test.owned {
					if other.Name == plan.Create.Name {
						t.Errorf("there is one of the name %s already", other.Name)
					}
				}
			}
			for _, cidr := range plan.Delete {
				deleted = append(deleted, cidr.Name)
			}
			if diff := cmp.Diff(test.create, create); diff != "" {
				t.Errorf("create (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.deleted, deleted); diff != "" {
				t.Errorf("delete (-want +got):\n%s", diff)
			}
			if plan.Waits != test.waits {
				t.Errorf("waits %v, want %v", plan.Waits, test.waits)
			}
		})
	}
}

func TestServiceCIDRBelongsToItsPool(t *testing.T) {
	own := ownedBy(managedPool("1", "fd00:1::/112 10.97.0.0/20"))
	if got := OwnerPool(own); got != "more" {
		t.Errorf("owner %q", got)
	}
	for name, change := range map[string]func(*networkingv1.ServiceCIDR){
		"no label":      func(c *networkingv1.ServiceCIDR) { c.Labels = nil },
		"no owner":      func(c *networkingv1.ServiceCIDR) { c.OwnerReferences = nil },
		"other group":   func(c *networkingv1.ServiceCIDR) { c.OwnerReferences[0].APIVersion = "example.com/v1" },
		"other kind":    func(c *networkingv1.ServiceCIDR) { c.OwnerReferences[0].Kind = "NodePortPool" },
		"not in charge": func(c *networkingv1.ServiceCIDR) { c.OwnerReferences[0].Controller = nil },
	} {
		others := own.DeepCopy()
		change(others)
		if got := OwnerPool(others); got != "" {
			t.Errorf("%s: owner %q, want none", name, got)
		}
	}
}

func TestServiceCIDRsHaveNamesOfTheirOwn(t *testing.T) {
	names := map[string]bool{}
	for _, p := range []*servicenetv1alpha1.ClusterIPPool{
		managedPool("1", "10.97.0.0/20"), managedPool("2", "10.97.0.0/20"), managedPool("1", "10.98.0.0/24"),
	} {
		names[ownedBy(p).Name] = true
	}
	if len(names) != 3 {
		t.Errorf("names %v, want 3", names)
	}
	both, turned := managedPool("1", "fd00:1::/112 10.97.0.0/20"), managedPool("1", "10.97.0.0/20 fd00:1::/112")
	if plan := PlanServiceCIDR(turned, []*networkingv1.ServiceCIDR{ownedBy(both)}, func(*networkingv1.ServiceCIDR) bool { return true }); plan.Create != nil {
		t.Errorf("another order of CIDRs makes another: %v", plan.Create)
	}
}

func TestServiceCIDRHasAValidName(t *testing.T) {
	for _, name := range []string{"a", strings.Repeat("a", 253), strings.Repeat("a", 199) + ".b", strings.Repeat("a.", 120) + "b"} {
		p := managedPool("1", "10.97.0.0/20")
		p.Name = name
		if faults := validation.IsDNS1123Subdomain(ownedBy(p).Name); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}
