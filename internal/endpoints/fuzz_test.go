// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// content tells whether values change: behind their pointers, too.
func content(t *testing.T, values ...any) string {
	t.Helper()
	raw, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// entry is one address on one port.
type entry struct{ who, port string }

// entries returns what subsets list, and whether it is ready. It fails if they
// list anything twice.
func entries(t *testing.T, subsets []corev1.EndpointSubset) map[entry]bool {
	t.Helper()
	found := map[entry]bool{}
	for _, subset := range subsets {
		for _, port := range portNames(subset.Ports) {
			for i, address := range slices.Concat(subset.Addresses, subset.NotReadyAddresses) {
				e := entry{who(&address), port}
				if _, twice := found[e]; twice {
					t.Fatalf("%v is listed twice in %v", e, sketch(subsets))
				}
				found[e] = i < len(subset.Addresses)
			}
		}
	}
	return found
}

func who(address *corev1.EndpointAddress) string {
	if address.TargetRef == nil {
		return address.IP
	}
	return address.IP + "/" + string(address.TargetRef.UID)
}

func portNames(ports []corev1.EndpointPort) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var names []string
	for _, port := range ports {
		name := fmt.Sprintf("%s:%d/%s", port.Name, port.Port, port.Protocol)
		if port.AppProtocol != nil {
			name += " " + *port.AppProtocol
		}
		names = append(names, name)
	}
	return names
}

// expected returns the entries of a Service straight from the rules, for the
// pods and Services that a program makes.
func expected(service *corev1.Service, pods []*corev1.Pod) map[entry]bool {
	all := map[entry]bool{}
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodFailed || (pod.DeletionTimestamp != nil && !service.Spec.PublishNotReadyAddresses) {
			continue
		}
		ip := expectedIP(service, pod)
		if ip == "" {
			continue
		}
		isReady := service.Spec.PublishNotReadyAddresses || len(pod.Status.Conditions) > 0
		if len(service.Spec.Ports) == 0 && service.Spec.ClusterIP == "None" {
			all[entry{ip + "/" + pod.Name, ""}] = isReady
		}
		for i := range service.Spec.Ports {
			if port, found := expectedPort(&service.Spec.Ports[i], pod); found {
				all[entry{ip + "/" + pod.Name, port}] = isReady
			}
		}
	}
	return all
}

func expectedIP(service *corev1.Service, pod *corev1.Pod) string {
	wantV6 := strings.Contains(service.Spec.ClusterIP, ":")
	if len(service.Spec.IPFamilies) > 0 {
		wantV6 = service.Spec.IPFamilies[0] == corev1.IPv6Protocol
	} else if !strings.ContainsAny(service.Spec.ClusterIP, ".:") && len(pod.Status.PodIPs) > 0 {
		wantV6 = strings.Contains(pod.Status.PodIPs[0].IP, ":")
	}
	for _, podIP := range pod.Status.PodIPs {
		if strings.Contains(podIP.IP, ":") == wantV6 {
			return podIP.IP
		}
	}
	return ""
}

func expectedPort(port *corev1.ServicePort, pod *corev1.Pod) (string, bool) {
	number := port.TargetPort.IntVal
	if port.TargetPort.StrVal != "" {
		at := slices.IndexFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Ports[0].Name == port.TargetPort.StrVal })
		if at < 0 {
			return "", false
		}
		number = pod.Spec.Containers[at].Ports[0].ContainerPort
	}
	return portNames([]corev1.EndpointPort{{Name: port.Name, Port: number, Protocol: port.Protocol, AppProtocol: port.AppProtocol}})[0], true
}

// Whatever there was before, the object lists each pod on each port once, as it
// is, up to the capacity; a second plan has nothing to do, and the input stays
// as it was.
func FuzzPlan(f *testing.F) {
	addRandom(f, 300)
	f.Fuzz(func(t *testing.T, bytes []byte) {
		p := &program{bytes}
		service := p.service()
		pods := p.pods()
		in := Input{Service: service, Pods: pods, Current: p.current(service, pods)}
		before := content(t, service, pods, in.Current)

		s := &server{t: t, current: in.Current}
		changes := s.plan(in)
		if after := content(t, service, pods, in.Current); before != after {
			t.Fatalf("the input changed:\n%s", cmp.Diff(before, after))
		}
		if !Managed(service) {
			if !changes.Empty() {
				t.Fatal("a Service that is not managed was written for")
			}
			return
		}
		checkListed(t, s.current.Subsets, expected(service, pods), changes.LeftOut)
	})
}

func checkListed(t *testing.T, subsets []corev1.EndpointSubset, want map[entry]bool, leftOut int) {
	t.Helper()
	listed := entries(t, subsets)
	places := countPlaces(want)
	if leftOut != max(places-MaxAddresses, 0) {
		t.Errorf("%d left out of %d", leftOut, places)
	}
	if leftOut == 0 {
		if diff := cmp.Diff(want, listed); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
		return
	}
	if count := countAddresses(subsets); count != MaxAddresses {
		t.Errorf("%d listed of %d, want %d", count, places, MaxAddresses)
	}
	var readyOnes int
	for e, isReady := range listed {
		if wanted, found := want[e]; !found || wanted != isReady {
			t.Fatalf("%v is listed with ready %v, want %v (known: %v)", e, isReady, wanted, found)
		}
		if isReady {
			readyOnes++
		}
	}
	if readyOnes < len(listed) {
		maps.DeleteFunc(want, func(_ entry, isReady bool) bool { return !isReady })
		if readyOnes != len(want) {
			t.Errorf("%d of %d ready entries are listed, and some that are not ready", readyOnes, len(want))
		}
	}
}

// countPlaces counts an address once for all ports that the same addresses
// listen on, as the capacity is counted.
func countPlaces(all map[entry]bool) int {
	byPort := map[string][]string{}
	for e, isReady := range all {
		byPort[e.port] = append(byPort[e.port], fmt.Sprint(e.who, isReady))
	}
	distinct := map[string]int{}
	for _, who := range byPort {
		slices.Sort(who)
		distinct[strings.Join(who, " ")] = len(who)
	}
	var count int
	for _, size := range distinct {
		count += size
	}
	return count
}

// A canonical form says what it was made from, each thing once; it depends on
// nothing else, and is its own canonical form.
func FuzzCanonical(f *testing.F) {
	addRandom(f, 300)
	f.Fuzz(func(t *testing.T, bytes []byte) {
		given := (&program{bytes}).subsets()
		before := content(t, given)
		canonical := Canonical(given)
		if content(t, given) != before {
			t.Fatal("the argument changed")
		}
		if diff := cmp.Diff(canonical, Canonical(canonical)); diff != "" {
			t.Errorf("not canonical (-once +twice):\n%s", diff)
		}
		if diff := cmp.Diff(canonical, Canonical(shuffled(given))); diff != "" {
			t.Errorf("depends on the order (-given +shuffled):\n%s", diff)
		}
		checkSameEntries(t, given, entries(t, canonical))
		checkFewest(t, canonical)
	})
}

// shuffled reverses every list and cuts each subset into one a port.
func shuffled(subsets []corev1.EndpointSubset) []corev1.EndpointSubset {
	var all []corev1.EndpointSubset
	for _, subset := range slices.Backward(subsets) {
		part := *subset.DeepCopy()
		slices.Reverse(part.Addresses)
		slices.Reverse(part.NotReadyAddresses)
		part.Ports = nil
		if len(subset.Ports) == 0 {
			all = append(all, part)
		}
		for _, port := range slices.Backward(subset.Ports) {
			part.Ports = ports(port)
			all = append(all, *part.DeepCopy())
		}
	}
	return all
}

// checkSameEntries compares what the canonical form lists with what was given.
// An address without ports may have gone, if it is listed with some.
func checkSameEntries(t *testing.T, given []corev1.EndpointSubset, listed map[entry]bool) {
	t.Helper()
	want := map[entry]bool{}
	for _, subset := range given {
		for _, port := range portNames(subset.Ports) {
			for _, address := range subset.Addresses {
				e := entry{who(&address), port}
				if _, found := want[e]; !found {
					want[e] = true
				}
			}
			for _, address := range subset.NotReadyAddresses {
				want[entry{who(&address), port}] = false
			}
		}
	}
	withPorts := map[string]bool{}
	for e := range listed {
		withPorts[e.who] = withPorts[e.who] || e.port != ""
	}
	maps.DeleteFunc(want, func(e entry, _ bool) bool {
		_, found := listed[e]
		return !found && e.port == "" && withPorts[e.who]
	})
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("entries (-given +canonical):\n%s", diff)
	}
}

// checkFewest fails if two subsets have the same addresses, which one could list.
func checkFewest(t *testing.T, subsets []corev1.EndpointSubset) {
	t.Helper()
	seen := map[string]bool{}
	for _, subset := range subsets {
		addresses := strings.Join(sketchAddresses(subset.Addresses), " ") + ", " + strings.Join(sketchAddresses(subset.NotReadyAddresses), " ")
		if seen[addresses] {
			t.Errorf("two subsets list %s", addresses)
		}
		seen[addresses] = true
	}
}
