// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	netutils "k8s.io/utils/net"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// OwnerOf returns the owner that a Service is.
func OwnerOf(service *corev1.Service) ledger.Owner {
	return ledger.Owner{NamespacedName: client.ObjectKeyFromObject(service), UID: service.UID}
}

// Numbers returns the numbers that a Service carries: its ClusterIPs and NodePorts. An
// ExternalName that has NodePorts carries them: the API server's repair allocates them
// for it. Load-balancer addresses are no such numbers: its status says what the ledger
// has decided, and decides nothing.
func Numbers(service *corev1.Service) []ledger.Place {
	var places []ledger.Place
	if service.Spec.Type != corev1.ServiceTypeExternalName {
		for _, address := range service.Spec.ClusterIPs {
			places = appendAddress(places, servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6, address)
		}
	}
	for i := range service.Spec.Ports {
		places = appendPort(places, service.Spec.Ports[i].NodePort)
	}
	return appendPort(places, service.Spec.HealthCheckNodePort)
}

// Addresses returns the load-balancer addresses that the status of a Service shows.
func Addresses(service *corev1.Service) (places []ledger.Place) {
	for i := range service.Status.LoadBalancer.Ingress {
		address := service.Status.LoadBalancer.Ingress[i].IP
		places = appendAddress(places, servicenetv1alpha1.LoadBalancerIPv4, servicenetv1alpha1.LoadBalancerIPv6, address)
	}
	return places
}

func appendAddress(places []ledger.Place, v4, v6 servicenetv1alpha1.NumberFamily, text string) []ledger.Place {
	// Old Services may have addresses with leading zeros, which the API server reads.
	address, ok := netip.AddrFromSlice(netutils.ParseIPSloppy(text))
	switch {
	case !ok: // none, or a headless Service's "None"
		return places
	case address.Unmap().Is4():
		return append(places, ledger.Address(v4, address.Unmap()))
	default:
		return append(places, ledger.Address(v6, address))
	}
}

func appendPort(places []ledger.Place, port int32) []ledger.Place {
	if port == 0 {
		return places
	}
	return append(places, ledger.Port(int(port)))
}
