// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netutils "k8s.io/utils/net"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxEndpoints is how many endpoints a slice lists at most.
const maxEndpoints = 100

// faults returns a function that names all that is wrong with a Service's slices
// compared with its pods, for Eventually: a pod that is listed twice, wrongly or
// not at all, an endpoint without a pod, a slice that is too large.
func (in space) faults(service string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var owner corev1.Service
		if err := api.Get(ctx, in.key(service), &owner); err != nil {
			return nil, err
		}
		list, err := in.slices(service)(ctx)
		if err != nil {
			return nil, err
		}
		want, err := in.wantedEndpoints(ctx, &owner)
		if err != nil {
			return nil, err
		}
		return compare(want, list), nil
	}
}

// expectNoFaults waits until a Service's slices list exactly its pods: so many.
func (in space) expectNoFaults(ctx context.Context, service string, pods int) {
	GinkgoHelper()
	Eventually(in.conditions(service)).WithContext(ctx).Should(HaveLen(pods))
	Eventually(in.faults(service)).WithContext(ctx).Should(BeEmpty())
}

// wantedEndpoints describes, by family, every endpoint that a Service should
// have.
func (in space) wantedEndpoints(ctx context.Context, service *corev1.Service) (map[string]int, error) {
	var pods corev1.PodList
	if err := api.List(ctx, &pods, client.InNamespace(in), client.MatchingLabels(service.Spec.Selector)); err != nil {
		return nil, err
	}
	var nodeList corev1.NodeList
	if err := api.List(ctx, &nodeList); err != nil {
		return nil, err
	}
	zones := map[string]string{}
	for i := range nodeList.Items {
		zones[nodeList.Items[i].Name] = nodeList.Items[i].Labels[corev1.LabelTopologyZone]
	}
	want := map[string]int{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		over := pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
		if _, exists := zones[pod.Spec.NodeName]; over || !exists {
			continue
		}
		for _, family := range service.Spec.IPFamilies {
			for _, ip := range pod.Status.PodIPs {
				if netutils.IsIPv6String(ip.IP) == (family == corev1.IPv6Protocol) {
					want[wanted(service, pod, family, ip.IP, zones[pod.Spec.NodeName])]++
				}
			}
		}
	}
	return want, nil
}

func wanted(service *corev1.Service, pod *corev1.Pod, family corev1.IPFamily, ip, zone string) string {
	terminating := pod.DeletionTimestamp != nil
	ready := isReady(pod) && !terminating || service.Spec.PublishNotReadyAddresses
	return describe(string(family), ip, pod.Name, string(pod.UID), pod.Spec.NodeName, zone, conditionsOf(&discoveryv1.Endpoint{
		Conditions: discoveryv1.EndpointConditions{
			Ready:       new(ready),
			Serving:     new(isReady(pod)),
			Terminating: &terminating,
		},
	}))
}

func describe(family, address, pod, uid, node, zone, conditions string) string {
	return fmt.Sprintf("%s %s of pod %s (%s) on %s in %s: %s", family, address, pod, uid, node, zone, conditions)
}

// compare names the differences between the wanted endpoints and the listed
// ones.
func compare(want map[string]int, list []discoveryv1.EndpointSlice) []string {
	var faults []string
	got := map[string]int{}
	for i := range list {
		slice := &list[i]
		if len(slice.Endpoints) > maxEndpoints {
			faults = append(faults, fmt.Sprintf("%s lists %d endpoints", slice.Name, len(slice.Endpoints)))
		}
		for j := range slice.Endpoints {
			endpoint := &slice.Endpoints[j]
			target := ptr.Deref(endpoint.TargetRef, corev1.ObjectReference{})
			for _, address := range endpoint.Addresses {
				got[describe(string(slice.AddressType), address, target.Name, string(target.UID),
					ptr.Deref(endpoint.NodeName, ""), ptr.Deref(endpoint.Zone, ""), conditionsOf(endpoint))]++
			}
		}
	}
	for endpoint, times := range want {
		if got[endpoint] != times {
			faults = append(faults, fmt.Sprintf("listed %d times, not %d: %s", got[endpoint], times, endpoint))
		}
	}
	for endpoint := range got {
		if want[endpoint] == 0 {
			faults = append(faults, "should not be listed: "+endpoint)
		}
	}
	slices.Sort(faults)
	return faults
}
