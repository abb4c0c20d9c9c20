// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// subsets returns a function that tells what the Endpoints of a Service list, a
// line for each subset, for Eventually: "http:8080: web-0 web-1, not ready: web-2".
func (in space) subsets(service string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var object corev1.Endpoints
		if err := api.Get(ctx, in.key(service), &object); err != nil {
			return nil, err
		}
		lines := make([]string, 0, len(object.Subsets))
		for i := range object.Subsets {
			subset := &object.Subsets[i]
			var ports []string
			for _, port := range subset.Ports {
				ports = append(ports, fmt.Sprintf("%s:%d", port.Name, port.Port))
			}
			lines = append(lines, subsetLine(ports, targetsOf(subset.Addresses), targetsOf(subset.NotReadyAddresses)))
		}
		return lines, nil
	}
}

// subsetLine is how a subset, or its mirror, is written down.
func subsetLine(ports, ready, notReady []string) string {
	slices.Sort(ports)
	slices.Sort(ready)
	slices.Sort(notReady)
	line := strings.Join(ports, " ") + ": " + strings.Join(ready, " ")
	if len(notReady) > 0 {
		line += ", not ready: " + strings.Join(notReady, " ")
	}
	return line
}

// targetsOf names what addresses stand for: the pod, or the address itself.
func targetsOf(addresses []corev1.EndpointAddress) []string {
	var targets []string
	for i := range addresses {
		if ref := addresses[i].TargetRef; ref != nil {
			targets = append(targets, ref.Name)
		} else {
			targets = append(targets, addresses[i].IP)
		}
	}
	return targets
}

// expectSubsets waits until the Endpoints of a Service list exactly that.
func (in space) expectSubsets(ctx context.Context, service string, lines ...string) {
	GinkgoHelper()
	Eventually(in.subsets(service)).WithContext(ctx).Should(ConsistOf(lines))
}

// expectGone waits until a Service has no Endpoints.
func (in space) expectGone(ctx context.Context, service string) {
	GinkgoHelper()
	Eventually(in.find(&corev1.Endpoints{}, service)).WithContext(ctx).Should(beNotFound())
}

func beNotFound() OmegaMatcher { return MatchError(apierrors.IsNotFound, "not found") }

// endpointsNow returns the Endpoints of a Service as they are now.
func (in space) endpointsNow(ctx context.Context, service string) *corev1.Endpoints {
	GinkgoHelper()
	return get(ctx, in, &corev1.Endpoints{}, service)
}

// subset describes a subset with ready addresses and one port.
func subset(port int32, addresses ...string) corev1.EndpointSubset {
	described := corev1.EndpointSubset{Ports: []corev1.EndpointPort{{Name: "sql", Port: port}}}
	for _, address := range addresses {
		described.Addresses = append(described.Addresses, corev1.EndpointAddress{IP: address})
	}
	return described
}

// makeEndpoints creates Endpoints as a user would.
func (in space) makeEndpoints(ctx context.Context, name string, subsets ...corev1.EndpointSubset) *corev1.Endpoints {
	GinkgoHelper()
	made := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: string(in), Name: name}, Subsets: subsets}
	Expect(api.Create(ctx, made)).To(Succeed())
	return made
}

// exposeOutsiders creates a Service without a selector.
func (in space) exposeOutsiders(ctx context.Context, name string) *corev1.Service {
	GinkgoHelper()
	service := in.newService(name, "")
	service.Spec.Selector = nil
	Expect(api.Create(ctx, service)).To(Succeed())
	return service
}
