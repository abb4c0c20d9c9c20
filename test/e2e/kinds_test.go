// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tally asks a Service again and again.
func tally(namespace, kind string, count int, target string) func(context.Context) (map[string]int, error) {
	return func(ctx context.Context) (map[string]int, error) { return answers(ctx, namespace, kind, count, target) }
}

// firstPod returns a pod of a deployment.
func firstPod(ctx context.Context, namespace, app string) *corev1.Pod {
	GinkgoHelper()
	pods := &corev1.PodList{}
	Expect(api.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabels{"app": app})).To(Succeed())
	Expect(pods.Items).NotTo(BeEmpty())
	return &pods.Items[0]
}

var _ = Describe("Traffic", func() {
	It("reaches several ports, by name and by number, over TCP and UDP", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 2), service(namespace, "web")
		s.Spec.Ports = append(s.Spec.Ports,
			corev1.ServicePort{Name: "numbered", Port: 81, TargetPort: intstr.FromInt32(webPort)},
			corev1.ServicePort{Name: "echo", Port: 53, TargetPort: intstr.FromString("echo"), Protocol: corev1.ProtocolUDP})
		create(ctx, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 40, "http://web/")).Should(HaveLen(2))
		Eventually(ctx, tally(namespace, "get", 40, "http://web:81/")).Should(HaveLen(2))
		Eventually(ctx, tally(namespace, "udp", 40, "web:53")).Should(HaveLen(2))
	}, SpecTimeout(specTimeout))

	It("stays with one pod where the Service asks for affinity", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 2), service(namespace, "web")
		s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
		create(ctx, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 100, "http://web")).Should(HaveLen(1))
	}, SpecTimeout(specTimeout))

	It("is free to go to another pod once a client was quiet for as long as the affinity lasts", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		const lasts = 2 * time.Second
		web, s := deployment(namespace, "web", 4), service(namespace, "web")
		s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
		s.Spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{
			ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: new(int32(lasts.Seconds()))},
		}
		create(ctx, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		var first map[string]int
		Eventually(ctx, func(ctx context.Context) (err error) {
			first, err = answers(ctx, namespace, "get", 100, "http://web")
			return err
		}).Should(Succeed())
		Expect(first).To(HaveLen(1))
		Eventually(ctx, tally(namespace, "get", 1, "http://web")).WithPolling(lasts + time.Second).
			ShouldNot(HaveKey(BeElementOf(slices.Collect(maps.Keys(first)))))
	}, SpecTimeout(specTimeout))

	It("no longer goes to a pod that dies in the middle of a connection", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		s := service(namespace, "web")
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "echo", Port: 9000})
		create(ctx, s)
		for _, name := range []string{"one", "two"} {
			p := pod(namespace, name, s.Spec.Selector)
			p.Spec.RestartPolicy = corev1.RestartPolicyNever
			create(ctx, p)
		}
		startClient(ctx, namespace)
		Eventually(ctx, tally(namespace, "get", 40, "http://web")).Should(HaveLen(2))

		name, ended := hold(ctx, namespace, "web:9000")
		Consistently(ctx, ended).WithTimeout(time.Second).ShouldNot(Receive())
		dying := &corev1.Pod{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, dying)).To(Succeed())
		_, err := traffic(ctx, namespace, "get", "1", "http://"+net.JoinHostPort(dying.Status.PodIP, strconv.Itoa(webPort))+"/die")
		Expect(err).To(HaveOccurred(), "it answered before it died")

		By("the connection ending with it")
		Eventually(ctx, ended).Should(Receive())
		By("the other one having them all")
		Eventually(ctx, tally(namespace, "get", 200, "http://web")).Should(And(HaveLen(1), Not(HaveKey(name))))
	}, SpecTimeout(specTimeout))

	It("reaches pods that are not ready where the Service asks for that", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "web")
		web.Spec.Template.Spec.Containers[0].ReadinessProbe.HTTPGet.Path = "/never"
		hidden := service(namespace, "hidden")
		hidden.Spec.Selector, s.Spec.PublishNotReadyAddresses = s.Spec.Selector, true
		create(ctx, web, s, hidden)
		startClient(ctx, namespace)
		Eventually(ctx, tally(namespace, "get", 10, "http://web")).Should(HaveLen(1))
		_, err := answers(ctx, namespace, "get", 1, "http://hidden")
		Expect(err).To(MatchError(ContainSubstring("refused")))
	}, SpecTimeout(specTimeout))

	It("goes where the user's own EndpointSlice says", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "own")
		s.Spec.Selector = nil
		create(ctx, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		create(ctx, &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: "own", Labels: map[string]string{discoveryv1.LabelServiceName: "own"},
			},
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(webPort))}},
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{firstPod(ctx, namespace, "web").Status.PodIP}}},
		})
		Eventually(ctx, tally(namespace, "get", 10, "http://own")).Should(HaveLen(1))
	}, SpecTimeout(specTimeout))

	It("goes where the user's own Endpoints say, which are mirrored", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "own")
		s.Spec.Selector = nil
		create(ctx, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		create(ctx, &corev1.Endpoints{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "own"},
			Subsets: []corev1.EndpointSubset{{
				Addresses: []corev1.EndpointAddress{{IP: firstPod(ctx, namespace, "web").Status.PodIP}},
				Ports:     []corev1.EndpointPort{{Name: "http", Port: webPort}},
			}},
		})
		Eventually(ctx, tally(namespace, "get", 10, "http://own")).Should(HaveLen(1))
	}, SpecTimeout(specTimeout))

	It("is told by the health check port whether there are pods on a node, with the policy Local", func(ctx SpecContext) {
		address := nodeAddress(ctx)
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "web")
		s.Spec.Type, s.Spec.ExternalTrafficPolicy = corev1.ServiceTypeLoadBalancer, corev1.ServiceExternalTrafficPolicyLocal
		s.Spec.LoadBalancerClass = new("example.com/nobody")
		create(ctx, web, s)
		health := "http://" + net.JoinHostPort(address, strconv.Itoa(int(s.Spec.HealthCheckNodePort))) + "/healthz"
		awaitPods(ctx, web)
		pod := firstPod(ctx, namespace, "web")
		node := &corev1.Node{}
		Expect(api.Get(ctx, client.ObjectKey{Name: pod.Spec.NodeName}, node)).To(Succeed())
		if !hasAddress(node, address) {
			Skip("the pod is on a node that this machine does not reach")
		}
		Eventually(ctx, answersHere(health)).Should(Succeed())
		scale(ctx, web, 0)
		Eventually(ctx, answersHere(health)).Should(MatchError(ContainSubstring("503")))
	}, SpecTimeout(specTimeout))
})

func hasAddress(node *corev1.Node, address string) bool {
	for _, of := range node.Status.Addresses {
		if of.Address == address {
			return true
		}
	}
	return false
}
