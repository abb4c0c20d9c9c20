// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"servicenet.dev/servicenet/controllers"
)

// In envtest nothing fills EndpointSlices. With the controllers in the suite's
// manager they follow Services and Pods as on a cluster.
func ExampleAdd() {
	environment := &envtest.Environment{} // etcd and kube-apiserver from KUBEBUILDER_ASSETS
	config, err := environment.Start()
	must(err)
	defer func() { must(environment.Stop()) }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel() // the manager first: the server waits for its watches to end

	mgr, err := ctrl.NewManager(config, ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	must(err)
	must(controllers.Add(mgr, controllers.Options{}))
	go func() { must(mgr.Start(ctx)) }()

	api, err := client.New(config, client.Options{})
	must(err)
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	must(api.Create(ctx, service))
	runPod(ctx, api, "web-0", "10.0.0.7")

	// The slice of a Service without endpoints is there at once, and empty.
	err = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var slices discoveryv1.EndpointSliceList
		err := api.List(ctx, &slices, client.InNamespace("default"), client.MatchingLabels{discoveryv1.LabelServiceName: "web"})
		if err != nil || len(slices.Items) == 0 || len(slices.Items[0].Endpoints) == 0 {
			return false, err
		}
		endpoint := slices.Items[0].Endpoints[0]
		fmt.Println(endpoint.TargetRef.Name, endpoint.Addresses[0], "ready:", *endpoint.Conditions.Ready)
		return true, nil
	})
	must(err)
	// Output: web-0 10.0.0.7 ready: true
}

// runPod plays the scheduler and the kubelet, which envtest does not have
// either: a pod is listed when it runs on a node that exists.
func runPod(ctx context.Context, api client.Client, name, ip string) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{NodeName: node.Name, Containers: []corev1.Container{{Name: "web", Image: "web"}}},
	}
	for _, object := range []client.Object{node, pod} {
		must(api.Create(ctx, object))
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIPs = []corev1.PodIP{{IP: ip}}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	must(api.Status().Update(ctx, pod))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
