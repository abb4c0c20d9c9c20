// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	netutils "k8s.io/utils/net"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tally counts endpoints by their description.
type tally map[string]int

// faults names what differs: endpoints that are lost, listed twice or wrong.
func (want tally) faults(where string, got tally) []string {
	var faults []string
	for endpoint, count := range want {
		if got[endpoint] != count {
			faults = append(faults, fmt.Sprintf("%s: want %d, got %d of %s", where, count, got[endpoint], endpoint))
		}
	}
	for endpoint, count := range got {
		if want[endpoint] == 0 {
			faults = append(faults, fmt.Sprintf("%s: want no %s, got %d", where, endpoint, count))
		}
	}
	slices.Sort(faults)
	return faults
}

// inSlice describes an endpoint of an EndpointSlice.
func inSlice(address, pod, node, zone string, ready, serving, terminating bool, ports []string) string {
	return fmt.Sprintf("%s of pod %q on %q in %q, ready %t, serving %t, terminating %t, at %s",
		address, pod, node, zone, ready, serving, terminating, strings.Join(ports, " "))
}

// inEndpoints describes an address of an Endpoints at one of its ports.
func inEndpoints(address, pod string, ready bool, port string) string {
	return fmt.Sprintf("%s of pod %q, ready %t, at %s", address, pod, ready, port)
}

// wantedOf counts the endpoints that a Service with a selector should have: in its
// EndpointSlices and in its Endpoints. Every pod of these specs has an address of
// each family and a node.
func (in space) wantedOf(ctx context.Context, service *corev1.Service) (inSlices, inObject tally, err error) {
	var pods corev1.PodList
	selected := client.MatchingLabels(service.Spec.Selector)
	if err := in.api.List(ctx, &pods, client.InNamespace(in.name), selected); err != nil {
		return nil, nil, err
	}
	inSlices, inObject = tally{}, tally{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Status.Phase != corev1.PodRunning || len(pod.Status.PodIPs) == 0 {
			continue // over, or not yet started
		}
		in.addWanted(service, pod, inSlices, inObject)
	}
	return inSlices, inObject, nil
}

func (in space) addWanted(service *corev1.Service, pod *corev1.Pod, inSlices, inObject tally) {
	published := service.Spec.PublishNotReadyAddresses
	terminating := pod.DeletionTimestamp != nil
	serving := pod.Status.Conditions[0].Status == corev1.ConditionTrue
	ready := published || serving && !terminating
	ports := portsOf(service, pod)
	for i, family := range service.Spec.IPFamilies {
		for _, ip := range pod.Status.PodIPs {
			if netutils.IsIPv6String(ip.IP) != (family == corev1.IPv6Protocol) {
				continue
			}
			inSlices[inSlice(ip.IP, pod.Name, pod.Spec.NodeName, zoneOf(pod.Spec.NodeName), ready, serving, terminating, ports)]++
			if i > 0 || terminating && !published {
				continue
			}
			for _, port := range ports {
				inObject[inEndpoints(ip.IP, pod.Name, ready, port)]++
			}
		}
	}
}

// zoneOf knows where the nodes are.
func zoneOf(node string) string { return "zone-" + string("abc"[(node[len(node)-1]-'0')%3]) }

// portsOf are the ports of a Service at a pod.
func portsOf(service *corev1.Service, pod *corev1.Pod) []string {
	var ports []string
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		number := port.TargetPort.IntVal
		if port.TargetPort.Type == intstr.String {
			number = pod.Spec.Containers[0].Ports[0].ContainerPort
		}
		ports = append(ports, fmt.Sprintf("%s:%d", port.Name, number))
	}
	slices.Sort(ports)
	return ports
}

// mirrorOf counts the endpoints that the mirrored slices of Endpoints should have.
// The Endpoints of these specs have one subset, with plain addresses.
func mirrorOf(endpoints *corev1.Endpoints) tally {
	want := tally{}
	for i := range endpoints.Subsets {
		subset := &endpoints.Subsets[i]
		ports := []string{fmt.Sprintf("%s:%d", subset.Ports[0].Name, subset.Ports[0].Port)}
		for _, address := range subset.Addresses {
			want[inSlice(address.IP, "", "", "", true, false, false, ports)]++
		}
		for _, address := range subset.NotReadyAddresses {
			want[inSlice(address.IP, "", "", "", false, false, false, ports)]++
		}
	}
	return want
}
