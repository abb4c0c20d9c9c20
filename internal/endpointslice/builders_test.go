// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	testNamespace = "shop"
	ipv4          = discoveryv1.AddressTypeIPv4
	ipv6          = discoveryv1.AddressTypeIPv6
)

type serviceOption func(*corev1.Service)

// makeService returns a plain Service: IPv4, port 80 to 8080.
func makeService(options ...serviceOption) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: "web", UID: "service-uid"},
		Spec: corev1.ServiceSpec{
			Type:       corev1.ServiceTypeClusterIP,
			ClusterIP:  "10.96.0.10",
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol},
			Selector:   map[string]string{"app": "web"},
			Ports:      []corev1.ServicePort{servicePort("http", 80, intstr.FromInt32(8080))},
		},
	}
	for _, option := range options {
		option(service)
	}
	return service
}

func servicePort(name string, port int32, target intstr.IntOrString) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: port, TargetPort: target, Protocol: corev1.ProtocolTCP}
}

func withPorts(ports ...corev1.ServicePort) serviceOption {
	return func(s *corev1.Service) { s.Spec.Ports = ports }
}

func withFamilies(families ...corev1.IPFamily) serviceOption {
	return func(s *corev1.Service) { s.Spec.IPFamilies = families }
}

func withClusterIP(ip string) serviceOption {
	return func(s *corev1.Service) { s.Spec.ClusterIP = ip }
}

func withLabels(labels map[string]string) serviceOption {
	return func(s *corev1.Service) { s.Labels = labels }
}

func withTrafficDistribution(value string) serviceOption {
	return func(s *corev1.Service) { s.Spec.TrafficDistribution = new(value) }
}

func withAnnotation(key, value string) serviceOption {
	return func(s *corev1.Service) {
		if s.Annotations == nil {
			s.Annotations = map[string]string{}
		}
		s.Annotations[key] = value
	}
}

// autoTopology asks for zone hints in proportion to the zones' CPU.
func autoTopology(s *corev1.Service) { withAnnotation(corev1.AnnotationTopologyMode, "Auto")(s) }

func publishNotReady(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true }

func serviceDeleting(s *corev1.Service) { s.DeletionTimestamp = &metav1.Time{} }

type podOption func(*corev1.Pod)

// makePod returns the i-th pod: running, ready, 10.0.x.y, on node-a.
func makePod(i int, options ...podOption) *corev1.Pod {
	name := fmt.Sprintf("web-%04d", i)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: testNamespace, Name: name, UID: types.UID(name),
			Labels: map[string]string{"app": "web"},
		},
		Spec: corev1.PodSpec{NodeName: "node-a"},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			PodIPs:     []corev1.PodIP{{IP: fmt.Sprintf("10.%d.%d.%d", i/62_500, i/250%250, i%250+1)}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
	for _, option := range options {
		option(pod)
	}
	return pod
}

func makePods(from, to int, options ...podOption) []*corev1.Pod {
	var pods []*corev1.Pod
	for i := from; i < to; i++ {
		pods = append(pods, makePod(i, options...))
	}
	return pods
}

func unready(p *corev1.Pod)     { p.Status.Conditions[0].Status = corev1.ConditionFalse }
func terminating(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }

func onNode(name string) podOption { return func(p *corev1.Pod) { p.Spec.NodeName = name } }

func withPhase(phase corev1.PodPhase) podOption {
	return func(p *corev1.Pod) { p.Status.Phase = phase }
}

func withIPs(ips ...string) podOption {
	return func(p *corev1.Pod) {
		p.Status.PodIPs = nil
		for _, ip := range ips {
			p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: ip})
		}
	}
}

func withHostname(hostname, subdomain string) podOption {
	return func(p *corev1.Pod) { p.Spec.Hostname, p.Spec.Subdomain = hostname, subdomain }
}

func withNamedPort(name string, number int32) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{
			Ports: []corev1.ContainerPort{{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP}},
		})
	}
}

// testZones are the nodes there are in these tests.
func testZones(node string) (string, bool) {
	zone, exists := map[string]string{
		"node-a": "zone-a", "node-b": "zone-b", "node-c": "zone-c", "node-d": "zone-d", "node-e": "zone-e", "node-f": "zone-f", "node-g": "zone-g",
		"node-zoneless": "",
	}[node]
	return zone, exists
}

type nodeOption func(*corev1.Node)

// makeNode returns a node that is ready, in a zone and with so many milli-CPUs.
func makeNode(name, zone string, milliCPU int64, options ...nodeOption) *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelTopologyZone: zone}},
		Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(milliCPU, resource.DecimalSI)},
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
	for _, option := range options {
		option(node)
	}
	return node
}

func nodeUnready(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionFalse }

func withNodeLabel(key string) nodeOption { return func(n *corev1.Node) { n.Labels[key] = "" } }

// makeShares returns the shares of zones with so much CPU: zone-a, zone-b, ...
func makeShares(milliCPU ...int64) ZoneShares {
	var nodes []*corev1.Node
	for i, milli := range milliCPU {
		letter := string(rune('a' + i))
		nodes = append(nodes, makeNode("node-"+letter, "zone-"+letter, milli))
	}
	return SharesOf(nodes)
}

func makeInput(service *corev1.Service, pods []*corev1.Pod, slices ...*discoveryv1.EndpointSlice) Input {
	return Input{Service: service, Pods: pods, Slices: slices, ZoneOf: testZones, MaxEndpoints: 100}
}
