// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package library

import (
	"context"
	"fmt"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// createNamespace makes a namespace with a name of its own and returns it.
func createNamespace(ctx context.Context) string {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "library-"}}
	Expect(suite.client.Create(ctx, namespace)).To(Succeed())
	return namespace.Name
}

func createNode(ctx context.Context, name, zone string) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelTopologyZone: zone}}}
	Expect(client.IgnoreAlreadyExists(suite.client.Create(ctx, node))).To(Succeed())
}

// createService makes the Service "web", port 80 to 8080 of pods with app=web.
func createService(ctx context.Context, namespace string) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	Expect(suite.client.Create(ctx, service)).To(Succeed())
	return service
}

// createPods makes ready pods, from the first number up to the last.
func createPods(ctx context.Context, namespace string, first, last int) {
	for i := first; i <= last; i++ {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: fmt.Sprintf("web-%d", i), Labels: map[string]string{"app": "web"},
				Annotations: map[string]string{"example.com/kept": "yes"},
			},
			Spec: corev1.PodSpec{NodeName: "node-a", Containers: []corev1.Container{{Name: "web", Image: "web"}}},
		}
		Expect(suite.client.Create(ctx, pod)).To(Succeed())
		pod.Status.Phase = corev1.PodRunning
		pod.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.1.0.%d", i)}}
		pod.Status.PodIP = pod.Status.PodIPs[0].IP
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		Expect(suite.client.Status().Update(ctx, pod)).To(Succeed())
	}
}

func deletePods(ctx context.Context, namespace string, first, last int) {
	for i := first; i <= last; i++ {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("web-%d", i)}}
		Expect(suite.client.Delete(ctx, pod, client.GracePeriodSeconds(0))).To(Succeed())
	}
}

// slicesOf returns the slices of the Service "web".
func slicesOf(ctx context.Context, namespace string) ([]discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	err := suite.client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: "web"})
	return list.Items, err
}

// listed returns the address and port of every endpoint in the slices of "web";
// an endpoint in two slices is returned twice.
func listed(namespace string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		slices, err := slicesOf(ctx, namespace)
		endpoints := []string{}
		for i := range slices {
			for _, endpoint := range slices[i].Endpoints {
				endpoints = append(endpoints, fmt.Sprintf("%s:%d", endpoint.Addresses[0], *slices[i].Ports[0].Port))
			}
		}
		return endpoints, err
	}
}

// endpoints returns what listed should return for pods of these numbers.
func endpoints(first, last, port int) []string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprintf("10.1.0.%d:%d", i, port))
	}
	return all
}

func getService(ctx context.Context, namespace string) *corev1.Service {
	service := &corev1.Service{}
	Expect(suite.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "web"}, service)).To(Succeed())
	return service
}
