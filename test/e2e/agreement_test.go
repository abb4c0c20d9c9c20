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

// expectAgreement waits until the ledger, the Services and the EndpointSlices agree.
func expectAgreement(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]string, error) { return numbers.Unlike(ctx, api) }).
		Should(BeEmpty(), "the ledger and the Services")
	Eventually(ctx, astray).Should(BeEmpty(), "the EndpointSlices and the pods")
}

// astray tells of which Services the slices have other addresses than its ready pods.
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
		want, err := readyAddresses(ctx, s)
		if err != nil {
			return nil, err
		}
		got, err := publishedAddresses(ctx, s)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(want, got) {
			found = append(found, fmt.Sprintf("%s/%s: pods have %v, slices %v", s.Namespace, s.Name, want, got))
		}
	}
	return found, nil
}

// readyAddresses are those of the pods of a Service, in its families.
func readyAddresses(ctx context.Context, s *corev1.Service) ([]string, error) {
	var pods corev1.PodList
	err := api.List(ctx, &pods, client.InNamespace(s.Namespace),
		client.MatchingLabelsSelector{Selector: labels.SelectorFromSet(s.Spec.Selector)})
	found := []string{}
	for i := range pods.Items {
		p := &pods.Items[i]
		if isPodReady(p) && p.DeletionTimestamp == nil || s.Spec.PublishNotReadyAddresses && p.Status.Phase == corev1.PodRunning {
			found = append(found, addressesOf(s, p)...)
		}
	}
	slices.Sort(found)
	return found, err
}

// publishedAddresses are those of the slices of a Service that are ready.
func publishedAddresses(ctx context.Context, s *corev1.Service) ([]string, error) {
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

// addressesOf are those of a pod that a Service has the families of.
func addressesOf(s *corev1.Service, p *corev1.Pod) []string {
	var found []string
	for _, address := range p.Status.PodIPs {
		if slices.ContainsFunc(s.Spec.IPFamilies, func(family corev1.IPFamily) bool {
			return (family == corev1.IPv6Protocol) == strings.Contains(address.IP, ":")
		}) {
			found = append(found, address.IP)
		}
	}
	return found
}

// Whatever the specs have done.
var _ = AfterSuite(func(ctx SpecContext) { expectAgreement(ctx) }, NodeTimeout(specTimeout))
