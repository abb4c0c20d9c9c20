// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Names of Endpoints that never have a Service: some elect a leader, others wait
// for a Service to come.
const (
	simLock = "lock"
	simSolo = "solo"
)

// simServiceKeys are those of the few Services there may be.
func simServiceKeys() []client.ObjectKey {
	return []client.ObjectKey{simKey("shop", "web"), simKey("shop", "api"), simKey("other", "web")}
}

func (w *simWorld) serviceKey() client.ObjectKey {
	return pick(w, append(simServiceKeys(), simKey("shop", "web"))...)
}

// changeService makes, changes or removes one Service.
func (w *simWorld) changeService() {
	key := w.serviceKey()
	existing, exists := simFind[*corev1.Service](w.api.simStore, key)
	if !exists {
		w.create(w.newService(key))
		return
	}
	switch w.random.IntN(12) {
	case 0:
		w.removeGracefully(existing)
	case 1:
		w.remove(existing)
	case 2:
		w.remove(existing)
		next := w.newService(key)
		if w.chance(2) {
			next.Labels, next.Annotations, next.Spec = existing.Labels, existing.Annotations, existing.Spec
		}
		w.create(next)
	default:
		service := existing.DeepCopy()
		field := w.random.IntN(simServiceFields)
		if w.zonal && w.chance(2) {
			field = simServiceFields - 1
		}
		w.setField(service, field)
		w.update(service)
	}
}

func (w *simWorld) newService(key client.ObjectKey) *corev1.Service {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	for field := range simServiceFields {
		w.setField(service, field)
	}
	return service
}

// simServiceFields is how many fields of a Service setField knows.
const simServiceFields = 9

// setField gives one field of a Service another value.
func (w *simWorld) setField(service *corev1.Service, field int) {
	spec := &service.Spec
	switch field {
	case 0:
		web := map[string]string{"app": "web"}
		spec.Selector = pick(w, web, web, web, map[string]string{"app": "web", "track": "stable"}, map[string]string{"app": "api"}, nil, nil)
	case 1:
		spec.Ports = w.servicePorts()
	case 2:
		spec.Type = pick(w, corev1.ServiceTypeClusterIP, corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeExternalName)
	case 3:
		spec.IPFamilies = pick(w, []corev1.IPFamily{corev1.IPv4Protocol}, []corev1.IPFamily{corev1.IPv4Protocol},
			[]corev1.IPFamily{corev1.IPv6Protocol}, []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}, nil)
	case 4:
		spec.PublishNotReadyAddresses = w.chance(3)
	case 5:
		service.Labels = pick(w, nil, map[string]string{"team": "a"}, map[string]string{corev1.IsHeadlessService: "no"})
	case 6:
		spec.TrafficDistribution = pick(w, nil, nil, new(corev1.ServiceTrafficDistributionPreferSameZone),
			new(corev1.ServiceTrafficDistributionPreferSameNode))
	case 7:
		spec.ClusterIP = pick(w, "10.96.0.1", "10.96.0.1", "fd96::1", corev1.ClusterIPNone)
	case 8:
		auto := map[string]string{corev1.AnnotationTopologyMode: "Auto"}
		service.Annotations = pick(w, nil, nil, auto)
		if w.zonal && !w.chance(4) {
			service.Annotations = auto
		}
	}
}

func (w *simWorld) servicePorts() []corev1.ServicePort {
	number := corev1.ServicePort{Name: "number", Protocol: corev1.ProtocolTCP, Port: 80, TargetPort: intstr.FromInt32(9090)}
	named := corev1.ServicePort{Name: "named", Protocol: corev1.ProtocolTCP, Port: 81, TargetPort: intstr.FromString("http")}
	udp := corev1.ServicePort{
		Name: "udp", Protocol: corev1.ProtocolUDP, Port: 81, TargetPort: intstr.FromString("http"), AppProtocol: new("dns"),
	}
	return pick(w, []corev1.ServicePort{number}, []corev1.ServicePort{named}, []corev1.ServicePort{number, named},
		[]corev1.ServicePort{udp, number}, nil)
}

// changeEndpoints does by hand what people do to Endpoints, those of Services
// and their own.
func (w *simWorld) changeEndpoints() {
	key := w.serviceKey()
	if w.chance(5) {
		key.Name = pick(w, simLock, simSolo)
	}
	existing, exists := simFind[*corev1.Endpoints](w.api.simStore, key)
	if !exists {
		object := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}, Subsets: w.subsets()}
		if key.Name == simLock {
			object.Annotations = map[string]string{"control-plane.alpha.kubernetes.io/leader": "me"}
		}
		w.create(object)
		return
	}
	object := existing.DeepCopy()
	switch w.random.IntN(7) {
	case 0:
		w.remove(object)
		return
	case 1:
		object.Labels = pick(w, nil, map[string]string{"team": "b"}, map[string]string{discoveryv1.LabelSkipMirror: "true"})
	case 2:
		object.Labels = existing.Labels // nothing
	default:
		object.Subsets = w.subsets()
	}
	w.update(object)
}

// subsets are written by hand: some addresses twice, ready here and not there.
func (w *simWorld) subsets() []corev1.EndpointSubset {
	var subsets []corev1.EndpointSubset
	for range 1 + w.random.IntN(2) {
		subset := corev1.EndpointSubset{Ports: []corev1.EndpointPort{{Port: 80 + w.random.Int32N(2), Protocol: corev1.ProtocolTCP}}}
		if w.chance(2) {
			subset.Ports = append(subset.Ports, corev1.EndpointPort{Name: "b", Port: 90, Protocol: corev1.ProtocolTCP})
			subset.Ports[0].Name = "a"
		}
		for range w.random.IntN(3) {
			subset.Addresses = append(subset.Addresses, w.address())
		}
		for range w.random.IntN(2) {
			subset.NotReadyAddresses = append(subset.NotReadyAddresses, w.address())
		}
		subsets = append(subsets, subset)
	}
	return subsets
}

func (w *simWorld) address() corev1.EndpointAddress {
	i := 1 + w.random.IntN(4)
	return corev1.EndpointAddress{IP: pick(w, fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("2001:db8::%d", i))}
}
