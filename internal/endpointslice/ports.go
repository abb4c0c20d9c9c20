// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// PortsKey identifies a set of ports whatever their order. Endpoints with
// different sets never share a slice, because a slice has one list of ports.
type PortsKey string

// noPorts is the key of an empty list: headless Services without ports, pods
// that declare none of the named ports, and the placeholder.
const noPorts PortsKey = ""

// resolvePorts returns the ports a Service reaches on one pod. A named target
// port that the pod does not declare is left out, so the list may be shorter
// than the Service's, and empty.
func resolvePorts(service *corev1.Service, pod *corev1.Pod) []discoveryv1.EndpointPort {
	ports := make([]discoveryv1.EndpointPort, 0, len(service.Spec.Ports))
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		number, found := TargetPort(port, pod)
		if !found {
			continue
		}
		ports = append(ports, discoveryv1.EndpointPort{
			Name:        new(port.Name),
			Port:        new(number),
			Protocol:    new(port.Protocol),
			AppProtocol: port.AppProtocol,
		})
	}
	return ports
}

// TargetPort finds the number behind a Service port on a pod: a number is taken
// as it is, a name is looked up with its protocol among the containers, then
// among the sidecars (init containers that keep running).
func TargetPort(port *corev1.ServicePort, pod *corev1.Pod) (int32, bool) {
	if port.TargetPort.Type == intstr.Int {
		return port.TargetPort.IntVal, true
	}
	if number, found := declaredPort(pod.Spec.Containers, port); found {
		return number, true
	}
	for i := range pod.Spec.InitContainers {
		container := &pod.Spec.InitContainers[i]
		if ptr.Deref(container.RestartPolicy, "") != corev1.ContainerRestartPolicyAlways {
			continue
		}
		if number, found := declaredPort(pod.Spec.InitContainers[i:i+1], port); found {
			return number, true
		}
	}
	return 0, false
}

func declaredPort(containers []corev1.Container, port *corev1.ServicePort) (int32, bool) {
	for i := range containers {
		for _, declared := range containers[i].Ports {
			if declared.Name == port.TargetPort.StrVal && declared.Protocol == port.Protocol {
				return declared.ContainerPort, true
			}
		}
	}
	return 0, false
}

// KeyOfPorts returns the identity of a list of ports.
func KeyOfPorts(ports []discoveryv1.EndpointPort) PortsKey {
	if len(ports) == 0 {
		return noPorts
	}
	fields := make([]string, 0, len(ports))
	for i := range ports {
		fields = append(fields, portField(&ports[i]))
	}
	slices.Sort(fields)
	return PortsKey(strings.Join(fields, ";"))
}

// portField tells an absent field from an empty one, so that a slice somebody
// else wrote without a port number is never taken for one of ours. Names and
// protocols hold no separator: API validation limits them to DNS labels and a
// handful of constants; an application protocol is quoted.
func portField(port *discoveryv1.EndpointPort) string {
	field := optional(port.Name) + "/" + optional(port.Protocol)
	if port.Port != nil {
		field += "/" + strconv.Itoa(int(*port.Port))
	}
	if port.AppProtocol != nil {
		field += "/" + strconv.Quote(*port.AppProtocol)
	}
	return field
}

func optional[T ~string](value *T) string {
	if value == nil {
		return "?"
	}
	return string(*value)
}
