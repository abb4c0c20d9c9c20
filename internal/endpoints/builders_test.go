// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

type serviceOption func(*corev1.Service)

// makeService returns a plain Service: IPv4, port 80 to 8080.
func makeService(options ...serviceOption) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "service-uid"},
		Spec: corev1.ServiceSpec{
			Type:       corev1.ServiceTypeClusterIP,
			ClusterIP:  "10.96.0.10",
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol},
			Selector:   map[string]string{"app": "web"},
			Ports:      []corev1.ServicePort{numbered("http", 8080)},
		},
	}
	for _, option := range options {
		option(service)
	}
	return service
}

func numbered(name string, target int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: 80, TargetPort: intstr.FromInt32(target), Protocol: corev1.ProtocolTCP}
}

func named(name, target string) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: 80, TargetPort: intstr.FromString(target), Protocol: corev1.ProtocolTCP}
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

func publishNotReady(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true }

func externalName(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }

func withoutSelector(s *corev1.Service) { s.Spec.Selector = nil }

type podOption func(*corev1.Pod)

// makePod returns the i-th pod: running, ready, 10.0.x.y, on node-a.
func makePod(i int, options ...podOption) *corev1.Pod {
	name := fmt.Sprintf("web-%d", i)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, UID: types.UID(name),
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

func unready(p *corev1.Pod)     { p.Status.Conditions = nil }
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

func declaring(name string, number int32) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{
			Ports: []corev1.ContainerPort{{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP}},
		})
	}
}

// at returns an address; with a target's name it has that target.
func at(ip string, target ...string) corev1.EndpointAddress {
	address := corev1.EndpointAddress{IP: ip}
	for _, name := range target {
		address.TargetRef = &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: name, UID: types.UID(name)}
	}
	return address
}

func addresses(list ...corev1.EndpointAddress) []corev1.EndpointAddress { return list }

func port(name string, number int32) corev1.EndpointPort {
	return corev1.EndpointPort{Name: name, Port: number, Protocol: corev1.ProtocolTCP}
}

func ports(list ...corev1.EndpointPort) []corev1.EndpointPort { return list }

// sketch returns a line for each subset, such as
// "http:80 dns:53 at 10.0.0.1/web-1 10.0.0.2/web-2, not ready 10.0.0.3/web-3".
func sketch(subsets []corev1.EndpointSubset) []string {
	var lines []string
	for _, subset := range subsets {
		var words []string
		for _, p := range subset.Ports {
			words = append(words, fmt.Sprintf("%s:%d", p.Name, p.Port))
		}
		words = append(words, "at")
		words = append(words, sketchAddresses(subset.Addresses)...)
		line := strings.Join(words, " ")
		if len(subset.NotReadyAddresses) > 0 {
			line += ", not ready " + strings.Join(sketchAddresses(subset.NotReadyAddresses), " ")
		}
		lines = append(lines, line)
	}
	return lines
}

func sketchAddresses(list []corev1.EndpointAddress) []string {
	var words []string
	for i := range list {
		word := list[i].IP
		if list[i].TargetRef != nil {
			word += "/" + list[i].TargetRef.Name
		}
		words = append(words, word)
	}
	return words
}
