// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// program reads a test case from bytes; beyond the end all are zero.
type program struct {
	left []byte
}

func (p *program) next(below int) int {
	if len(p.left) == 0 {
		return 0
	}
	value := int(p.left[0]) % below
	p.left = p.left[1:]
	return value
}

// service returns a dual-stack Service, IPv4 first, with changes.
func (p *program) service() *corev1.Service {
	service := makeService(withPorts(named("web")), withFamilies(corev1.IPv4Protocol, corev1.IPv6Protocol))
	for range p.next(5) {
		[]serviceOption{
			withFamilies(corev1.IPv4Protocol),
			withFamilies(corev1.IPv6Protocol),
			withPorts(servicePort("http", 80, intstr.FromInt32(9090))),
			withPorts(named("web"), servicePort("metrics", 90, intstr.FromInt32(9100))),
			withPorts(),
			withClusterIP(corev1.ClusterIPNone),
			withLabels(map[string]string{"team": "payments"}),
			withTrafficDistribution(corev1.ServiceTrafficDistributionPreferSameZone),
			withTrafficDistribution(corev1.ServiceTrafficDistributionPreferSameNode),
			autoTopology,
			publishNotReady,
			serviceDeleting,
		}[p.next(12)](service)
	}
	return service
}

// pods returns up to 15 pods, ready and on node-a, with changes.
func (p *program) pods() []*corev1.Pod {
	pods := map[string]*corev1.Pod{}
	for range p.next(16) {
		i := p.next(20)
		pod := makePod(i, withIPs(fmt.Sprintf("10.1.0.%d", i+1), fmt.Sprintf("fd00::%x", i+1)),
			withNamedPort("web", []int32{8080, 8081, 8082}[p.next(3)]))
		for range p.next(3) {
			[]podOption{
				unready, terminating, withPhase(corev1.PodFailed), withHostname("h", "web"), onNode("node-b"), onNode("node-c"),
				onNode("node-zoneless"), onNode("node-gone"), withIPs(), withIPs("fd00::99"), withIPs("10.1.0.99"),
				func(pod *corev1.Pod) { pod.UID = "another" },
			}[p.next(12)](pod)
		}
		pods[pod.Name] = pod
	}
	return slices.Collect(maps.Values(pods))
}

func (p *program) shares() ZoneShares {
	var milliCPU []int64
	for range p.next(5) {
		milliCPU = append(milliCPU, int64(1+p.next(10)))
	}
	return makeShares(milliCPU...)
}

// world returns the slices that the Service had for other pods, some of them
// edited, given to somebody else, copied or on their way out.
func (p *program) world(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	in := makeInput(p.service(), p.pods())
	in.Service.DeletionTimestamp = nil
	in.MaxEndpoints, in.Shares = 1+p.next(6), p.shares()
	w.apply(Plan(in))
	for _, slice := range w.list() {
		edited := slice.DeepCopy()
		if p.edit(edited) {
			w.store(edited)
		}
	}
	return w
}

// edit changes a slice, or not.
func (p *program) edit(slice *discoveryv1.EndpointSlice) (edited bool) {
	at := func() *discoveryv1.Endpoint {
		if len(slice.Endpoints) == 0 {
			slice.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.1"}}}
		}
		return &slice.Endpoints[p.next(len(slice.Endpoints))]
	}
	switch p.next(18) {
	case 1:
		slice.Labels[discoveryv1.LabelManagedBy] = "me"
	case 2:
		slice.DeletionTimestamp, slice.Finalizers = &metav1.Time{}, []string{"example.com/wait"}
	case 3:
		slice.OwnerReferences[0].UID = "another"
	case 4:
		slice.OwnerReferences = nil
	case 5:
		slice.Ports = nil
	case 6:
		slice.Ports = []discoveryv1.EndpointPort{{Port: new(int32(1))}}
	case 7:
		slice.Endpoints = append(slice.Endpoints, slice.DeepCopy().Endpoints...)
	case 8:
		slice.Name, slice.UID = slice.Name+"-copy", ""
	case 9:
		slice.Name, slice.UID, slice.Ports = slice.Name+"-copy", "", nil
	case 10:
		slice.Endpoints = slice.Endpoints[:len(slice.Endpoints)/2]
	case 11:
		slice.Endpoints = nil
	case 12:
		at().TargetRef = nil
	case 13:
		at().Conditions = discoveryv1.EndpointConditions{}
	case 14:
		at().Addresses = []string{"192.0.2.1"}
	case 15:
		at().Hints = []*discoveryv1.EndpointHints{nil, forZone("zone-b"), {ForNodes: []discoveryv1.ForNode{{Name: "node-a"}}}}[p.next(3)]
	case 16:
		slice.Labels["team"] = "another"
	case 17:
		slice.Annotations = map[string]string{"example.com/note": "mine", corev1.EndpointsLastChangeTriggerTime: "2020-01-01T00:00:00Z"}
	default:
		return false
	}
	return true
}

func copyInput(in *Input) Input {
	copied := *in
	copied.Service, copied.Pods, copied.Slices = in.Service.DeepCopy(), nil, nil
	for _, pod := range in.Pods {
		copied.Pods = append(copied.Pods, pod.DeepCopy())
	}
	for _, slice := range in.Slices {
		copied.Slices = append(copied.Slices, slice.DeepCopy())
	}
	return copied
}

// FuzzPlan plans for a Service in a world that others have been at.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		"",
		// These have found faults.
		"922C0010102009010227b2200101",
		"20027b00X#200",
		"2\x7f0001001010C101020010200100100A01\"001201000120012000200290000bA01727C000010110",
		// These begin with ordinary Services.
		"\x00\x05\x00\x00\x00\x01\x00\x00\x02\x00\x00\x03\x01\x00\x04\x01\x00\x01\x00\x00\x00\x00\x05\x00\x01\x00\x01\x00\x00\x02\x01\x00\x03\x00\x00\x04\x01\x00",
		"\x01\x09\x06\x00\x00\x00\x01\x00\x01\x04\x02\x00\x01\x05\x03\x00\x00\x04\x00\x00\x05\x00\x00\x02\x03\x01\x02\x03",
		"000000000000000000000000000000000000000000000000000000000000",
		"the quick brown fox jumps over the lazy dog, and the lazy dog does not mind at all; it sleeps on until the fox is back",
		"\x02\x09\x04\x0f123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		p := &program{left: bytes}
		w := p.world(t)
		in := makeInput(p.service(), p.pods())
		in.MaxEndpoints, in.Shares = 1+p.next(6), p.shares()

		// The controller dies after some of the writes, and starts again.
		in.Slices = w.list()
		writes := w.writes(Plan(in))
		for _, write := range writes[:min(len(writes), p.next(6))] {
			write()
		}
		in.Slices = w.list()
		carryOut(t, &in, w)

		if in.Service.DeletionTimestamp == nil {
			checkListed(t, &in, w)
		}
		for _, slice := range continued(&in) {
			if len(slice.Endpoints) > in.MaxEndpoints {
				t.Errorf("slice %s holds %d endpoints, more than %d", slice.Name, len(slice.Endpoints), in.MaxEndpoints)
			}
		}
	})
}

// carryOut makes a plan, checks it, and carries it out write by write. In the end
// the input holds the slices there are, and nothing is left to do.
func carryOut(t *testing.T, in *Input, w *world) {
	t.Helper()
	before := copyInput(in)
	changes := Plan(*in)
	reversed := copyInput(in)
	slices.Reverse(reversed.Pods)
	slices.Reverse(reversed.Slices)
	if again := Plan(reversed); !apiequality.Semantic.DeepEqual(changes, again) {
		t.Errorf("the order of the input changes the plan:\n%s", cmp.Diff(changes, again))
	}
	checkNeeded(t, in, &changes)
	stay := map[podTarget]bool{}
	if in.Service.DeletionTimestamp == nil {
		stay = staying(in)
	}
	state := NewState(in.MaxEndpoints)
	state.Reset(in.Service, in.Pods, in.Slices, in.ZoneOf)
	disagreed := disagreeing(in.Slices)
	for i, write := range backwards(w.writes(changes), &changes) {
		write()
		checkState(t, in, state, w)
		listed := targetsOf(ours(w.list()))
		for was := range stay {
			if !listed[was] {
				t.Errorf("after write %d of %d, %v is in no slice", i+1, len(changes.Create)+len(changes.Update)+len(changes.Delete), was)
			}
		}
		checkCopies(t, disagreed, w.list())
	}
	for _, slice := range slices.Concat(changes.Create, changes.Update) {
		scribble(slice)
	}
	if !apiequality.Semantic.DeepEqual(before.Slices, in.Slices) || !apiequality.Semantic.DeepEqual(before.Pods, in.Pods) ||
		!apiequality.Semantic.DeepEqual(before.Service, in.Service) {
		t.Error("the input was changed")
	}
	for _, slice := range in.Slices {
		if (!managed(slice) || slice.DeletionTimestamp != nil) && w.slices[slice.Name] != slice {
			t.Errorf("%s, which is another's business, was written", slice.Name)
		}
	}
	in.Slices = w.list()
	if changes.Unfinished {
		carryOut(t, in, w)
		return
	}
	again := Plan(*in)
	if in.Service.DeletionTimestamp != nil {
		// What cannot be created any more may find room in what there is.
		w.apply(again)
		in.Slices = w.list()
		again = Plan(*in)
	}
	if !again.Empty() {
		t.Errorf("a plan that was carried out left %d creates, %d updates, %d deletes to do",
			len(again.Create), len(again.Update), len(again.Delete))
	}
}

// backwards turns around the writes that do not depend on each other.
func backwards(writes []func(), changes *Changes) []func() {
	left := writes
	turn := func(n int) {
		slices.Reverse(left[:n])
		left = left[n:]
	}
	turn(len(changes.Create))
	for _, wave := range changes.UpdateWaves() {
		turn(len(wave))
	}
	turn(len(changes.Delete))
	return writes
}

// checkState shows a state the slices there are now, and compares it with one that
// is made from scratch.
func checkState(t *testing.T, in *Input, state *State, w *world) {
	t.Helper()
	for name := range state.slices {
		if w.slices[name] == nil {
			state.RemoveSlice(name)
		}
	}
	now := *in
	now.Slices = w.list()
	for _, slice := range now.Slices {
		state.SetSlice(slice)
	}
	if want, got := Plan(now), state.Plan(in.Shares, in.TriggerTime); !apiequality.Semantic.DeepEqual(want, got) {
		t.Errorf("the plan of the state (-from scratch +state):\n%s", cmp.Diff(want, got))
	}
}

// ours returns the slices that are the controller's and stay.
func ours(all []*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, slice := range all {
		if managed(slice) && slice.DeletionTimestamp == nil {
			found = append(found, slice)
		}
	}
	return found
}

// continued returns those of ours that the Service, as it is now, goes on with.
func continued(in *Input) []*discoveryv1.EndpointSlice {
	families := AddressTypes(in.Service)
	return slices.DeleteFunc(ours(in.Slices), func(slice *discoveryv1.EndpointSlice) bool {
		return !ownedBy(slice, in.Service) || !slices.Contains(families, slice.AddressType)
	})
}

// podTarget names a pod that slices of a family list, whatever they say of it.
type podTarget struct {
	family          discoveryv1.AddressType
	namespace, name string
}

func targetsOf(all []*discoveryv1.EndpointSlice) map[podTarget]bool {
	listed := map[podTarget]bool{}
	for _, slice := range all {
		for i := range slice.Endpoints {
			listed[podTargetOf(slice, i)] = true
		}
	}
	return listed
}

func podTargetOf(slice *discoveryv1.EndpointSlice, i int) podTarget {
	ref := slice.Endpoints[i].TargetRef
	if ref == nil {
		return podTarget{family: slice.AddressType, name: joinAddresses(slice.Endpoints[i].Addresses)}
	}
	return podTarget{family: slice.AddressType, namespace: ref.Namespace, name: ref.Name}
}

// staying returns what is listed and will be listed in the end.
func staying(in *Input) map[podTarget]bool {
	fresh := *in
	fresh.Slices = nil
	inTheEnd := targetsOf(Plan(fresh).Create)
	stay := targetsOf(ours(in.Slices))
	maps.DeleteFunc(stay, func(was podTarget, _ bool) bool { return !inTheEnd[was] })
	return stay
}

// checkNeeded checks that no write of a plan could be saved: an update changes
// something, and where a slice is created and another deleted, one could not have
// been written over the other without an endpoint missing for a moment.
func checkNeeded(t *testing.T, in *Input, changes *Changes) {
	t.Helper()
	current := map[string]*discoveryv1.EndpointSlice{}
	for _, slice := range in.Slices {
		current[slice.Name] = slice
	}
	for _, slice := range changes.Update {
		if was := current[slice.Name]; maps.Equal(was.Labels, slice.Labels) && KeyOfPorts(was.Ports) == KeyOfPorts(slice.Ports) &&
			slices.EqualFunc(was.Endpoints, slice.Endpoints, sameEndpoint) {
			t.Errorf("the update of %s changes nothing", slice.Name)
		}
	}
	for _, family := range []discoveryv1.AddressType{ipv4, ipv6} {
		ofAnother := func(slice *discoveryv1.EndpointSlice) bool { return slice.AddressType != family }
		removed := slices.DeleteFunc(slices.Clone(changes.Delete), func(slice *discoveryv1.EndpointSlice) bool {
			return ofAnother(slice) || !slices.Contains(continued(in), slice)
		})
		created := slices.DeleteFunc(slices.Clone(changes.Create), ofAnother)
		const many = 5 // updates whose orders are too many to try
		if len(removed) != 1 || len(created) == 0 || len(changes.Update) > many || hasCopies(in) {
			continue // which of several slices that exchange endpoints to replace is a guess
		}
		last := created[len(created)-1]
		listings := append(without(in.Slices, removed[0]), without(changes.Create, last)...)
		listings = append(listings, removed[0])
		over := last.DeepCopy()
		over.Name = removed[0].Name
		if canFollow(listings, append(slices.Clone(changes.Update), over), staying(in)) {
			t.Errorf("%s is created and %s deleted, and one update would do", last.Name, over.Name)
		}
	}
}

// hasCopies tells whether an endpoint is listed more than once.
func hasCopies(in *Input) bool {
	seen := map[podTarget]bool{}
	for _, slice := range ours(in.Slices) {
		for i := range slice.Endpoints {
			id := podTargetOf(slice, i)
			if seen[id] {
				return true
			}
			seen[id] = true
		}
	}
	return false
}

func sameEndpoint(a, b discoveryv1.Endpoint) bool {
	return Identify(&a) == Identify(&b) && SameContent(&a, &b)
}

func without(all []*discoveryv1.EndpointSlice, one *discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	return slices.DeleteFunc(slices.Clone(all), func(slice *discoveryv1.EndpointSlice) bool { return slice == one })
}

// canFollow tells whether updates can be written in some order with every target
// that stays in a slice all the time.
func canFollow(now, updates []*discoveryv1.EndpointSlice, stay map[podTarget]bool) bool {
	for i, update := range updates {
		next := slices.Clone(now)
		at := slices.IndexFunc(next, func(slice *discoveryv1.EndpointSlice) bool { return slice.Name == update.Name })
		next[at] = update
		listed := targetsOf(ours(next))
		if !slices.ContainsFunc(slices.Collect(maps.Keys(stay)), func(was podTarget) bool { return !listed[was] }) &&
			canFollow(next, slices.Delete(slices.Clone(updates), i, i+1), stay) {
			return true
		}
	}
	return len(updates) == 0
}

// checkListed checks that the slices list all that they should, each once, and as
// slices would that were made from nothing.
func checkListed(t *testing.T, in *Input, w *world) {
	t.Helper()
	fresh := newWorld(t)
	withoutSlices := *in
	withoutSlices.Slices = nil
	fresh.apply(Plan(withoutSlices))
	listed := continued(in)
	for _, family := range []discoveryv1.AddressType{ipv4, ipv6} {
		if diff := cmp.Diff(expectedEndpoints(in.Service, in.Pods, family), newWorld(t, listed...).listed(family)); diff != "" {
			t.Errorf("endpoints of %s (-want +got):\n%s", family, diff)
		}
		checkHints(t, in.Service, in.Shares, family, listed)
	}
	if diff := cmp.Diff(byIdentity(in, fresh.list()), byIdentity(in, listed)); diff != "" {
		t.Errorf("endpoints (-made from nothing +got):\n%s", diff)
	}
	if len(listed) != len(ours(w.list())) {
		t.Errorf("%d slices are left that the Service has no use for", len(ours(w.list()))-len(listed))
	}
	ofFamily := map[discoveryv1.AddressType]int{}
	for _, slice := range listed {
		ofFamily[slice.AddressType]++
	}
	for _, slice := range listed {
		if len(slice.Endpoints) == 0 && (ofFamily[slice.AddressType] > 1 || len(slice.Ports) > 0) {
			t.Errorf("slice %s is empty and no placeholder", slice.Name)
		}
	}
}

// byIdentity returns all endpoints by what identifies them. Hints by the zones'
// shares are left out, since they depend on the slices there were.
func byIdentity(in *Input, all []*discoveryv1.EndpointSlice) map[string]discoveryv1.Endpoint {
	found := map[string]discoveryv1.Endpoint{}
	for _, slice := range all {
		for i := range slice.Endpoints {
			endpoint := slice.Endpoints[i]
			if AutoTopology(in.Service) {
				endpoint.Hints = nil
			}
			found[fmt.Sprint(slice.AddressType, KeyOfPorts(slice.Ports), Identify(&endpoint))] = endpoint
		}
	}
	return found
}
