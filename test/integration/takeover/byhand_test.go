// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// crowd is more than one mirrored slice lists of a subset: 1,000.
const crowd = 1050

// addByHand adds Services without selector whose Endpoints somebody wrote.
func (in space) addByHand(ctx context.Context) {
	GinkgoHelper()
	for _, endpoints := range []*corev1.Endpoints{
		newEndpoints("by-hand", newSubset(newAddress(1), newAddress(2))),
		newEndpoints("by-hand-empty"),
		byHandNotReady(),
		byHandTwoPorts(),
		byHandBothFamilies(),
		byHandDescribed(),
		byHandWithPods(),
		byHandCrowd(),
		byHandNotMirrored(),
		byHandElection(),
	} {
		in.expose(ctx, endpoints.Name, withoutSelector, labelled("of", "the-service"))
		in.create(ctx, endpoints)
	}
	in.create(ctx, func() *corev1.Endpoints {
		election := byHandElection()
		election.Name = "election-without-service"
		return election
	}())
	in.expose(ctx, "by-hand-headless", withoutSelector, headless, withoutPorts)
	in.create(ctx, newEndpoints("by-hand-headless", corev1.EndpointSubset{
		Addresses: []corev1.EndpointAddress{newAddress(1)},
	}))
}

func byHandNotReady() *corev1.Endpoints {
	subset := newSubset(newAddress(1))
	subset.NotReadyAddresses = []corev1.EndpointAddress{newAddress(2), newAddress(3)}
	return newEndpoints("by-hand-not-ready", subset)
}

func byHandTwoPorts() *corev1.Endpoints {
	other := newSubset(newAddress(1), newAddress(3))
	other.Ports = []corev1.EndpointPort{
		{Name: "http", Port: 9090, AppProtocol: new("kubernetes.io/h2c")},
		{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP},
	}
	return newEndpoints("by-hand-two-ports", newSubset(newAddress(1), newAddress(2)), other)
}

func byHandBothFamilies() *corev1.Endpoints {
	return newEndpoints("by-hand-both-families", newSubset(newAddress(1),
		corev1.EndpointAddress{IP: "2001:db8::1"}, corev1.EndpointAddress{IP: "2001:DB8:0:0::2"}))
}

// byHandDescribed has labels and annotations, of which some are not mirrored.
func byHandDescribed() *corev1.Endpoints {
	endpoints := newEndpoints("by-hand-described", newSubset(newAddress(1)))
	endpoints.Labels = map[string]string{
		"team":                       "b",
		discoveryv1.LabelManagedBy:   "somebody",
		discoveryv1.LabelServiceName: "somebody",
	}
	endpoints.Annotations = map[string]string{
		"example.com/note":                    "mirrored",
		corev1.LastAppliedConfigAnnotation:    "{}",
		corev1.EndpointsLastChangeTriggerTime: "2026-01-02T03:04:05Z",
	}
	return endpoints
}

func byHandWithPods() *corev1.Endpoints {
	with, without := newAddress(1), newAddress(2)
	with.Hostname, with.NodeName = "host-1", new("node-1")
	with.TargetRef = &corev1.ObjectReference{Kind: "Pod", Namespace: "zoo", Name: "plain-0", UID: "1", ResourceVersion: "2"}
	return newEndpoints("by-hand-with-pods", newSubset(with, without))
}

func byHandCrowd() *corev1.Endpoints {
	subset := newSubset()
	for i := range crowd {
		if i%10 == 0 {
			subset.NotReadyAddresses = append(subset.NotReadyAddresses, newAddress(i))
		} else {
			subset.Addresses = append(subset.Addresses, newAddress(i))
		}
	}
	return newEndpoints("by-hand-crowd", subset)
}

func byHandNotMirrored() *corev1.Endpoints {
	endpoints := newEndpoints("by-hand-not-mirrored", newSubset(newAddress(1)))
	endpoints.Labels = map[string]string{discoveryv1.LabelSkipMirror: "true"}
	return endpoints
}

// byHandElection is the record of an election as old clients keep it.
func byHandElection() *corev1.Endpoints {
	endpoints := newEndpoints("by-hand-election", newSubset(newAddress(1)))
	endpoints.Annotations = map[string]string{resourcelock.LeaderElectionRecordAnnotationKey: "{}"}
	return endpoints
}
