// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// appLabel is the label by which Services select pods.
const appLabel = "app.kubernetes.io/name"

func serviceName(number int) string { return fmt.Sprintf("web-%d", number) }

func podName(service string, number int) string { return fmt.Sprintf("%s-%d", service, number) }

// createService makes a Service that selects the pods of its name.
func (w *world) createService(ctx context.Context, name string) error {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{appLabel: name}},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{appLabel: name},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}},
		},
	}
	if _, err := w.clients.CoreV1().Services(namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating a Service: %w", err)
	}
	return nil
}

// createPod makes a pod of a Service and then writes its status: ready.
func (w *world) createPod(ctx context.Context, service string, number int) error {
	pods := w.clients.CoreV1().Pods(namespace)
	name := podName(service, number)
	pod, err := pods.Create(ctx, newPod(service, name, number), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating a pod: %w", err)
	}
	pod.Status = w.readyStatus()
	return w.change(name, ready, func() error {
		_, err := pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
		return err
	})
}

// setReady turns a pod ready or not, as its kubelet would.
func (w *world) setReady(ctx context.Context, pod string, isReady bool) error {
	want, status := notReady, corev1.ConditionFalse
	if isReady {
		want, status = ready, corev1.ConditionTrue
	}
	patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":%q,"lastTransitionTime":%q}]}}`,
		status, time.Now().UTC().Format(time.RFC3339))
	return w.change(pod, want, func() error {
		_, err := w.clients.CoreV1().Pods(namespace).Patch(ctx, pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		return err
	})
}

// terminate begins the deletion of a pod: nobody is there to end it.
func (w *world) terminate(ctx context.Context, pod string) error {
	return w.change(pod, notReady, func() error {
		return w.clients.CoreV1().Pods(namespace).Delete(ctx, pod, metav1.DeleteOptions{})
	})
}

// remove deletes a pod at once.
func (w *world) remove(ctx context.Context, pod string) error {
	return w.change(pod, gone, func() error {
		return w.clients.CoreV1().Pods(namespace).Delete(ctx, pod, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	})
}

// change writes something about a pod and takes down when the answer came.
func (w *world) change(pod string, want state, write func() error) error {
	c := w.expect(pod, want)
	if err := write(); err != nil {
		return fmt.Errorf("making pod %s %s: %w", pod, want, err)
	}
	w.answered(c)
	w.writing.Lock()
	defer w.writing.Unlock()
	w.changes = append(w.changes, c)
	if c.written.After(w.lastWritten) {
		w.lastWritten = c.written
	}
	return nil
}

// expectEndpoints says how many ready pods a Service ends with, if its Endpoints
// have room for them all.
func (w *world) expectEndpoints(service string, count int) {
	const room = 1000
	if count <= room {
		w.expectAddresses(service, count)
	}
}

// newPod describes a pod as a Deployment would make it, about as large as a
// small one in practice.
func newPod(service, name string, number int) *corev1.Pod {
	const port = 8080
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")},
	}}
	need := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100m"),
		corev1.ResourceMemory: resource.MustParse("128Mi"),
	}
	environment := make([]corev1.EnvVar, 0, 8)
	for i := range cap(environment) {
		environment = append(environment, corev1.EnvVar{
			Name: fmt.Sprintf("SETTING_%d", i), Value: "a value of some length, such as an address",
		})
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{appLabel: service, "app.kubernetes.io/part-of": "shop", "pod-template-hash": "5d4f8c7b9"},
			Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": strconv.Itoa(port)},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: service + "-5d4f8c7b9",
				UID: "6f1e1f6e-8a4b-4d0f-9d1c-2b7f0d9c3a55", Controller: new(true), BlockOwnerDeletion: new(true),
			}},
		},
		Spec: corev1.PodSpec{
			NodeName: fmt.Sprintf("node-%d", number%nodes),
			Containers: []corev1.Container{{
				Name: "main", Image: "registry.example.com/shop/web:v1.2.3",
				Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: port}},
				Env:            environment,
				Resources:      corev1.ResourceRequirements{Requests: need, Limits: need},
				ReadinessProbe: probe, LivenessProbe: probe,
			}},
		},
	}
}

// readyStatus is that of a running pod with an address that no other one has.
func (w *world) readyStatus() corev1.PodStatus {
	number := w.addresses.Add(1)
	address := fmt.Sprintf("10.%d.%d.%d", 128+number>>16, number>>8&0xff, number&0xff)
	now := metav1.Now()
	return corev1.PodStatus{
		Phase:     corev1.PodRunning,
		HostIP:    "172.16.0.1",
		PodIP:     address,
		PodIPs:    []corev1.PodIP{{IP: address}},
		StartTime: &now,
		Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: now},
		},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "main", Ready: true, Image: "registry.example.com/shop/web:v1.2.3",
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		}},
	}
}
