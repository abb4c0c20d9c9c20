// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// spread returns so many pods in zone-a, zone-b, ...
func spread(counts ...int) []*corev1.Pod {
	var pods []*corev1.Pod
	for i, count := range counts {
		pods = append(pods, makePods(100*i, 100*i+count, onNode("node-"+string(rune('a'+i))))...)
	}
	return pods
}

// autoInput is the input for a Service with Auto topology.
func autoInput(shares ZoneShares, pods []*corev1.Pod, options ...serviceOption) Input {
	in := makeInput(makeService(append(options, autoTopology)...), pods)
	in.Shares = shares
	return in
}

// hintCounts counts the hints for each zone.
func hintCounts(all []*discoveryv1.EndpointSlice) map[string]int {
	counts := map[string]int{}
	for _, slice := range all {
		for i := range slice.Endpoints {
			if slice.Endpoints[i].Hints != nil {
				for _, zone := range slice.Endpoints[i].Hints.ForZones {
					counts[zone.Name]++
				}
			}
		}
	}
	return counts
}

// The numbers are those of the stock controller, except where a zone without a
// share is named: there it goes on hinting at a zone that nobody is in.
func TestAutoTopologyGivesEachZoneItsShare(t *testing.T) {
	for name, test := range map[string]struct {
		shares ZoneShares
		pods   []*corev1.Pod
		want   map[string]int
	}{
		"each its own":                        {makeShares(1000, 1000), spread(3, 3), map[string]int{"zone-a": 3, "zone-b": 3}},
		"one to spare":                        {makeShares(1000, 1000), spread(4, 2), map[string]int{"zone-a": 3, "zone-b": 3}},
		"half an endpoint is none to spare":   {makeShares(1000, 1000), spread(4, 3), map[string]int{"zone-a": 4, "zone-b": 3}},
		"more than half, but not one":         {makeShares(1100, 900), spread(6, 6), map[string]int{"zone-a": 6, "zone-b": 6}},
		"all in one zone":                     {makeShares(1000, 1000, 1000), spread(9), map[string]int{"zone-a": 3, "zone-b": 3, "zone-c": 3}},
		"the greatest need first":             {makeShares(1000, 2000, 3000), spread(10), map[string]int{"zone-a": 2, "zone-b": 3, "zone-c": 5}},
		"by CPU":                              {makeShares(3000, 1000), spread(4, 4), map[string]int{"zone-a": 6, "zone-b": 2}},
		"small zone, rounded up":              {makeShares(9000, 1000), spread(2, 2), map[string]int{"zone-a": 3, "zone-b": 1}},
		"small zone, and none to spare":       {makeShares(9000, 1000), spread(4, 0), map[string]int{"zone-a": 4}},
		"least of a zone rounded up":          {makeShares(8000, 1000, 1000), spread(12, 1, 1), map[string]int{"zone-a": 11, "zone-b": 2, "zone-c": 1}},
		"pods in a zone without a share":      {makeShares(1000, 1000), spread(2, 2, 2), map[string]int{"zone-a": 3, "zone-b": 3}},
		"all pods in a zone without a share":  {makeShares(1000, 1000), spread(0, 0, 7), map[string]int{"zone-a": 4, "zone-b": 3}},
		"an endpoint more than in proportion": {makeShares(1000, 1000), spread(3, 3, 1), map[string]int{"zone-a": 4, "zone-b": 3}},
		"half a one, where one is in need":    {makeShares(100, 1500, 1400), spread(1, 5, 3), map[string]int{"zone-a": 1, "zone-b": 4, "zone-c": 4}},
		"no zone is half a one short": {
			makeShares(4000, 1167, 1167, 1167, 1167, 1167, 1167), spread(5, 1, 1, 1, 1, 1, 1),
			map[string]int{"zone-a": 5, "zone-b": 1, "zone-c": 1, "zone-d": 1, "zone-e": 1, "zone-f": 1, "zone-g": 1},
		},
		"as many as zones":            {makeShares(1000, 1000, 1000), spread(1, 1, 1), map[string]int{"zone-a": 1, "zone-b": 1, "zone-c": 1}},
		"unready ones do not count":   {makeShares(1000, 1000), append(spread(4, 3), makePods(300, 304, unready)...), map[string]int{"zone-a": 4, "zone-b": 3}},
		"nor do terminating ones":     {makeShares(1000, 1000), append(spread(4, 3), makePods(300, 304, terminating)...), map[string]int{"zone-a": 4, "zone-b": 3}},
		"unready one of unknown zone": {makeShares(1000, 1000), append(spread(2, 2), makePod(300, unready, onNode("node-zoneless"))), map[string]int{"zone-a": 2, "zone-b": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			in := autoInput(test.shares, test.pods)
			in.MaxEndpoints = 4
			changes := w.plan(in)
			if diff := cmp.Diff(test.want, hintCounts(w.list())); diff != "" {
				t.Errorf("hints by zone (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]ZoneHints{{Family: ipv4, Given: true}}, changes.ZoneHints); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			checkHints(t, in.Service, in.Shares, ipv4, w.list())
		})
	}
}

func TestAutoTopologyTellsWhyThereAreNoHints(t *testing.T) {
	for name, test := range map[string]struct {
		shares ZoneShares
		pods   []*corev1.Pod
		want   string // part of the reason
	}{
		"nothing known":             {ZoneShares{}, spread(3, 3), "the zones of the nodes are not known"},
		"one zone":                  {makeShares(1000), spread(3, 3), "2 are needed"},
		"fewer endpoints than zone": {makeShares(1000, 1000, 1000), spread(1, 1), "2 ready endpoints are too few for 3 zones"},
		"no endpoint":               {makeShares(1000, 1000), nil, "0 ready endpoints are too few for 2 zones"},
		"too few are ready":         {makeShares(1000, 1000), append(spread(1), makePods(300, 305, unready)...), "1 ready endpoints are too few for 2 zones"},
		"one would be overloaded":   {makeShares(9000, 1000), spread(2, 1), "no division of 3 ready endpoints among 2 zones leaves every endpoint within 20%"},
		"by the least bit":          {makeShares(60_001, 39_999), spread(1, 1), "no division of 2 ready endpoints"},
		"endpoint of no zone":       {makeShares(1000, 1000), append(spread(2, 2), makePod(300, onNode("node-zoneless"))), "the zone of endpoint 10.0.1.51 is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			changes := w.plan(autoInput(test.shares, test.pods))
			if got := hintCounts(w.list()); len(got) > 0 {
				t.Errorf("got hints %v", got)
			}
			if len(changes.ZoneHints) != 1 || changes.ZoneHints[0].Given || !strings.Contains(changes.ZoneHints[0].Reason, test.want) {
				t.Errorf("got %+v, want the reason to say %q", changes.ZoneHints, test.want)
			}
		})
	}
}

// 20 % more than its fair load is what an endpoint may be given.
func TestAutoTopologyBearsTwentyPercentOverload(t *testing.T) {
	w := newWorld(t)
	if changes := w.plan(autoInput(makeShares(6000, 4000), spread(1, 1))); !changes.ZoneHints[0].Given {
		t.Errorf("two endpoints for shares of 60%% and 40%% have no hints: %s", changes.ZoneHints[0].Reason)
	}
}

func TestUnreadyEndpointsHaveNoHints(t *testing.T) {
	w := newWorld(t)
	pods := append(spread(3, 3), makePod(300, unready), makePod(301, terminating))
	w.plan(autoInput(makeShares(1000, 1000), pods))
	for i := range w.only().Endpoints {
		if endpoint := &w.only().Endpoints[i]; isReady(endpoint) != (endpoint.Hints != nil) {
			t.Errorf("%s: ready %v, hints %v", endpoint.TargetRef.Name, isReady(endpoint), endpoint.Hints)
		}
	}
	pods[0] = makePod(0, unready)
	changes := w.plan(autoInput(makeShares(1000, 1000), pods))
	if !changes.ZoneHints[0].Before {
		t.Error("the hints of a slice that is written were not there before")
	}
	checkHints(t, makeService(autoTopology), makeShares(1000, 1000), ipv4, w.list())
}

func TestAutoTopologyBeatsTrafficDistribution(t *testing.T) {
	w := newWorld(t)
	in := autoInput(makeShares(1000, 1000), spread(4), withTrafficDistribution(corev1.ServiceTrafficDistributionPreferSameNode))
	w.plan(in)
	if diff := cmp.Diff(map[string]int{"zone-a": 2, "zone-b": 2}, hintCounts(w.list())); diff != "" {
		t.Errorf("hints by zone (-want +got):\n%s", diff)
	}
	in.Shares = ZoneShares{}
	w.plan(in)
	if got := hintCounts(w.list()); len(got) > 0 {
		t.Errorf("Auto topology that cannot be had leaves the hints of the traffic distribution: %v", got)
	}
}

// Hints that name nodes would go on to decide: kube-proxy asks the slices, not
// the Service.
func TestSwitchToAutoTopologyDropsNodeHints(t *testing.T) {
	sameNode := withTrafficDistribution(corev1.ServiceTrafficDistributionPreferSameNode)
	w := planned(t, makeService(sameNode), spread(2, 2)...)
	w.plan(autoInput(makeShares(1000, 1000), spread(2, 2), sameNode))
	for i := range w.only().Endpoints {
		if hints := w.only().Endpoints[i].Hints; hints == nil || hints.ForNodes != nil {
			t.Errorf("got hints %v", hints)
		}
	}
}

func TestSwitchFromZonesToAutoTopologyMayChangeNothing(t *testing.T) {
	sameZone := withTrafficDistribution(corev1.ServiceTrafficDistributionPreferSameZone)
	w := planned(t, makeService(sameZone), spread(2, 2)...)
	changes := w.plan(autoInput(makeShares(1000, 1000), spread(2, 2), sameZone))
	if !changes.Empty() {
		t.Error("a slice was written whose hints are in proportion already")
	}
	if diff := cmp.Diff([]ZoneHints{{Family: ipv4, Before: true, Given: true}}, changes.ZoneHints); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestWithoutTheAnnotationHintsAreRemoved(t *testing.T) {
	w := newWorld(t)
	w.plan(autoInput(makeShares(1000, 1000), spread(3, 1)))
	changes := w.plan(makeInput(makeService(), spread(3, 1)))
	if got := hintCounts(w.list()); len(got) > 0 || len(changes.ZoneHints) > 0 {
		t.Errorf("got hints %v, outcome %v", got, changes.ZoneHints)
	}
}

func TestHintsAreRemovedFromAllWhenTheyCannotBeGiven(t *testing.T) {
	w := newWorld(t)
	in := autoInput(makeShares(1000, 1000), spread(5, 5))
	in.MaxEndpoints = 3
	w.plan(in)
	in.Pods = append(in.Pods, makePod(300, onNode("node-zoneless")))
	changes := w.plan(in)
	if got := hintCounts(w.list()); len(got) > 0 {
		t.Errorf("got hints %v", got)
	}
	want := []ZoneHints{{Family: ipv4, Before: true, Cause: "EndpointWithoutZone", Reason: "the zone of endpoint 10.0.1.51 is not known"}}
	if diff := cmp.Diff(want, changes.ZoneHints); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	if changes = w.plan(in); changes.ZoneHints[0].Before {
		t.Error("hints that are gone are still reported")
	}
}

func TestUntouchedSlicesKeepTheirHints(t *testing.T) {
	w := newWorld(t)
	in := autoInput(makeShares(1000, 1000), spread(6, 6))
	in.MaxEndpoints = 4
	w.plan(in)
	w.resetCounts()
	in.Pods[5] = makePod(5, func(p *corev1.Pod) { p.UID = "another" })
	w.plan(in)
	if got, want := w.counts(), "0 created, 1 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Six of fourteen is not seven, but nobody is overloaded by that.
	w.resetCounts()
	in.Pods = append(in.Pods, makePod(10), makePod(11))
	w.plan(in)
	if got, want := w.counts(), "1 created, 0 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	w.resetCounts()
	in.Shares = makeShares(1100, 1000)
	w.plan(in)
	if got, want := w.counts(), "0 created, 0 updated, 0 deleted"; got != want {
		t.Errorf("a small change of the shares: %s, want %s", got, want)
	}
}

func TestHintsAreMadeAnewWhenTheyNoLongerFit(t *testing.T) {
	hinted := func(hints ...*discoveryv1.EndpointHints) func(*discoveryv1.EndpointSlice) {
		return func(slice *discoveryv1.EndpointSlice) {
			for i := range slice.Endpoints {
				slice.Endpoints[i].Hints = hints[i%len(hints)].DeepCopy()
			}
		}
	}
	two := &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: "zone-a"}, {Name: "zone-b"}}}
	for name, test := range map[string]struct {
		shares ZoneShares
		edit   func(*discoveryv1.EndpointSlice)
		want   map[string]int
	}{
		"a zone lost its share":       {makeShares(1000, 1000), func(*discoveryv1.EndpointSlice) {}, map[string]int{"zone-a": 3, "zone-b": 3}},
		"a share has shrunk":          {makeShares(1000, 4000, 1000), func(*discoveryv1.EndpointSlice) {}, map[string]int{"zone-a": 1, "zone-b": 4, "zone-c": 1}},
		"hints for a zone unknown":    {makeShares(1000, 1000, 1000), hinted(forZone("zone-x")), map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2}},
		"all hints for one zone":      {makeShares(1000, 1000, 1000), hinted(forZone("zone-a")), map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2}},
		"some without hints":          {makeShares(1000, 1000, 1000), hinted(forZone("zone-a"), nil), map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2}},
		"hints without any zone":      {makeShares(1000, 1000, 1000), hinted(&discoveryv1.EndpointHints{}), map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2}},
		"hints for two zones at once": {makeShares(1000, 1000, 1000), hinted(two), map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2}},
		"the unready one has a hint": {makeShares(1000, 1000, 1000), func(s *discoveryv1.EndpointSlice) {
			for i := range s.Endpoints {
				if !isReady(&s.Endpoints[i]) {
					s.Endpoints[i].Hints = forZone("zone-a")
				}
			}
		}, map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			in := autoInput(makeShares(1000, 1000, 1000), append(spread(2, 2, 2), makePod(900, unready)))
			w.plan(in)
			slice := w.only().DeepCopy()
			test.edit(slice)
			w.store(slice)
			in.Shares = test.shares
			w.plan(in)
			if diff := cmp.Diff(test.want, hintCounts(w.list())); diff != "" {
				t.Errorf("hints by zone (-want +got):\n%s", diff)
			}
			checkHints(t, in.Service, in.Shares, ipv4, w.list())
		})
	}
}

// A zone may have its share from one slice or from another. Slices that have it
// one by one, and too much of it together, are not all kept.
func TestSlicesTogetherKeepToTheShares(t *testing.T) {
	for name, test := range map[string]struct {
		shares ZoneShares
		pods   []*corev1.Pod
		hints  []string // of all endpoints, in their order
		want   map[string]int
	}{
		"all for one zone": {
			makeShares(1000, 1000), spread(4, 4),
			[]string{"zone-a", "zone-a", "zone-a", "zone-a", "zone-a", "zone-a", "zone-a", "zone-a"},
			map[string]int{"zone-a": 4, "zone-b": 4},
		},
		"half a one too many": {
			makeShares(100, 1500, 1400), spread(1, 5, 3),
			[]string{"zone-a", "zone-b", "zone-b", "zone-b", "zone-b", "zone-b", "zone-c", "zone-c", "zone-c"},
			map[string]int{"zone-a": 1, "zone-b": 4, "zone-c": 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			in := makeInput(makeService(), test.pods)
			in.MaxEndpoints = 4
			w.plan(in)
			for _, slice := range w.list() {
				edited := slice.DeepCopy()
				for i := range edited.Endpoints {
					at := slices.IndexFunc(test.pods, func(pod *corev1.Pod) bool { return pod.Name == edited.Endpoints[i].TargetRef.Name })
					edited.Endpoints[i].Hints = forZone(test.hints[at])
				}
				w.store(edited)
			}
			w.resetCounts()
			in = autoInput(test.shares, test.pods)
			in.MaxEndpoints = 4
			w.plan(in)
			if diff := cmp.Diff(test.want, hintCounts(w.list())); diff != "" {
				t.Errorf("hints by zone (-want +got):\n%s", diff)
			}
			if got, want := w.counts(), "0 created, 1 updated, 0 deleted"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// What an edit leaves in proportion is not put back: hints that move endpoints
// between zones for nothing move traffic for nothing.
func TestHintsInProportionAreLeftAsTheyAre(t *testing.T) {
	w := newWorld(t)
	in := autoInput(makeShares(1000, 1000), spread(2, 2))
	w.plan(in)
	slice := w.only().DeepCopy()
	for i := range slice.Endpoints {
		other := map[string]string{"zone-a": "zone-b", "zone-b": "zone-a"}[slice.Endpoints[i].Hints.ForZones[0].Name]
		slice.Endpoints[i].Hints = forZone(other)
	}
	w.store(slice)
	in.Slices = w.list()
	if changes := Plan(in); !changes.Empty() {
		t.Error("the slice was written")
	}
}

// Where the shares and the rounding leave a zone without any endpoint, as the
// stock controller has it, that is the outcome and not the start of a quarrel.
func TestAnUnevenDivisionIsMadeOnce(t *testing.T) {
	w := newWorld(t)
	in := autoInput(makeShares(9000, 1000), spread(4))
	in.MaxEndpoints = 1
	w.plan(in)
	in.Shares = makeShares(8990, 1010)
	in.Slices = w.list()
	slices.Reverse(in.Pods)
	if changes := Plan(in); !changes.Empty() {
		t.Errorf("%d slices were written for shares that hardly differ", len(changes.Update))
	}
}

func TestEachFamilyHasHintsOfItsOwn(t *testing.T) {
	pods := append(spread(2, 2), makePod(300, withIPs("fd00::1")), makePod(301, withIPs("fd00::2"), onNode("node-zoneless")))
	for _, pod := range pods[:4] {
		pod.Status.PodIPs = append(pod.Status.PodIPs, corev1.PodIP{IP: "fd00::" + pod.Name[len(pod.Name)-3:]})
	}
	w := newWorld(t)
	changes := w.plan(autoInput(makeShares(1000, 1000), pods, withFamilies(corev1.IPv6Protocol, corev1.IPv4Protocol)))
	want := []ZoneHints{
		{Family: ipv6, Cause: "EndpointWithoutZone", Reason: "the zone of endpoint fd00::2 is not known"},
		{Family: ipv4, Given: true},
	}
	if diff := cmp.Diff(want, changes.ZoneHints); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"zone-a": 2, "zone-b": 2}, hintCounts(w.list())); diff != "" {
		t.Errorf("hints by zone (-want +got):\n%s", diff)
	}
}

func TestHintsOutdated(t *testing.T) {
	even := makeShares(1000, 1000)
	hinted := func(pods ...int) []*discoveryv1.EndpointSlice {
		w := newWorld(t)
		w.plan(autoInput(even, spread(pods...)))
		return w.list()
	}
	edited := func(all []*discoveryv1.EndpointSlice, edit func(*discoveryv1.EndpointSlice)) []*discoveryv1.EndpointSlice {
		var copies []*discoveryv1.EndpointSlice
		for _, slice := range all {
			copies = append(copies, slice.DeepCopy())
			edit(copies[len(copies)-1])
		}
		return copies
	}
	ipv6Too := append(hinted(5, 5), edited(planned(t, makeService(), spread(5, 5)...).list(), func(s *discoveryv1.EndpointSlice) {
		s.AddressType = ipv6
	})...)
	foreign := edited(hinted(10, 0), func(s *discoveryv1.EndpointSlice) { s.Labels[discoveryv1.LabelManagedBy] = "me" })
	for name, test := range map[string]struct {
		slices []*discoveryv1.EndpointSlice
		shares ZoneShares
		want   bool
	}{
		"nothing changed":                      {hinted(5, 5), even, false},
		"within the overload":                  {hinted(5, 5), makeShares(6000, 4000), false},
		"beyond the overload":                  {hinted(5, 5), makeShares(6100, 3900), true},
		"a zone more":                          {hinted(5, 5), makeShares(1000, 1000, 10), true},
		"a zone less":                          {hinted(5, 5), makeShares(1000), true},
		"another zone less":                    {edited(hinted(5, 5), func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Hints = forZone("zone-c") }), even, true},
		"nothing known any more":               {hinted(5, 5), ZoneShares{}, true},
		"hints can be given now":               {planned(t, makeService(), spread(5, 5)...).list(), even, true},
		"hints cannot be given still":          {planned(t, makeService(), spread(5, 5)...).list(), makeShares(1000), false},
		"too few to be given":                  {planned(t, makeService(), spread(1)...).list(), even, false},
		"too few are ready to be given":        {planned(t, makeService(), append(spread(1), makePods(300, 310, unready)...)...).list(), even, false},
		"only one family has hints":            {ipv6Too, even, true},
		"no slice":                             {nil, even, false},
		"slices of another manager":            {foreign, makeShares(10, 1000), false},
		"a zone with a small share has none":   {edited(hinted(5, 5), func(s *discoveryv1.EndpointSlice) { hintOwnZone(s.Endpoints[:5], map[string]int{}) }), makeShares(100_000, 100_000, 1), true},
		"hints that name no zone are not many": {edited(hinted(5, 5), func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Hints = &discoveryv1.EndpointHints{} }), even, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := HintsOutdated(test.slices, test.shares); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
