// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// sliceLines returns what the slices of a Service have to list, a line for each
// endpoint, from the rules as the documentation of Services and EndpointSlices
// has them.
func (w *simWorld) sliceLines(service *corev1.Service) []string {
	var lines []string
	for _, family := range simFamilies(service) {
		before := len(lines)
		for _, pod := range w.backends(service) {
			zone, nodeExists := w.zoneOf(pod.Spec.NodeName)
			addresses := simAddresses(pod, family)
			if len(addresses) > 0 && (nodeExists || service.Spec.PublishNotReadyAddresses) {
				lines = append(lines, simLine(family, simEndpoint(service, pod, zone, addresses), simPorts(service, pod)))
			}
		}
		if len(lines) == before {
			lines = append(lines, fmt.Sprintf("%s: empty", family))
		}
	}
	slices.Sort(lines)
	return lines
}

// backends are the pods whose containers may still run.
func (w *simWorld) backends(service *corev1.Service) []*corev1.Pod {
	return slices.DeleteFunc(w.selected(service), func(pod *corev1.Pod) bool {
		return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	})
}

func (w *simWorld) selected(service *corev1.Service) []*corev1.Pod {
	return slices.DeleteFunc(simAll[*corev1.Pod](w.api.simStore), func(pod *corev1.Pod) bool {
		for key, value := range service.Spec.Selector {
			if pod.Labels[key] != value {
				return true
			}
		}
		return pod.Namespace != service.Namespace
	})
}

// slicesOf returns the slices with a manager that consumers take for a Service's.
func (w *simWorld) slicesOf(service client.ObjectKey, managedBy string) []*discoveryv1.EndpointSlice {
	return slices.DeleteFunc(simAll[*discoveryv1.EndpointSlice](w.api.simStore), func(slice *discoveryv1.EndpointSlice) bool {
		return slice.Labels[discoveryv1.LabelManagedBy] != managedBy || slice.DeletionTimestamp != nil ||
			endpointslice.ServiceOf(slice) != service
	})
}

// linesOf returns what slices list in the same way. Empty slices beside others
// tell consumers nothing and do not count.
func linesOf(all []*discoveryv1.EndpointSlice) []string {
	var lines []string
	endpoints := map[discoveryv1.AddressType]int{}
	for _, slice := range all {
		endpoints[slice.AddressType] += len(slice.Endpoints)
		for i := range slice.Endpoints {
			lines = append(lines, simLine(slice.AddressType, slice.Endpoints[i], slice.Ports))
		}
	}
	for family, n := range endpoints {
		if n == 0 {
			lines = append(lines, fmt.Sprintf("%s: empty", family))
		}
	}
	slices.Sort(lines)
	return lines
}

func simFamilies(service *corev1.Service) []discoveryv1.AddressType {
	var families []discoveryv1.AddressType
	for _, family := range service.Spec.IPFamilies {
		families = append(families, discoveryv1.AddressType(family))
	}
	switch ip := service.Spec.ClusterIP; {
	case len(families) > 0:
		return families
	case ip == corev1.ClusterIPNone:
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6}
	case strings.Contains(ip, ":"):
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv6}
	default:
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4}
	}
}

func (w *simWorld) zoneOf(name string) (zone string, exists bool) {
	node, exists := simFind[*corev1.Node](w.api.simStore, simKey("", name))
	if !exists {
		return "", false
	}
	return node.Labels[corev1.LabelTopologyZone], true
}

func simAddresses(pod *corev1.Pod, family discoveryv1.AddressType) []string {
	var found []string
	for _, ip := range pod.Status.PodIPs {
		if address := netip.MustParseAddr(ip.IP); address.Is4() == (family == discoveryv1.AddressTypeIPv4) {
			found = append(found, address.String())
		}
	}
	return found
}

func simEndpoint(service *corev1.Service, pod *corev1.Pod, zone string, addresses []string) discoveryv1.Endpoint {
	terminating := pod.DeletionTimestamp != nil
	serving := isReady(pod)
	ready := serving && !terminating || service.Spec.PublishNotReadyAddresses
	endpoint := discoveryv1.Endpoint{
		Addresses:  addresses,
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		NodeName:   &pod.Spec.NodeName,
	}
	if pod.Spec.Hostname != "" && pod.Spec.Subdomain == service.Name {
		endpoint.Hostname = &pod.Spec.Hostname
	}
	if zone != "" {
		endpoint.Zone = &zone
	}
	endpoint.Hints = simHints(service, &endpoint)
	return endpoint
}

// simHints are those of a Service that asks for close endpoints. What becomes of
// zones' shares depends on what was there before, and is looked at apart.
func simHints(service *corev1.Service, endpoint *discoveryv1.Endpoint) *discoveryv1.EndpointHints {
	wish := ptr.Deref(service.Spec.TrafficDistribution, "")
	if endpointslice.AutoTopology(service) {
		return nil
	}
	hints := discoveryv1.EndpointHints{}
	if wish != "" && endpoint.Zone != nil {
		hints.ForZones = []discoveryv1.ForZone{{Name: *endpoint.Zone}}
	}
	if wish == corev1.ServiceTrafficDistributionPreferSameNode {
		hints.ForNodes = []discoveryv1.ForNode{{Name: *endpoint.NodeName}}
	}
	if !*endpoint.Conditions.Ready || hints.ForZones == nil && hints.ForNodes == nil {
		return nil
	}
	return &hints
}

// simPorts finds a named port in the containers first, then in the init
// containers that go on running.
func simPorts(service *corev1.Service, pod *corev1.Pod) []discoveryv1.EndpointPort {
	declared := map[string]int32{}
	containers := slices.Clone(pod.Spec.Containers)
	for i := range pod.Spec.InitContainers {
		if ptr.Deref(pod.Spec.InitContainers[i].RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			containers = append(containers, pod.Spec.InitContainers[i])
		}
	}
	for i := range slices.Backward(containers) {
		for _, port := range containers[i].Ports {
			declared[port.Name+"/"+string(port.Protocol)] = port.ContainerPort
		}
	}
	var ports []discoveryv1.EndpointPort
	for _, port := range service.Spec.Ports {
		number, found := port.TargetPort.IntVal, true
		if port.TargetPort.Type == intstr.String {
			number, found = declared[port.TargetPort.StrVal+"/"+string(port.Protocol)]
		}
		if found {
			ports = append(ports, discoveryv1.EndpointPort{
				Name: &port.Name, Port: &number, Protocol: &port.Protocol, AppProtocol: port.AppProtocol,
			})
		}
	}
	return ports
}

// simLine is one endpoint with its ports as text, which tells any two apart.
func simLine(family discoveryv1.AddressType, endpoint discoveryv1.Endpoint, ports []discoveryv1.EndpointPort) string {
	texts := make([]string, len(ports))
	for i := range ports {
		texts[i] = simJSON(ports[i])
	}
	slices.Sort(texts)
	return fmt.Sprintf("%s: %s on %s", family, simJSON(endpoint), texts)
}

func simJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
