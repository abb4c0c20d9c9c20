// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cloud-provider/fake"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"servicenet.dev/servicenet/controllers"
)

// A manager with a cloud provider in it does what the service controller of a
// cloud-controller-manager does. The provider here is upstream's fake.
func ExampleCloud() {
	environment := &envtest.Environment{} // etcd and kube-apiserver from KUBEBUILDER_ASSETS
	config, err := environment.Start()
	must(err)
	defer func() { must(environment.Stop()) }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel() // the manager first: the server waits for its watches to end

	mgr, err := ctrl.NewManager(config, ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	must(err)
	must(controllers.Add(mgr, controllers.Options{
		Controllers: []string{controllers.CloudLoadBalancerName},
		Cloud:       &controllers.Cloud{Provider: &fake.Cloud{ExternalIP: net.IPv4(192, 0, 2, 10)}},
	}))
	go func() { must(mgr.Start(ctx)) }()

	api, err := client.New(config, client.Options{})
	must(err)
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	must(api.Create(ctx, service))
	err = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(service), service)
		return err == nil && len(service.Status.LoadBalancer.Ingress) > 0, err
	})
	must(err)
	fmt.Println(service.Status.LoadBalancer.Ingress[0].IP, service.Finalizers)
	// Output: 192.0.2.10 [service.kubernetes.io/load-balancer-cleanup]
}
