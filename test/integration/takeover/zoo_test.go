// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// managed and mirrored are the label values by which the controllers know
	// their slices.
	managed  = "endpointslice-controller.k8s.io"
	mirrored = "endpointslicemirroring-controller.k8s.io"

	// large is so many pods that a Service has three slices.
	large = 250
	// overCapacity is more than Endpoints list: 1,000.
	overCapacity = 1100
)

// fillZoo makes a Service of every kind there is, each with the pods it is about.
func (in space) fillZoo(ctx context.Context) {
	GinkgoHelper()
	in.addEveryday(ctx)
	in.addFamilies(ctx)
	in.addPorts(ctx)
	in.addHeadless(ctx)
	in.addPodsInTrouble(ctx)
	in.addHints(ctx)
	in.addLarge(ctx)
	in.addLabels(ctx)
	in.addForeignSlices(ctx)
	in.addByHand(ctx)
}

func (in space) addEveryday(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "plain", 0, 6)
	in.expose(ctx, "plain")
	in.expose(ctx, "plain-too", selecting("plain"))
	in.expose(ctx, "nobody")
	in.expose(ctx, "node-port", ofType(corev1.ServiceTypeNodePort), selecting("plain"))
	in.expose(ctx, "load-balancer", ofType(corev1.ServiceTypeLoadBalancer), selecting("plain"))
	in.expose(ctx, "external-name", ofType(corev1.ServiceTypeExternalName), selecting("plain"),
		func(service *corev1.Service) { service.Spec.ExternalName = "example.com" })
	in.expose(ctx, "alone", withoutSelector)
	in.expose(ctx, "empty-selector", func(service *corev1.Service) { service.Spec.Selector = map[string]string{} })

	in.run(ctx, "leaving", 0, 2)
	in.expose(ctx, "leaving", func(service *corev1.Service) { service.Finalizers = []string{"example.com/held"} })
	in.delete(ctx, &corev1.Service{}, "leaving")
}

func (in space) addFamilies(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "dual-stack", 0, 3)
	in.run(ctx, "dual-stack", 3, 2, onlyIPv4)
	in.expose(ctx, "dual-stack", dualStack(corev1.IPFamilyPolicyPreferDualStack))
	in.expose(ctx, "both-required", dualStack(corev1.IPFamilyPolicyRequireDualStack), selecting("dual-stack"))
	in.expose(ctx, "ipv6-first", dualStack(corev1.IPFamilyPolicyRequireDualStack), selecting("dual-stack"),
		ofFamily(corev1.IPv6Protocol))
	in.expose(ctx, "ipv6-only", ofFamily(corev1.IPv6Protocol), selecting("dual-stack"))
	in.expose(ctx, "dual-stack-nobody", dualStack(corev1.IPFamilyPolicyRequireDualStack))
	in.expose(ctx, "dual-stack-headless", dualStack(corev1.IPFamilyPolicyRequireDualStack), selecting("dual-stack"), headless)
	in.expose(ctx, "headless-alone", withoutSelector, headless)
}

func (in space) addPorts(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "two-numbers", 0, 2)
	in.run(ctx, "two-numbers", 2, 3, webAt(9090))
	in.expose(ctx, "two-numbers", toPort(intstr.FromString("web")))
	in.expose(ctx, "several-ports", selecting("two-numbers"), toPort(intstr.FromString("web")),
		andPort(corev1.ServicePort{Name: "dns", Port: 53, TargetPort: intstr.FromString("dns"), Protocol: corev1.ProtocolUDP}),
		andPort(corev1.ServicePort{Name: "sctp", Port: 99, Protocol: corev1.ProtocolSCTP}),
		andPort(corev1.ServicePort{Name: "h2c", Port: 81, AppProtocol: new("kubernetes.io/h2c")}))
	in.expose(ctx, "half-unknown-port", selecting("two-numbers"),
		andPort(corev1.ServicePort{Name: "unknown", Port: 53, TargetPort: intstr.FromString("unknown")}))
	in.expose(ctx, "unknown-port", selecting("two-numbers"), toPort(intstr.FromString("unknown")))
	in.expose(ctx, "port-without-name", selecting("two-numbers"),
		func(service *corev1.Service) { service.Spec.Ports[0].Name = "" })

	in.run(ctx, "sidecar", 0, 2, func(_ int, pod *corev1.Pod) {
		pod.Spec.Containers[0].Ports = nil
		pod.Spec.InitContainers = []corev1.Container{{
			Name: "proxy", Image: "example.com/proxy", RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
			Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 15001}},
		}}
	})
	in.expose(ctx, "sidecar", toPort(intstr.FromString("web")))
}

func (in space) addHeadless(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "headless", 0, 3, named("headless"))
	in.run(ctx, "headless", 3, 1)
	in.expose(ctx, "headless", headless)
	in.expose(ctx, "headless-without-ports", selecting("headless"), headless, withoutPorts)
	in.expose(ctx, "headless-nobody", headless)
	in.expose(ctx, "other-subdomain", selecting("headless"))
}

func (in space) addPodsInTrouble(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "unready", 0, 3, unready)
	in.expose(ctx, "unready")
	in.run(ctx, "half-ready", 0, 3)
	in.run(ctx, "half-ready", 3, 3, unready)
	in.expose(ctx, "half-ready")

	in.run(ctx, "troubled", 0, 2)
	in.run(ctx, "troubled", 2, 1, unready)
	in.run(ctx, "troubled", 3, 1, phase(corev1.PodFailed))
	in.run(ctx, "troubled", 4, 1, phase(corev1.PodSucceeded))
	in.run(ctx, "troubled", 5, 1, phase(corev1.PodPending), func(_ int, pod *corev1.Pod) { pod.Status.PodIPs = nil })
	in.run(ctx, "troubled", 6, 2, on("node-that-is-gone"))
	in.run(ctx, "troubled", 8, 1)
	in.run(ctx, "troubled", 9, 1, unready)
	in.terminate(ctx, "troubled-8")
	in.terminate(ctx, "troubled-9")
	in.expose(ctx, "troubled")
	in.expose(ctx, "troubled-published", selecting("troubled"), publishingUnready)
	in.expose(ctx, "troubled-headless", selecting("troubled"), publishingUnready, headless)

	in.run(ctx, "same-address", 0, 3, on("node-1"), func(_ int, pod *corev1.Pod) {
		pod.Status.PodIPs = []corev1.PodIP{{IP: "192.0.2.77"}} // of the node
	})
	in.expose(ctx, "same-address")
}

func (in space) addHints(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "local", 0, 6)
	in.run(ctx, "local", 6, 1, unready)
	for name, distribution := range map[string]string{
		"prefer-close":     corev1.ServiceTrafficDistributionPreferClose,
		"prefer-same-zone": corev1.ServiceTrafficDistributionPreferSameZone,
		"prefer-same-node": corev1.ServiceTrafficDistributionPreferSameNode,
	} {
		in.expose(ctx, name, selecting("local"), preferring(distribution))
	}
	in.run(ctx, "auto", 0, 9)
	in.expose(ctx, "auto", annotated(corev1.AnnotationTopologyMode, "Auto"))
	in.expose(ctx, "auto-close", selecting("auto"), annotated(corev1.AnnotationTopologyMode, "Auto"),
		preferring(corev1.ServiceTrafficDistributionPreferClose))
	in.expose(ctx, "auto-older-key", selecting("auto"),
		annotated(corev1.DeprecatedAnnotationTopologyAwareHints, "auto"))
	in.run(ctx, "auto-few", 0, 2)
	in.expose(ctx, "auto-few", annotated(corev1.AnnotationTopologyMode, "Auto"))
}

func (in space) addLarge(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "large", 0, large)
	in.expose(ctx, "large", dualStack(corev1.IPFamilyPolicyPreferDualStack))
	in.run(ctx, "over-capacity", 0, overCapacity-100)
	in.run(ctx, "over-capacity", overCapacity-100, 100, unready)
	in.expose(ctx, "over-capacity")
}

func (in space) addLabels(ctx context.Context) {
	GinkgoHelper()
	in.run(ctx, "labelled", 0, 2)
	in.expose(ctx, "labelled", labelled("team", "a"), labelled("tier", "front"), annotated("example.com/note", "ours"))
	in.expose(ctx, "reserved-labels", selecting("labelled"),
		labelled(discoveryv1.LabelServiceName, "somebody"),
		labelled(discoveryv1.LabelManagedBy, "somebody"),
		labelled(corev1.IsHeadlessService, "yes"),
		labelled("endpoints.kubernetes.io/managed-by", "somebody"))
	in.expose(ctx, strings.Repeat("long", 15)+"est", selecting("labelled"))
}

// addForeignSlices adds slices that somebody else manages, or nobody.
func (in space) addForeignSlices(ctx context.Context) {
	GinkgoHelper()
	in.expose(ctx, "with-foreign-slice", selecting("plain"))
	in.expose(ctx, "foreign-slice-alone", withoutSelector)
	for name, labels := range map[string]map[string]string{
		"foreign":       {discoveryv1.LabelServiceName: "with-foreign-slice", discoveryv1.LabelManagedBy: "mesh.example.com"},
		"foreign-alone": {discoveryv1.LabelServiceName: "foreign-slice-alone", discoveryv1.LabelManagedBy: "mesh.example.com"},
		"unmanaged":     {discoveryv1.LabelServiceName: "with-foreign-slice"},
		"of-nothing":    {},
	} {
		slice := &discoveryv1.EndpointSlice{
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.1"}}},
			Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080))}},
		}
		slice.Name, slice.Labels = name, labels
		in.create(ctx, slice)
	}
}
