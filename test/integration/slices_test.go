// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// managedBy is the label value of the slices that the manager writes.
const managedBy = "endpointslice-controller.k8s.io"

// slices returns a function that lists a Service's slices, whoever manages
// them, for Eventually.
func (in space) slices(service string) func(context.Context) ([]discoveryv1.EndpointSlice, error) {
	return func(ctx context.Context) ([]discoveryv1.EndpointSlice, error) {
		var list discoveryv1.EndpointSliceList
		err := api.List(ctx, &list, client.InNamespace(in), client.MatchingLabels{discoveryv1.LabelServiceName: service})
		return list.Items, err
	}
}

// currentSlices lists a Service's slices as they are now.
func (in space) currentSlices(ctx context.Context, service string) []discoveryv1.EndpointSlice {
	GinkgoHelper()
	list, err := in.slices(service)(ctx)
	Expect(err).NotTo(HaveOccurred())
	return list
}

// onlySlice returns the one slice of a Service.
func (in space) onlySlice(ctx context.Context, service string) *discoveryv1.EndpointSlice {
	GinkgoHelper()
	list := in.currentSlices(ctx, service)
	Expect(list).To(HaveLen(1))
	return &list[0]
}

// sizes returns a function that tells how many endpoints each slice of a Service
// lists, for Eventually.
func (in space) sizes(service string) func(context.Context) ([]int, error) {
	return func(ctx context.Context) ([]int, error) {
		list, err := in.slices(service)(ctx)
		sizes := make([]int, 0, len(list))
		for i := range list {
			sizes = append(sizes, len(list[i].Endpoints))
		}
		return sizes, err
	}
}

// conditions returns a function that tells the conditions of each endpoint of a
// Service, by pod, for Eventually. A pod that several slices list has them
// joined by " and ".
func (in space) conditions(service string) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		list, err := in.slices(service)(ctx)
		found := map[string]string{}
		for i := range list {
			for j := range list[i].Endpoints {
				endpoint := &list[i].Endpoints[j]
				pod, text := podOf(endpoint), conditionsOf(endpoint)
				if other, twice := found[pod]; twice {
					text = other + " and " + text
				}
				found[pod] = text
			}
		}
		return found, err
	}
}

// conditionsOf names the conditions that are true: "ready serving", "serving
// terminating", or "none". One that is not set at all shows as "ready?".
func conditionsOf(endpoint *discoveryv1.Endpoint) string {
	var names []string
	for _, condition := range []struct {
		name  string
		value *bool
	}{
		{"ready", endpoint.Conditions.Ready},
		{"serving", endpoint.Conditions.Serving},
		{"terminating", endpoint.Conditions.Terminating},
	} {
		switch {
		case condition.value == nil:
			names = append(names, condition.name+"?")
		case *condition.value:
			names = append(names, condition.name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

func podOf(endpoint *discoveryv1.Endpoint) string {
	if endpoint.TargetRef == nil {
		return ""
	}
	return endpoint.TargetRef.Name
}

// portNumbers returns the ports of a slice as "name:number".
func portNumbers(slice *discoveryv1.EndpointSlice) []string {
	ports := []string{}
	for i := range slice.Ports {
		port := &slice.Ports[i]
		ports = append(ports, fmt.Sprintf("%s:%d", ptr.Deref(port.Name, "?"), ptr.Deref(port.Port, 0)))
	}
	slices.Sort(ports)
	return ports
}

// versions returns a function that tells the resourceVersions of EndpointSlices
// and Endpoints by kind, name and UID: of all in the given namespace, or of all
// there are if none is given.
func versions(of ...space) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		var options []client.ListOption
		for _, in := range of {
			options = append(options, client.InNamespace(in))
		}
		found := map[string]string{}
		for _, list := range []client.ObjectList{&discoveryv1.EndpointSliceList{}, &corev1.EndpointsList{}} {
			if err := api.List(ctx, list, options...); err != nil {
				return nil, err
			}
			err := apimeta.EachListItem(list, func(object runtime.Object) error {
				meta, err := apimeta.Accessor(object)
				if err == nil {
					found[fmt.Sprintf("%T %s/%s %s", object, meta.GetNamespace(), meta.GetName(), meta.GetUID())] = meta.GetResourceVersion()
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		return found, nil
	}
}

// restingVersions waits until neither EndpointSlices nor Endpoints change any
// more, and returns their resourceVersions. Slices that are sparse are merged when
// nothing has been written for two seconds.
func restingVersions(ctx context.Context, of ...space) map[string]string {
	GinkgoHelper()
	const rest = 2*time.Second + absence
	var last map[string]string
	var since time.Time
	Eventually(func(g Gomega, ctx context.Context) {
		now, err := versions(of...)(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		if !maps.Equal(now, last) {
			last, since = now, time.Now()
		}
		g.Expect(time.Since(since)).To(BeNumerically(">", rest), "something still changes")
	}).WithContext(ctx).WithPolling(absence).Should(Succeed())
	return last
}

// placeholder matches the slice that says that a Service has no endpoints.
func placeholder() OmegaMatcher {
	return And(HaveField("Endpoints", BeEmpty()), HaveField("Ports", BeEmpty()))
}

// ownedBy matches slices that belong to a Service, by its UID.
func ownedBy(service *corev1.Service) OmegaMatcher {
	return HaveField("OwnerReferences", ConsistOf(And(
		HaveField("APIVersion", "v1"),
		HaveField("Kind", "Service"),
		HaveField("Name", service.Name),
		HaveField("UID", service.UID),
		HaveField("Controller", HaveValue(BeTrue())),
		HaveField("BlockOwnerDeletion", HaveValue(BeTrue())),
	)))
}
