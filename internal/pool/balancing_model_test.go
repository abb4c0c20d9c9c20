// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// modelPool is a pool as the model has it: numbers by themselves.
type modelPool struct {
	object   *servicenetv1alpha1.LoadBalancerPool
	whole    map[netip.Addr]bool
	excluded map[netip.Addr]bool
	meant    map[netip.Addr]string
	team     string
}

// modelAddress is one of few, on both sides of where a block of the ledger ends.
func modelAddress(n int) netip.Addr {
	address := netip.MustParseAddr("10.0.15.240")
	for range n {
		address = address.Next()
	}
	return address
}

func randomModelPool(rng *rand.Rand, name string) *modelPool {
	m := &modelPool{whole: map[netip.Addr]bool{}, excluded: map[netip.Addr]bool{}, meant: map[netip.Addr]string{}}
	m.object = balancers(name, "")
	m.object.CreationTimestamp.Time = noon().Add(time.Duration(rng.IntN(3)) * time.Hour)
	spec := &m.object.Spec
	spec.Priority = rng.Int32N(2)
	spec.AutoAssign = new(rng.IntN(4) > 0)
	if rng.IntN(3) == 0 {
		spec.OnShrink = servicenetv1alpha1.ShrinkRehome
	}
	if rng.IntN(2) == 0 {
		m.team = []string{"a", "b"}[rng.IntN(2)]
		spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": m.team}}
		spec.Exclusive = rng.IntN(2) == 0
	}
	stretch := func(into map[netip.Addr]bool) string {
		first := rng.IntN(few)
		last := min(few-1, first+rng.IntN(12))
		for n := first; n <= last; n++ {
			into[modelAddress(n)] = true
		}
		return fmt.Sprintf("%v-%v", modelAddress(first), modelAddress(last))
	}
	for range 1 + rng.IntN(2) {
		spec.Addresses = append(spec.Addresses, stretch(m.whole))
	}
	for range rng.IntN(2) {
		spec.Exclusions = append(spec.Exclusions, stretch(m.excluded))
	}
	if address := modelAddress(rng.IntN(few)); m.has(address) && rng.IntN(2) == 0 {
		m.meant[address] = []string{"web", "db"}[rng.IntN(2)]
		spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: "shop", Name: m.meant[address], Addresses: []string{address.String()}}}
	}
	return m
}

func (m *modelPool) has(a netip.Addr) bool { return m.whole[a] && !m.excluded[a] }

// serves tells whether the pool serves the Service web of team a.
func (m *modelPool) serves() bool {
	left := slices.ContainsFunc(slices.Collect(keysOf(m.whole)), m.has)
	return left && m.team != "b"
}

func keysOf(all map[netip.Addr]bool) func(func(netip.Addr) bool) {
	return func(yield func(netip.Addr) bool) {
		for key := range all {
			if !yield(key) {
				return
			}
		}
	}
}

func (m *modelPool) specificity() int {
	if m.team != "" {
		return 1
	}
	return 0
}

// right orders pools by their right to an address.
func (m *modelPool) right(other *modelPool) int {
	exclusive := func(m *modelPool) int {
		if m.object.Spec.Exclusive {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(exclusive(other), exclusive(m)), cmp.Compare(other.object.Spec.Priority, m.object.Spec.Priority),
		cmp.Compare(other.specificity(), m.specificity()), m.object.CreationTimestamp.Compare(other.object.CreationTimestamp.Time),
		cmp.Compare(m.object.Name, other.object.Name))
}

// model is pools, those first that have the better right.
type model []*modelPool

func (m model) owner(a netip.Addr) *modelPool {
	for _, p := range m {
		if p.has(a) {
			return p
		}
	}
	return nil
}

// permits tells whether the Service may have an address of its own.
func (m model) permits(a netip.Addr) bool {
	owner := m.owner(a)
	if owner == nil {
		return false
	}
	if name := owner.meant[a]; name != "" {
		return name == "web"
	}
	return (!owner.object.Spec.Exclusive || owner.serves()) &&
		slices.ContainsFunc(m, func(p *modelPool) bool { return p.serves() && p.has(a) })
}

// gives tells whether an address may come of automatic choice, and of which pool.
func (m model) gives(a netip.Addr) (string, bool) {
	owner := m.owner(a)
	if owner == nil || !owner.serves() || !*owner.object.Spec.AutoAssign || owner.meant[a] != "" {
		return "", false
	}
	return owner.object.Name, true
}

func TestBalancingIsThatOfAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for round := range 1500 {
		var m model
		var compiled []*LoadBalancerPool
		for i := range rng.IntN(6) {
			p := randomModelPool(rng, fmt.Sprint("pool", i))
			m, compiled = append(m, p), append(compiled, CompileLoadBalancerPool(p.object))
		}
		slices.SortFunc(m, (*modelPool).right)
		compareWithModel(t, m, NewLoadBalancers(compiled, nil, nil))
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

func compareWithModel(t *testing.T, m model, l *LoadBalancers) {
	t.Helper()
	given := givenUnasked(l)
	for n := range few + 1 {
		a := modelAddress(n)
		owner := ""
		if p := m.owner(a); p != nil {
			owner = p.object.Name
		}
		got := ""
		if p := l.Owner(a); p != nil {
			got = p.Name
		}
		if got != owner {
			t.Errorf("%v is of %q, want %q", a, got, owner)
		}
		choice := l.Choose(shopWeb(), "", []Need{{Family: familyOf(a), Address: a}}, nil)[0]
		if (choice.Refusal == nil) != m.permits(a) {
			t.Errorf("%v: refused with %v, want permitted %v", a, choice.Refusal, m.permits(a))
		}
		if pool, gives := m.gives(a); given[a] != pool || gives != (given[a] != "") {
			t.Errorf("%v is given unasked of %q, want %q", a, given[a], pool)
		}
		standing, _ := l.Keeps(shopWeb(), "", a)
		if (standing == Fits) != m.permits(a) {
			t.Errorf("%v: standing %v, want permitted %v", a, standing, m.permits(a))
		}
		if standing == Rehomed && !slices.ContainsFunc(m, func(p *modelPool) bool {
			return p.serves() && p.object.Spec.OnShrink == servicenetv1alpha1.ShrinkRehome && *p.object.Spec.AutoAssign
		}) {
			t.Errorf("%v is rehomed, and no pool says so", a)
		}
	}
}

// givenUnasked returns the addresses that may come of automatic choice with the pools
// that they come of, for a Service that nothing is reserved for.
func givenUnasked(l *LoadBalancers) map[netip.Addr]string {
	who := shopWeb()
	who.Name = "other"
	given := map[netip.Addr]string{}
	choice := l.Choose(who, "", []Need{{Family: familyOf(modelAddress(0))}}, nil)[0]
	if choice.Refusal != nil {
		return given
	}
	for candidate := range choice.Candidates {
		for n := range few {
			a := modelAddress(n)
			block, number := allocator.Locate(a)
			if candidate.Range.ClassOf(block, number) == allocator.Dynamic {
				given[a] = candidate.Pool.Name
			}
		}
	}
	return given
}
