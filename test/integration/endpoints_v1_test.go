// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	netutils "k8s.io/utils/net"
)

var _ = Describe("The Endpoints of a Service", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
	})

	It("bear its labels and say who keeps them, and have no owner", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{
			"labels":{"tier":"front","service.kubernetes.io/headless":"no","endpoints.kubernetes.io/managed-by":"me"},
			"annotations":{"note":"of the Service"}}}`)
		Eventually(in.labels("web")).WithContext(ctx).Should(Equal(map[string]string{
			"tier":                               "front",
			"endpoints.kubernetes.io/managed-by": "endpoint-controller",
		}))
		object := in.endpointsNow(ctx, "web")
		Expect(object.OwnerReferences).To(BeEmpty())
		Expect(object.Annotations).NotTo(HaveKey("note"))
		for _, pod := range in.pods(ctx, "web") {
			Expect(object.Subsets[0].Addresses).To(ContainElement(corev1.EndpointAddress{
				IP:        pod.Status.PodIP,
				NodeName:  new(pod.Spec.NodeName),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: string(in), Name: pod.Name, UID: pod.UID},
			}))
		}
	})

	It("keep ready and unready pods apart, unless unready ones are published", func(ctx SpecContext) {
		in.setReady(ctx, "web-0", false)
		in.expectSubsets(ctx, "web", "http:8080: web-1, not ready: web-0")

		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"publishNotReadyAddresses":true}}`)
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
	})

	It("leave out a terminating pod, unless unready ones are published", func(ctx SpecContext) {
		in.annotate(ctx, "web-0", "kwok.servicenet.dev/stop-after", "1h")
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.expectSubsets(ctx, "web", "http:8080: web-1")

		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"publishNotReadyAddresses":true}}`)
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
	})

	It("leave out a pod that failed, though unready ones are published", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"publishNotReadyAddresses":true}}`)
		in.setReady(ctx, "web-0", false)
		Eventually(in.conditions("web")).WithContext(ctx).Should(HaveKeyWithValue("web-0", "ready"))
		in.patchStatus(ctx, "web-0", `{"status":{"phase":"Failed"}}`)
		in.expectSubsets(ctx, "web", "http:8080: web-1")
		Eventually(in.conditions("web")).WithContext(ctx).Should(Equal(map[string]string{"web-1": "ready serving"}))
	})

	It("have a subset for each port that a named one resolves to, and leave out pods without one", func(ctx SpecContext) {
		in.runWithPort(ctx, "old", 8080)
		in.runWithPort(ctx, "new", 9090)
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"ports":[{"name":"http","port":80,"targetPort":"main"}]}}`)
		in.expectSubsets(ctx, "web", "http:8080: old", "http:9090: new")
		in.expectNoFaults(ctx, "web", 4)
	})

	It("list the addresses of the first family only", func(ctx SpecContext) {
		for name, families := range map[string][]corev1.IPFamily{
			"four": {corev1.IPv4Protocol, corev1.IPv6Protocol},
			"six":  {corev1.IPv6Protocol, corev1.IPv4Protocol},
		} {
			service := in.newService(name, "web")
			service.Spec.IPFamilies, service.Spec.IPFamilyPolicy = families, new(corev1.IPFamilyPolicyRequireDualStack)
			Expect(api.Create(ctx, service)).To(Succeed())
			in.expectSubsets(ctx, name, "http:8080: web-0 web-1")
			Expect(in.endpointsNow(ctx, name).Subsets[0].Addresses).To(HaveEach(HaveField("IP",
				Satisfy(func(ip string) bool { return netutils.IsIPv6String(ip) == (name == "six") }))))
		}
	})

	It("name the pods of a headless Service", func(ctx SpecContext) {
		in.applySample(ctx, "headless.yaml")
		in.expectSubsets(ctx, "db", "sql:5432: db-0 db-1 db-2")
		object := in.endpointsNow(ctx, "db")
		Expect(object.Labels).To(HaveKeyWithValue("service.kubernetes.io/headless", ""))
		Expect(object.Subsets[0].Addresses).To(HaveEach(Satisfy(func(address corev1.EndpointAddress) bool {
			return address.Hostname == address.TargetRef.Name
		})))
	})

	It("list a pod whose node does not exist", func(ctx SpecContext) {
		in.runByHand(ctx, "stray", "web", "no-such-node", "192.0.2.7")
		in.expectSubsets(ctx, "web", "http:8080: stray web-0 web-1")
		in.expectNoFaults(ctx, "web", 2)
	})

	It("follow the Service's selector and ports and the pods' labels", func(ctx SpecContext) {
		in.runPods(ctx, "other", 1)
		in.patch(ctx, &corev1.Service{}, "web",
			`{"spec":{"selector":{"`+app+`":"other"},"ports":[{"name":"http","port":80,"targetPort":8081},{"name":"metrics","port":9090}]}}`)
		in.expectSubsets(ctx, "web", "http:8081 metrics:9090: other-0")

		in.patch(ctx, &corev1.Pod{}, "web-1", `{"metadata":{"labels":{"`+app+`":"other"}}}`)
		in.expectSubsets(ctx, "web", "http:8081 metrics:9090: other-0 web-1")

		for _, pod := range []string{"other-0", "web-1"} {
			in.delete(ctx, &corev1.Pod{}, pod)
		}
		in.expectSubsets(ctx, "web")
	})
})

// labels returns a function that tells the labels of a Service's Endpoints.
func (in space) labels(service string) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		var object corev1.Endpoints
		err := api.Get(ctx, in.key(service), &object)
		return object.Labels, err
	}
}

// runWithPort runs a pod for Service "web" with a port that it calls "main".
func (in space) runWithPort(ctx context.Context, name string, port int32) {
	GinkgoHelper()
	pod := in.newPod(name, "web")
	pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "main", ContainerPort: port}}
	Expect(api.Create(ctx, pod)).To(Succeed())
}
