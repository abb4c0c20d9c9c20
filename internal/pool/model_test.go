// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// few is how many numbers the models have.
const few = 40

// randomSpans returns spans of a few ports, in any order, some of which overlap.
func randomSpans(rng *rand.Rand) []span[Port] {
	spans := make([]span[Port], rng.IntN(6))
	for i := range spans {
		first := 1 + Port(rng.Int32N(few))
		spans[i] = span[Port]{first, min(few, first+Port(rng.Int32N(8)))}
	}
	return spans
}

// list returns the numbers of spans, each once, in their order.
func list(spans []span[Port]) []Port {
	var numbers []Port
	for n := Port(0); n <= few+1; n++ {
		if slices.ContainsFunc(spans, func(s span[Port]) bool { return s.first <= n && n <= s.last }) {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func TestSetsAreSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		a, b := randomSpans(rng), randomSpans(rng)
		left, right := newSet(a), newSet(b)
		in := func(numbers []Port) func(Port) bool { return func(n Port) bool { return slices.Contains(numbers, n) } }
		for name, test := range map[string]struct {
			got  set[Port]
			want []Port
		}{
			"new":    {left, list(a)},
			"union":  {union(left, right), list(append(slices.Clone(a), b...))},
			"minus":  {left.minus(right), slices.DeleteFunc(list(a), in(list(b)))},
			"within": {left.within(right), slices.DeleteFunc(list(a), func(n Port) bool { return !in(list(b))(n) })},
		} {
			if diff := cmp.Diff(test.want, list(test.got), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s of %v and %v: %s", name, a, b, diff)
			}
			for i := 1; i < len(test.got); i++ {
				if test.got[i].first <= test.got[i-1].last+1 {
					t.Fatalf("%s of %v and %v: %v is not in order, or not joined", name, a, b, test.got)
				}
			}
		}
		for n := range Port(few + 2) {
			if left.has(n) != slices.Contains(list(a), n) {
				t.Fatalf("%v has %d: %v", left, n, left.has(n))
			}
		}
	}
}

func TestTheFirstSetHasTheNumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 4000 {
		sets := make([]set[Port], rng.IntN(5))
		for i := range sets {
			sets[i] = newSet(randomSpans(rng))
		}
		divided := divide(sets)
		shares := divided.byHolder(len(sets))
		for n := range Port(few + 2) {
			want := slices.IndexFunc(sets, func(s set[Port]) bool { return s.has(n) })
			holder, found := divided.holder(n)
			if found != (want >= 0) || found && holder != want {
				t.Fatalf("%d of %v is %d's, %v, want %d", n, sets, holder, found, want)
			}
			for i := range shares {
				if shares[i].has(n) != (i == want) {
					t.Fatalf("%d of %v: %d has %v", n, sets, i, shares[i])
				}
			}
		}
		for i := range shares {
			if diff := cmp.Diff(newSet(shares[i]), shares[i], cmp.AllowUnexported(span[Port]{})); diff != "" {
				t.Fatalf("%d of %v is not joined: %s", i, sets, diff)
			}
		}
	}
}

// The last address of a family has none after it.
func TestSetsEndWithTheFamily(t *testing.T) {
	for _, prefixes := range [][2]string{{"255.255.255.0/24", "255.255.255.192/26"}, {"ffff:ffff:ffff:ffff::/64", "ffff:ffff:ffff:ffff:ff00::/72"}} {
		large, small := spanOf(netip.MustParsePrefix(prefixes[0])), spanOf(netip.MustParsePrefix(prefixes[1]))
		if got := newSet([]span[netip.Addr]{small, large}); len(got) != 1 || got[0] != large {
			t.Errorf("joined: %v", got)
		}
		rest := set[netip.Addr]{large}.minus(set[netip.Addr]{small})
		if len(rest) != 1 || rest[0].last != small.first.Prev() {
			t.Errorf("%v less %v is %v", large, small, rest)
		}
		if got := (set[netip.Addr]{small}).minus(set[netip.Addr]{large}); len(got) > 0 {
			t.Errorf("%v less %v is %v", small, large, got)
		}
		divided := divide([]set[netip.Addr]{{small}, {large}})
		if len(divided) != 2 || divided[0].holder != 1 || divided[1].span != small {
			t.Errorf("divided: %v", divided)
		}
	}
}

func randomSelector(rng *rand.Rand) *metav1.LabelSelector {
	if rng.IntN(6) == 0 {
		return nil
	}
	selector := &metav1.LabelSelector{}
	for range rng.IntN(3) {
		key := fmt.Sprint("key", rng.IntN(3))
		requirement := metav1.LabelSelectorRequirement{Key: key, Operator: []metav1.LabelSelectorOperator{
			metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist,
		}[rng.IntN(4)]}
		if requirement.Operator == metav1.LabelSelectorOpIn || requirement.Operator == metav1.LabelSelectorOpNotIn {
			for range 1 + rng.IntN(3) {
				requirement.Values = append(requirement.Values, strconv.Itoa(rng.IntN(3)))
			}
		}
		selector.MatchExpressions = append(selector.MatchExpressions, requirement)
	}
	return selector
}

func randomLabels(rng *rand.Rand) map[string]string {
	found := map[string]string{}
	for range rng.IntN(4) {
		found[fmt.Sprint("key", rng.IntN(3))] = strconv.Itoa(rng.IntN(3))
	}
	return found
}

func picks(t *testing.T, written *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	if written == nil {
		return true
	}
	parsed, err := metav1.LabelSelectorAsSelector(written)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Matches(labels.Set(set))
}

func TestTheDirectoryFindsWhoServes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		written := make([]struct{ namespaces, services *metav1.LabelSelector }, rng.IntN(12))
		pools := make([]*Pool, len(written))
		for i := range written {
			written[i].namespaces, written[i].services = randomSelector(rng), randomSelector(rng)
			object := makePool("p", "10.96.5.0/24")
			object.Spec.NamespaceSelector, object.Spec.ServiceSelector = written[i].namespaces, written[i].services
			pools[i] = CompileClusterIPPool(object).Pool
		}
		d := newDirectory(pools)
		for range 10 {
			who := &Who{NamespaceLabels: randomLabels(rng), ServiceLabels: randomLabels(rng)}
			want := []int{}
			for i := range written {
				if picks(t, written[i].namespaces, who.NamespaceLabels) && picks(t, written[i].services, who.ServiceLabels) {
					want = append(want, i)
				}
			}
			if diff := cmp.Diff(want, d.serving(who)); diff != "" {
				t.Fatalf("%+v of %+v: %s", who, written, diff)
			}
		}
	}
}
