// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/test/integration/numbers"
)

// expectAgreement waits until the ledger, the Services, the EndpointSlices and the Endpoints
// agree.
func expectAgreement(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]string, error) { return numbers.Unlike(ctx, api) }).
		Should(BeEmpty(), "the ledger and the Services")
	Eventually(ctx, astray).Should(BeEmpty(), "what is published, and the pods")
}

// astray tells of which Services the EndpointSlices or the Endpoints have other addresses
// than the ready pods.
func astray(ctx context.Context) ([]string, error) {
	var services corev1.ServiceList
	if err := api.List(ctx, &services); err != nil {
		return nil, err
	}
	var found []string
	for i := range services.Items {
		s := &services.Items[i]
		if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName || s.DeletionTimestamp != nil {
			continue
		}
		for _, published := range []struct {
			as        string
			addresses func(context.Context, *corev1.Service) ([]string, error)
			families  []corev1.IPFamily
		}{
			{"EndpointSlices", sliceAddresses, s.Spec.IPFamilies},
			{"Endpoints", endpointsAddresses, s.Spec.IPFamilies[:1]},
		} {
			want, err := readyAddresses(ctx, s, published.families)
			if err != nil {
				return nil, err
			}
			got, err := published.addresses(ctx, s)
			if err != nil {
				return nil, err
			}
			if !slices.Equal(want, got) {
				found = append(found, fmt.Sprintf("%s/%s: pods have %v, %s %v", s.Namespace, s.Name, want, published.as, got))
			}
		}
	}
	return found, nil
}

// readyAddresses are those of the pods of a Service, in families of it.
func readyAddresses(ctx context.Context, s *corev1.Service, families []corev1.IPFamily) ([]string, error) {
	var pods corev1.PodList
	err := api.List(ctx, &pods, client.InNamespace(s.Namespace),
		client.MatchingLabelsSelector{Selector: labels.SelectorFromSet(s.Spec.Selector)})
	found := []string{}
	for i := range pods.Items {
		p := &pods.Items[i]
		if isPodReady(p) && p.DeletionTimestamp == nil || s.Spec.PublishNotReadyAddresses && p.Status.Phase == corev1.PodRunning {
			found = append(found, addressesOf(p, families)...)
		}
	}
	slices.Sort(found)
	return found, err
}

// endpointsAddresses are those of the Endpoints of a Service that are ready.
func endpointsAddresses(ctx context.Context, s *corev1.Service) ([]string, error) {
	var endpoints corev1.Endpoints
	err := client.IgnoreNotFound(api.Get(ctx, client.ObjectKeyFromObject(s), &endpoints))
	found := []string{}
	for i := range endpoints.Subsets {
		for j := range endpoints.Subsets[i].Addresses {
			found = append(found, endpoints.Subsets[i].Addresses[j].IP)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), err
}

// sliceAddresses are those of the slices of a Service that are ready.
func sliceAddresses(ctx context.Context, s *corev1.Service) ([]string, error) {
	var all discoveryv1.EndpointSliceList
	err := api.List(ctx, &all, client.InNamespace(s.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: s.Name})
	found := []string{}
	for i := range all.Items {
		for j := range all.Items[i].Endpoints {
			endpoint := &all.Items[i].Endpoints[j]
			if ready := endpoint.Conditions.Ready; ready == nil || *ready {
				found = append(found, endpoint.Addresses...)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), err
}

// addressesOf are those of a pod in some families.
func addressesOf(p *corev1.Pod, families []corev1.IPFamily) []string {
	var found []string
	for _, address := range p.Status.PodIPs {
		family := corev1.IPv4Protocol
		if strings.Contains(address.IP, ":") {
			family = corev1.IPv6Protocol
		}
		if slices.Contains(families, family) {
			found = append(found, address.IP)
		}
	}
	return found
}

// Whatever the specs have done, those of all processes.
var _ = SynchronizedAfterSuite(func() {}, func(ctx SpecContext) { expectAgreement(ctx) }, NodeTimeout(specTimeout))
