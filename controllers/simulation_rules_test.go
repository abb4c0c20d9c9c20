// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// checkEndpoints compares the Endpoints of a Service with the rules.
func (w *simWorld) checkEndpoints(service *corev1.Service) {
	object, exists := simFind[*corev1.Endpoints](w.api.simStore, client.ObjectKeyFromObject(service))
	if !exists {
		w.breaksf("Service %s/%s has no Endpoints", service.Namespace, service.Name)
		return
	}
	w.checkMetadata(object, service, map[string]string{"endpoints.kubernetes.io/managed-by": "endpoint-controller"})
	var want []string
	for _, pod := range w.backends(service) {
		want = append(want, simEndpointsLines(service, pod)...)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, subsetLines(object.Subsets)); diff != "" {
		w.breaksf("Endpoints of %s/%s (-want +got):\n%s", service.Namespace, service.Name, diff)
	}
}

// simEndpointsLines returns what Endpoints list of one pod: its first address of
// the Service's first family, once a port.
func simEndpointsLines(service *corev1.Service, pod *corev1.Pod) []string {
	if pod.DeletionTimestamp != nil && !service.Spec.PublishNotReadyAddresses {
		return nil
	}
	family := simFamilies(service)[0]
	if len(service.Spec.IPFamilies) == 0 && service.Spec.ClusterIP == corev1.ClusterIPNone && len(simAddresses(pod, family)) == 0 {
		family = discoveryv1.AddressTypeIPv6
	}
	addresses := simAddresses(pod, family)
	if len(addresses) == 0 {
		return nil
	}
	hostname := ""
	if pod.Spec.Subdomain == service.Name {
		hostname = pod.Spec.Hostname
	}
	address := corev1.EndpointAddress{
		IP: addresses[0], Hostname: hostname, NodeName: &pod.Spec.NodeName,
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
	}
	ready := service.Spec.PublishNotReadyAddresses || isReady(pod)
	if len(service.Spec.Ports) == 0 && service.Spec.ClusterIP == corev1.ClusterIPNone {
		return []string{simAddressLine(&address, ready, "no port")}
	}
	var lines []string
	for _, port := range simPorts(service, pod) {
		lines = append(lines, simAddressLine(&address, ready, simJSON(port)))
	}
	return lines
}

// subsetLines returns what Endpoints list in the same way, however they group it.
func subsetLines(subsets []corev1.EndpointSubset) []string {
	var lines []string
	for _, subset := range subsets {
		ports := []string{"no port"}
		if len(subset.Ports) > 0 {
			ports = nil
		}
		for _, port := range subset.Ports {
			ports = append(ports, simJSON(discoveryv1.EndpointPort{
				Name: &port.Name, Port: &port.Port, Protocol: &port.Protocol, AppProtocol: port.AppProtocol,
			}))
		}
		for _, port := range ports {
			for i := range subset.Addresses {
				lines = append(lines, simAddressLine(&subset.Addresses[i], true, port))
			}
			for i := range subset.NotReadyAddresses {
				lines = append(lines, simAddressLine(&subset.NotReadyAddresses[i], false, port))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func simAddressLine(address *corev1.EndpointAddress, ready bool, port string) string {
	return fmt.Sprintf("%s on %s, ready: %v", simJSON(address), port, ready)
}

// checkMirror compares the mirrored slices of a name with the rules: those of
// Endpoints whose Service has no selector, and of no others.
func (w *simWorld) checkMirror(key client.ObjectKey) {
	mirrored := w.slicesOf(key, "endpointslicemirroring-controller.k8s.io")
	service, hasService := simFind[*corev1.Service](w.api.simStore, key)
	object, hasObject := simFind[*corev1.Endpoints](w.api.simStore, key)
	if !hasService && !hasObject {
		return // a slice of neither is looked at when one of them comes
	}
	var want []string
	if hasService && hasObject && len(service.Spec.Selector) == 0 && object.Labels[discoveryv1.LabelSkipMirror] != "true" {
		if w.options.MirroringMaxEndpointsPerSubset < 10 {
			return // which of too many addresses are mirrored is for the plan to say
		}
		want = mirrorLines(object.Subsets)
	}
	var got []string
	for _, slice := range mirrored {
		for i := range slice.Endpoints {
			endpoint := &slice.Endpoints[i]
			for _, port := range slice.Ports {
				line := mirrorLine(endpoint.Addresses[0], endpoint.TargetRef, *port.Port, *port.Name)
				got = append(got, fmt.Sprintf("%s %v", line, *endpoint.Conditions.Ready))
			}
		}
		if !hasObject || len(slice.OwnerReferences) != 1 || slice.OwnerReferences[0].UID != object.UID {
			w.breaksf("%s is not owned by the Endpoints", simText{slice})
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		w.breaksf("mirrored slices of %s (-want +got):\n%s", key, diff)
	}
}

// mirrorLines returns what is to be mirrored, each address once a port. Not ready
// in one subset prevails over ready in another.
func mirrorLines(subsets []corev1.EndpointSubset) []string {
	ready := map[string]bool{}
	note := func(addresses []corev1.EndpointAddress, port *corev1.EndpointPort, isReady bool) {
		for _, address := range addresses {
			line := mirrorLine(address.IP, address.TargetRef, port.Port, port.Name)
			before, known := ready[line]
			ready[line] = isReady && (before || !known)
		}
	}
	for i := range subsets {
		for j := range subsets[i].Ports {
			note(subsets[i].Addresses, &subsets[i].Ports[j], true)
			note(subsets[i].NotReadyAddresses, &subsets[i].Ports[j], false)
		}
	}
	var lines []string
	for _, line := range slices.Sorted(maps.Keys(ready)) {
		lines = append(lines, fmt.Sprintf("%s %v", line, ready[line]))
	}
	return lines
}

func mirrorLine(ip string, target *corev1.ObjectReference, port int32, name string) string {
	return fmt.Sprintf("%s of %s on %d %s", ip, ptr.Deref(target, corev1.ObjectReference{}).UID, port, name)
}

// withoutZoneHints returns a slice without the hints by the zones' shares, after
// a look at what can be said of them alone: they are for one zone each that has
// nodes which are ready.
func (w *simWorld) withoutZoneHints(slice *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	bare := slice.DeepCopy()
	hinted := 0
	for i := range bare.Endpoints {
		endpoint := &bare.Endpoints[i]
		if endpoint.Hints == nil {
			continue
		}
		hinted++
		zones := endpoint.Hints.ForZones
		if len(zones) != 1 || len(endpoint.Hints.ForNodes) > 0 || !*endpoint.Conditions.Ready || !w.hasNodes(zones[0].Name) {
			w.breaksf("%s has a hint that cannot be", simText{slice})
		}
		endpoint.Hints = nil
	}
	ready := slices.DeleteFunc(slices.Clone(bare.Endpoints), func(e discoveryv1.Endpoint) bool { return !*e.Conditions.Ready })
	if hinted != 0 && hinted != len(ready) {
		w.breaksf("%s has hints on some of its ready endpoints", simText{slice})
	}
	return bare
}

func (w *simWorld) hasNodes(zone string) bool {
	return slices.ContainsFunc(simAll[*corev1.Node](w.api.simStore), func(node *corev1.Node) bool {
		return node.Labels[corev1.LabelTopologyZone] == zone && len(node.Status.Conditions) > 0
	})
}
