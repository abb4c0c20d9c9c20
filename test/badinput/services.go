// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Option changes a Service.
type Option func(*corev1.Service)

// Make returns a Service with the API server's defaults.
func Make(namespace, name string, kind corev1.ServiceType, options ...Option) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	s.Spec.Type, s.Spec.SessionAffinity = kind, corev1.ServiceAffinityNone
	s.Spec.Selector = map[string]string{"app": name}
	if kind == corev1.ServiceTypeExternalName {
		s.Spec.ExternalName = "example.com"
	} else {
		s.Spec.InternalTrafficPolicy = new(corev1.ServiceInternalTrafficPolicyCluster)
	}
	for _, option := range options {
		option(s)
	}
	opens := kind == corev1.ServiceTypeNodePort || kind == corev1.ServiceTypeLoadBalancer
	if opens && s.Spec.ExternalTrafficPolicy == "" {
		s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
	}
	if kind == corev1.ServiceTypeLoadBalancer && s.Spec.AllocateLoadBalancerNodePorts == nil {
		s.Spec.AllocateLoadBalancerNodePorts = new(true)
	}
	if kind != corev1.ServiceTypeExternalName && len(s.Spec.Ports) == 0 {
		Port("http", 80, corev1.ProtocolTCP, 0)(s)
	}
	return s
}

// Port adds a port. The node port may be 0.
func Port(name string, port int32, protocol corev1.Protocol, nodePort int32) Option {
	return func(s *corev1.Service) {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{
			Name: name, Port: port, Protocol: protocol, NodePort: nodePort, TargetPort: intstr.FromInt32(port),
		})
	}
}

// HTTP adds the port 80 with a node port.
func HTTP(nodePort int32) Option { return Port("http", 80, corev1.ProtocolTCP, nodePort) }

// IPs sets clusterIP and clusterIPs.
func IPs(addresses ...string) Option {
	return func(s *corev1.Service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = addresses[0], addresses }
}

// Plural sets clusterIPs alone.
func Plural(addresses ...string) Option {
	return func(s *corev1.Service) { s.Spec.ClusterIPs = addresses }
}

// Singular sets clusterIP alone.
func Singular(address string) Option {
	return func(s *corev1.Service) { s.Spec.ClusterIP = address }
}

// Families sets ipFamilies.
func Families(families ...corev1.IPFamily) Option {
	return func(s *corev1.Service) { s.Spec.IPFamilies = families }
}

// Policy sets ipFamilyPolicy.
func Policy(policy corev1.IPFamilyPolicy) Option {
	return func(s *corev1.Service) { s.Spec.IPFamilyPolicy = &policy }
}

// Local sets externalTrafficPolicy to Local, with a port for health checks or 0.
func Local(healthCheckNodePort int32) Option {
	return func(s *corev1.Service) {
		s.Spec.ExternalTrafficPolicy, s.Spec.HealthCheckNodePort = corev1.ServiceExternalTrafficPolicyLocal, healthCheckNodePort
	}
}

// Health sets healthCheckNodePort alone.
func Health(port int32) Option {
	return func(s *corev1.Service) { s.Spec.HealthCheckNodePort = port }
}

// WithoutPorts sets allocateLoadBalancerNodePorts to false.
func WithoutPorts() Option {
	return func(s *corev1.Service) { s.Spec.AllocateLoadBalancerNodePorts = new(false) }
}

// External sets externalIPs.
func External(addresses ...string) Option {
	return func(s *corev1.Service) { s.Spec.ExternalIPs = addresses }
}

// Sources sets loadBalancerSourceRanges.
func Sources(cidrs ...string) Option {
	return func(s *corev1.Service) { s.Spec.LoadBalancerSourceRanges = cidrs }
}

// Annotated sets an annotation.
func Annotated(key, value string) Option {
	return func(s *corev1.Service) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value) }
}
