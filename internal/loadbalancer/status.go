// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Entry is an address that a status is to have.
type Entry struct {
	Address netip.Addr
	Mode    corev1.LoadBalancerIPMode
	// Refused are the ports that can't be served there, since another Service has them.
	Refused []Port
}

// Desired is what the status of a Service is to say.
type Desired struct {
	// Entries are our part of its addresses.
	Entries []Entry
	// Ours tells of other addresses of the status whether they are ours, to be removed.
	Ours func(netip.Addr) bool
	// Allocated is the condition servicenet.dev/AddressAllocated; nil if there is to
	// be none.
	Allocated *Verdict
}

// Verdict is a condition.
type Verdict struct {
	True            bool
	Reason, Message string
}

// Change returns the status that a Service is to have, nil if it has it already. What
// is not ours of its lists stays, in its order.
func Change(service *corev1.Service, d *Desired, now metav1.Time) *corev1.ServiceStatus {
	status := service.Status.DeepCopy()
	status.LoadBalancer.Ingress = ingress(service, d)
	setCondition(&status.Conditions, servicenetv1alpha1.ConditionAddressAllocated, d.Allocated, service.Generation, now)
	ports := apimeta.FindStatusCondition(status.Conditions, corev1.LoadBalancerPortsError)
	if refused := refused(d.Entries); refused != nil || ports != nil && ports.Reason == PortInUse {
		setCondition(&status.Conditions, corev1.LoadBalancerPortsError, refused, service.Generation, now)
	}
	if apiequality.Semantic.DeepEqual(&service.Status, status) {
		return nil
	}
	return status
}

// Edited tells whether the addresses of a status are not as they are to be.
func Edited(service *corev1.Service, d *Desired) bool {
	return !apiequality.Semantic.DeepEqual(service.Status.LoadBalancer.Ingress, ingress(service, d))
}

// setCondition sets a condition, or removes it. One that says the same stays as it is,
// with its time.
func setCondition(conditions *[]metav1.Condition, of string, verdict *Verdict, generation int64, now metav1.Time) {
	if verdict == nil {
		apimeta.RemoveStatusCondition(conditions, of)
		return
	}
	condition := metav1.Condition{
		Type: of, Status: metav1.ConditionFalse, Reason: verdict.Reason, Message: verdict.Message,
		ObservedGeneration: generation, LastTransitionTime: now,
	}
	if verdict.True {
		condition.Status = metav1.ConditionTrue
	}
	apimeta.SetStatusCondition(conditions, condition)
}

// refused returns the condition that tells of ports that can't be served.
func refused(entries []Entry) *Verdict {
	text := ""
	for i := range entries {
		for _, port := range entries[i].Refused {
			if text != "" {
				text += ", "
			}
			text += port.String() + " on " + entries[i].Address.String()
		}
	}
	if text == "" {
		return nil
	}
	return &Verdict{True: true, Reason: PortInUse, Message: "another Service has " + text}
}

// ingress returns the addresses of a status: those of others, ours that stay where
// they are, and then ours that are new.
func ingress(service *corev1.Service, d *Desired) []corev1.LoadBalancerIngress {
	var list []corev1.LoadBalancerIngress
	var placed []netip.Addr
	for i := range service.Status.LoadBalancer.Ingress {
		is := &service.Status.LoadBalancer.Ingress[i]
		address, isAddress := parse(is.IP)
		at := slices.IndexFunc(d.Entries, func(e Entry) bool { return isAddress && e.Address == address })
		switch {
		case at >= 0 && !slices.Contains(placed, address):
			list = append(list, entry(service, &d.Entries[at]))
			placed = append(placed, address)
		case at < 0 && (!isAddress || !d.Ours(address)):
			list = append(list, *is.DeepCopy())
		}
	}
	for i := range d.Entries {
		if !slices.Contains(placed, d.Entries[i].Address) {
			list = append(list, entry(service, &d.Entries[i]))
		}
	}
	return list
}

// entry returns an entry as it is written. Ports are listed where one is refused: a
// list without faults says nothing.
func entry(service *corev1.Service, e *Entry) corev1.LoadBalancerIngress {
	is := corev1.LoadBalancerIngress{IP: e.Address.String(), IPMode: new(e.Mode)}
	if len(e.Refused) == 0 {
		return is
	}
	for i := range service.Spec.Ports {
		port := corev1.PortStatus{Port: service.Spec.Ports[i].Port, Protocol: service.Spec.Ports[i].Protocol}
		if slices.Contains(e.Refused, Port{port.Protocol, port.Port}) {
			port.Error = new(PortInUseStatus)
		}
		is.Ports = append(is.Ports, port)
	}
	return is
}

// Shown returns the addresses of a status.
func Shown(service *corev1.Service) []netip.Addr {
	var found []netip.Addr
	for i := range service.Status.LoadBalancer.Ingress {
		if address, ok := parse(service.Status.LoadBalancer.Ingress[i].IP); ok {
			found = append(found, address)
		}
	}
	return found
}

// Reason returns the reason of the condition servicenet.dev/AddressAllocated of a
// Service, and whether it is true; empty if it has none.
func Reason(service *corev1.Service) (reason string, allocated bool) {
	condition := apimeta.FindStatusCondition(service.Status.Conditions, servicenetv1alpha1.ConditionAddressAllocated)
	if condition == nil {
		return "", false
	}
	return condition.Reason, condition.Status == metav1.ConditionTrue
}
