// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOneSlicePerSubsetAndFamily(t *testing.T) {
	for name, test := range map[string]struct {
		subsets []endpointsOption
		want    []string
	}{
		"no subset":                  {nil, nil},
		"no addresses":               {[]endpointsOption{withSubset(tcp(80))}, nil},
		"one family":                 {[]endpointsOption{withSubset(tcp(80), 1, 2)}, []string{"IPv4 [80] 10.0.0.2 10.0.0.3"}},
		"no ports":                   {[]endpointsOption{withSubset(nil, 1)}, []string{"IPv4 [] 10.0.0.2"}},
		"ready ones first":           {[]endpointsOption{withSubset(tcp(80), -1, 2, -3, 4)}, []string{"IPv4 [80] 10.0.0.3 10.0.0.5 !10.0.0.2 !10.0.0.4"}},
		"several ports":              {[]endpointsOption{withSubset(tcp(80, 443), 1)}, []string{"IPv4 [443 80] 10.0.0.2"}},
		"subsets with different":     {[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(443), 2)}, []string{"IPv4 [443] 10.0.0.3", "IPv4 [80] 10.0.0.2"}},
		"subsets with the same port": {[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(80), 2)}, []string{"IPv4 [80] 10.0.0.2 10.0.0.3"}},
		"subsets that overlap": {
			[]endpointsOption{withSubset(tcp(80, 443), 1), withSubset(tcp(80), 2)},
			[]string{"IPv4 [443] 10.0.0.2", "IPv4 [80] 10.0.0.2 10.0.0.3"},
		},
		"subsets with the same addresses": {[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(443), 1)}, []string{"IPv4 [443 80] 10.0.0.2"}},
		"ready and not ready":             {[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(80), -1)}, []string{"IPv4 [80] !10.0.0.2"}},
		"both families": {
			[]endpointsOption{withSubset(tcp(80), 1, firstIPv6, -2, -firstIPv6-1)},
			[]string{"IPv4 [80] 10.0.0.2 !10.0.0.3", "IPv6 [80] fd00::3e8 !fd00::3e9"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := mirrored(t, test.subsets...)
			if diff := cmp.Diff(test.want, w.contents()); diff != "" {
				t.Errorf("slices (-want +got):\n%s", diff)
			}
		})
	}
}

func unnamed(number int32) []corev1.EndpointPort {
	return []corev1.EndpointPort{{Port: number, Protocol: corev1.ProtocolTCP}}
}

// Slices admit each name of a port once, and no name is a name too. The stock
// controller fails on the first two.
func TestPortsOfOneNameGetSlicesOfTheirOwn(t *testing.T) {
	for name, test := range map[string]struct {
		subsets []endpointsOption
		want    []string
	}{
		"one address on two ports without names": {
			[]endpointsOption{withSubset(unnamed(8080), 1), withSubset(unnamed(8081), 1)},
			[]string{"IPv4 [8080] 10.0.0.2", "IPv4 [8081] 10.0.0.2"},
		},
		"and on a third with": {
			[]endpointsOption{withSubset(unnamed(8080), 1), withSubset(unnamed(8081), 1), withSubset(tcp(443), 1)},
			[]string{"IPv4 [443 8080] 10.0.0.2", "IPv4 [8081] 10.0.0.2"},
		},
		"two addresses on a port each": {
			[]endpointsOption{withSubset(unnamed(8080), 1), withSubset(unnamed(8081), 2)},
			[]string{"IPv4 [8080] 10.0.0.2", "IPv4 [8081] 10.0.0.3"},
		},
		"a port twice": {
			[]endpointsOption{withSubset(append(httpPort(80), httpPort(80)...), 1), withSubset(httpPort(80), 1)},
			[]string{"IPv4 [80] 10.0.0.2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, mirrored(t, test.subsets...).contents()); diff != "" {
				t.Errorf("slices (-want +got):\n%s", diff)
			}
		})
	}
}

func httpPort(number int32) []corev1.EndpointPort {
	ports := tcp(number)
	ports[0].AppProtocol = new("http")
	return ports
}

// As the stock controller has it: a port of one subset is not that of another if
// it has an application protocol.
func TestPortsWithAProtocolAreNotRegrouped(t *testing.T) {
	for name, test := range map[string]struct {
		subsets []endpointsOption
		limit   int
		want    []string
		skipped int
	}{
		"some ports the same": {
			[]endpointsOption{withSubset(append(httpPort(80), httpPort(443)...), 1, 2), withSubset(httpPort(80), 3)}, 9,
			[]string{"IPv4 [443 80] 10.0.0.2 10.0.0.3", "IPv4 [80] 10.0.0.4"}, 0,
		},
		"all ports the same": {
			[]endpointsOption{withSubset(httpPort(80), 1, 2), withSubset(httpPort(80), 2, 3)}, 9,
			[]string{"IPv4 [80] 10.0.0.2 10.0.0.3 10.0.0.4"}, 0,
		},
		"exactly as many as fit": {
			[]endpointsOption{withSubset(httpPort(80), 1, 2), withSubset(httpPort(80), 1, 2)}, 2,
			[]string{"IPv4 [80] 10.0.0.2 10.0.0.3"}, 0,
		},
		"ready and not ready": {
			[]endpointsOption{withSubset(httpPort(80), 1, -2), withSubset(httpPort(80), -1, 2)}, 9,
			[]string{"IPv4 [80] !10.0.0.2 !10.0.0.3"}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := makeInput(makeEndpoints(test.subsets...))
			in.MaxEndpointsPerSubset = test.limit
			w := newWorld(t)
			changes := w.plan(in)
			if diff := cmp.Diff(test.want, w.members()); diff != "" {
				t.Errorf("slices (-want +got):\n%s", diff)
			}
			if changes.SkippedAddresses != test.skipped {
				t.Errorf("skipped %d, want %d", changes.SkippedAddresses, test.skipped)
			}
		})
	}
}

func TestWhatDoesNotFitIntoASharedSliceIsSkipped(t *testing.T) {
	in := makeInput(makeEndpoints(withSubset(httpPort(80), 1, 2), withSubset(httpPort(80), 3, 4)))
	in.MaxEndpointsPerSubset = 3
	w := newWorld(t)
	if changes := w.plan(in); changes.SkippedAddresses != 1 || len(w.only().Endpoints) != 3 {
		t.Errorf("skipped %d, and listed %v", changes.SkippedAddresses, w.contents())
	}
}

func TestAddressesAreLimitedPerSubsetNotPerFamily(t *testing.T) {
	for name, test := range map[string]struct {
		subsets []endpointsOption
		limit   int
		want    []string
		skipped int
	}{
		"exactly the limit": {[]endpointsOption{withSubset(tcp(80), 1, 2, -3)}, 3, []string{"IPv4 [80] 10.0.0.2 10.0.0.3 !10.0.0.4"}, 0},
		"ready ones beyond": {[]endpointsOption{withSubset(tcp(80), 1, 2, 3, -4)}, 2, []string{"IPv4 [80] 10.0.0.2 10.0.0.3"}, 2},
		"not ready ones go first": {
			[]endpointsOption{withSubset(tcp(80), -1, 2, -3)}, 2, []string{"IPv4 [80] 10.0.0.3 !10.0.0.2"}, 1,
		},
		"both families together": {
			[]endpointsOption{withSubset(tcp(80), 1, 2, firstIPv6, firstIPv6+1)}, 3,
			[]string{"IPv4 [80] 10.0.0.2 10.0.0.3", "IPv6 [80] fd00::3e8"}, 1,
		},
		"each subset for itself": {
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(443), 3, 4, 5)}, 2,
			[]string{"IPv4 [443] 10.0.0.4 10.0.0.5", "IPv4 [80] 10.0.0.2 10.0.0.3"}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := makeInput(makeEndpoints(test.subsets...))
			in.MaxEndpointsPerSubset = test.limit
			w := newWorld(t)
			changes := w.plan(in)
			if diff := cmp.Diff(test.want, w.contents()); diff != "" {
				t.Errorf("slices (-want +got):\n%s", diff)
			}
			if changes.SkippedAddresses != test.skipped || changes.InvalidAddresses != 0 {
				t.Errorf("skipped %d, of them %d invalid; want %d, 0", changes.SkippedAddresses, changes.InvalidAddresses, test.skipped)
			}
		})
	}
}

func TestTheLimitIsAThousandByDefault(t *testing.T) {
	changes := Plan(makeInput(makeEndpoints(withSubset(tcp(80), hosts(1, 2100)...))))
	if changes.Stats.Desired != DefaultMaxEndpointsPerSubset || changes.SkippedAddresses != 1099 {
		t.Errorf("mirrored %d and skipped %d", changes.Stats.Desired, changes.SkippedAddresses)
	}
}

func TestInvalidAddressesAreSkippedAndCounted(t *testing.T) {
	addresses := []corev1.EndpointAddress{
		{IP: ""}, {IP: "10.0.0.01"}, {IP: "10.0.0.256"}, {IP: "::ffff:10.0.0.2"}, {IP: "FD00::0001"}, {IP: "fe80::1%eth0"}, {IP: "web"},
	}
	for name, test := range map[string]struct {
		limit, invalid, skipped int
		want                    []string
	}{
		"all met":                         {100, 4, 4, []string{"IPv4 [80] 10.0.0.1 10.0.0.2", "IPv6 [80] fd00::1"}},
		"beyond the limit nobody looks":   {1, 1, 6, []string{"IPv4 [80] 10.0.0.1"}},
		"they take no place of the valid": {2, 2, 5, []string{"IPv4 [80] 10.0.0.1 10.0.0.2"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := makeInput(makeEndpoints(withAddresses(tcp(80), addresses...)))
			in.MaxEndpointsPerSubset = test.limit
			w := newWorld(t)
			changes := w.plan(in)
			if diff := cmp.Diff(test.want, w.contents()); diff != "" {
				t.Errorf("slices (-want +got):\n%s", diff)
			}
			if changes.InvalidAddresses != test.invalid || changes.SkippedAddresses != test.skipped {
				t.Errorf("%d invalid, %d skipped; want %d, %d", changes.InvalidAddresses, changes.SkippedAddresses, test.invalid, test.skipped)
			}
		})
	}
}

func TestOneIPOfSeveralTargetsIsListedForEach(t *testing.T) {
	pod := func(name string) *corev1.ObjectReference {
		return &corev1.ObjectReference{Kind: "Pod", Namespace: testNamespace, Name: name, UID: "uid-of-" + "pod"}
	}
	same := corev1.EndpointAddress{IP: "10.0.0.1", TargetRef: pod("a")}
	other := corev1.EndpointAddress{IP: "10.0.0.1", TargetRef: pod("b")}
	other.TargetRef.UID = "another"
	twice := same
	twice.TargetRef = pod("a")
	twice.TargetRef.UID = "made anew"
	w := mirrored(t, withAddresses(tcp(80), same, other, twice))
	if diff := cmp.Diff([]string{"IPv4 [80] 10.0.0.1 10.0.0.1"}, w.contents()); diff != "" {
		t.Errorf("slices (-want +got):\n%s", diff)
	}
	for _, endpoint := range w.only().Endpoints {
		// Of two with one identity the one with the later UID stays.
		if endpoint.TargetRef.Name == "a" && endpoint.TargetRef.UID != "uid-of-pod" {
			t.Errorf("listed the UID %s", endpoint.TargetRef.UID)
		}
	}
}

// fullEndpoints has everything that can be mirrored, and what must not be.
func fullEndpoints(options ...endpointsOption) *corev1.Endpoints {
	return makeEndpoints(append([]endpointsOption{
		withLabels(map[string]string{"team": "shop", corev1.IsHeadlessService: ""}),
		withAnnotations(map[string]string{
			"example.com/note":                    "mine",
			corev1.EndpointsLastChangeTriggerTime: "2020-01-01T00:00:00Z",
			corev1.LastAppliedConfigAnnotation:    "{}",
			corev1.EndpointsOverCapacity:          "truncated",
		}),
		withAddresses(httpPort(80), corev1.EndpointAddress{
			IP: "10.0.0.1", Hostname: "first", NodeName: new("node-a"),
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: testNamespace, Name: "web-1", UID: "pod-uid", ResourceVersion: "5"},
		}),
	}, options...)...)
}

func TestAllFieldsOfANewSlice(t *testing.T) {
	changes := Plan(makeInput(fullEndpoints()))
	want := []*discoveryv1.EndpointSlice{{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:    testNamespace,
			Name:         changes.Create[0].Name,
			GenerateName: "web-",
			Labels: map[string]string{
				"team": "shop", corev1.IsHeadlessService: "",
				discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: ManagedBy,
			},
			Annotations: map[string]string{"example.com/note": "mine", corev1.EndpointsOverCapacity: "truncated"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Endpoints", Name: "web", UID: "endpoints-uid", Controller: new(true), BlockOwnerDeletion: new(true),
			}},
		},
		AddressType: ipv4,
		Ports: []discoveryv1.EndpointPort{{
			Name: new("p80"), Port: new(int32(80)), Protocol: new(corev1.ProtocolTCP), AppProtocol: new("http"),
		}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{"10.0.0.1"},
			Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			Hostname:   new("first"),
			NodeName:   new("node-a"),
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: testNamespace, Name: "web-1", UID: "pod-uid", ResourceVersion: "5"},
		}},
	}}
	if diff := cmp.Diff(want, changes.Create); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	if len(want[0].Name) != len("web-")+5 {
		t.Errorf("%s is no name as the server makes them", want[0].Name)
	}
}

func TestReservedLabelsAreTheControllers(t *testing.T) {
	w := mirrored(t, withSubset(tcp(80), 1), withLabels(map[string]string{
		discoveryv1.LabelManagedBy: "me", discoveryv1.LabelServiceName: "other", discoveryv1.LabelSkipMirror: "false",
	}))
	want := map[string]string{
		discoveryv1.LabelManagedBy: ManagedBy, discoveryv1.LabelServiceName: "web", discoveryv1.LabelSkipMirror: "false",
	}
	if diff := cmp.Diff(want, w.only().Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestCountsForMetrics(t *testing.T) {
	type numbers struct{ Added, Updated, Removed, Desired, Slices, IdealSlices int }
	for name, test := range map[string]struct {
		before, after []endpointsOption
		want          numbers
	}{
		"new":          {nil, []endpointsOption{withSubset(tcp(80), 1, 2, firstIPv6)}, numbers{Added: 3, Desired: 3, Slices: 2, IdealSlices: 2}},
		"unchanged":    {[]endpointsOption{withSubset(tcp(80), 1, 2)}, []endpointsOption{withSubset(tcp(80), 2, 1)}, numbers{Desired: 2, Slices: 1, IdealSlices: 1}},
		"in one slice": {[]endpointsOption{withSubset(tcp(80), 1, 2, 3)}, []endpointsOption{withSubset(tcp(80), 1, -2, 4, 5)}, numbers{2, 1, 1, 4, 1, 1}},
		"other ports":  {[]endpointsOption{withSubset(tcp(80), 1, 2)}, []endpointsOption{withSubset(tcp(81), 1)}, numbers{1, 0, 2, 1, 1, 1}},
		"a family less": {
			[]endpointsOption{withSubset(tcp(80), 1, firstIPv6)}, []endpointsOption{withSubset(tcp(80), 1)}, numbers{0, 0, 1, 1, 1, 1},
		},
		"on its way out": {nil, []endpointsOption{withSubset(tcp(80), 1), deleting}, numbers{Added: 1, Desired: 1, Slices: 0, IdealSlices: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			c := mirrored(t, test.before...).plan(makeInput(makeEndpoints(test.after...)))
			got := numbers{c.Stats.Added, c.Updated, c.Stats.Removed, c.Stats.Desired, c.Stats.Slices, c.Stats.IdealSlices}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndpointsOnTheirWayOut(t *testing.T) {
	w := mirrored(t, withSubset(tcp(80), 1, 2), withSubset(tcp(443), 3))
	w.plan(makeInput(makeEndpoints(withSubset(tcp(80), 1), withSubset(tcp(443), firstIPv6), deleting)))
	if got, want := w.counts(), "0 created, 1 updated, 1 deleted"; got != want {
		t.Errorf("%s, want %s: the garbage collector removes new slices", got, want)
	}
	if diff := cmp.Diff([]string{"IPv4 [80] 10.0.0.2"}, w.contents()); diff != "" {
		t.Errorf("slices (-want +got):\n%s", diff)
	}
}

func TestEqualInputsGiveEqualPlans(t *testing.T) {
	both := func(from, to int) []int { return append(hosts(from, to), hosts(firstIPv6+from, firstIPv6+to)...) }
	w := mirrored(t, withSubset(tcp(80), both(1, 9)...), withSubset(tcp(443), both(5, 15)...), withSubset(tcp(90), both(2, 4)...))
	after := makeEndpoints(withSubset(tcp(81), both(3, 10)...), withSubset(tcp(444), both(6, 20)...), withSubset(tcp(91), both(1, 4)...))
	for _, existing := range [][]*discoveryv1.EndpointSlice{nil, w.list()} {
		first := Plan(makeInput(after, existing...))
		for range 10 {
			turned := makeInput(after.DeepCopy(), slices.Clone(existing)...)
			slices.Reverse(turned.Endpoints.Subsets)
			slices.Reverse(turned.Slices)
			if diff := cmp.Diff(first, Plan(turned)); diff != "" {
				t.Fatalf("the order of subsets and slices, or chance, changes the plan:\n%s", diff)
			}
		}
	}
}

func TestNewSlicesAvoidEveryNameThereIs(t *testing.T) {
	endpoints := makeEndpoints(withSubset(tcp(80), 1))
	name := Plan(makeInput(endpoints)).Create[0].Name
	theirs := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: name}, AddressType: ipv4}
	if next := Plan(makeInput(endpoints, theirs)).Create[0].Name; next == name {
		t.Errorf("%s is taken, and was chosen again", name)
	}
}
