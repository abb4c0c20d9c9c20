// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cloud tests the controller of a cloud provider's load balancers, as part of a
// program that is built with the provider, on a real etcd and kube-apiserver.
package cloud

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"servicenet.dev/servicenet/controllers"
	"servicenet.dev/servicenet/hack/controlplane"
)

// suite is what the specs share: a server and a plain client of it.
var suite struct {
	server *controlplane.ControlPlane
	client client.Client
}

func TestCloud(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Cloud")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	const deadline = time.Minute
	SetDefaultEventuallyTimeout(deadline)
	EnforceDefaultTimeoutsWhenUsingContexts()
	logf.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))

	var err error
	suite.server, err = controlplane.Start(ctx, controlplane.Options{NoServiceAccountAdmission: true})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(suite.server.Stop)
	config := suite.server.RESTConfig()
	config.QPS = -1
	suite.client, err = client.New(config, client.Options{})
	Expect(err).NotTo(HaveOccurred())
})

// A spec leaves no Service and no node behind: the next one's manager looks after all.
var _ = AfterEach(func(ctx SpecContext) {
	var services corev1.ServiceList
	Expect(suite.client.List(ctx, &services, client.InNamespace("default"))).To(Succeed())
	for i := range services.Items {
		service := &services.Items[i]
		if service.Name == "kubernetes" {
			continue
		}
		if len(service.Finalizers) > 0 {
			change(ctx, service.Name, func(s *corev1.Service) { s.Finalizers = nil })
		}
		Expect(client.IgnoreNotFound(suite.client.Delete(ctx, service))).To(Succeed())
	}
	Expect(suite.client.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed())
	Expect(suite.client.DeleteAllOf(ctx, &eventsv1.Event{}, client.InNamespace("default"))).To(Succeed())
})

// start runs a manager with a provider until stop is called, or the spec ends.
func start(cloud *controllers.Cloud) (stop func()) {
	GinkgoHelper()
	mgr, err := ctrl.NewManager(suite.server.RESTConfig(), ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	Expect(err).NotTo(HaveOccurred())
	Expect(controllers.Add(mgr, controllers.Options{
		Controllers: []string{controllers.CloudLoadBalancerName}, Cloud: cloud,
	})).To(Succeed())
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // it outlives the node it is called from
	done := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(done)
		Expect(mgr.Start(ctx)).To(Succeed())
	}()
	stop = func() {
		cancel()
		<-done
	}
	DeferCleanup(stop)
	return stop
}

// create makes a Service of type LoadBalancer.
func create(ctx context.Context, name string, changes ...func(*corev1.Service)) {
	GinkgoHelper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, AllocateLoadBalancerNodePorts: new(false),
			Ports: []corev1.ServicePort{{Port: 80}},
		},
	}
	for _, change := range changes {
		change(service)
	}
	Expect(suite.client.Create(ctx, service)).To(Succeed())
}

func ofClass(class string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.LoadBalancerClass = &class }
}

func ofType(of corev1.ServiceType) func(*corev1.Service) {
	return func(s *corev1.Service) {
		s.Spec.Type, s.Spec.LoadBalancerClass, s.Spec.AllocateLoadBalancerNodePorts = of, nil, nil
	}
}

// get returns a Service, nil if there is none.
func get(ctx context.Context, name string) (*corev1.Service, error) {
	service := &corev1.Service{}
	err := suite.client.Get(ctx, client.ObjectKey{Namespace: "default", Name: name}, service)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // no Service is an answer here, not a failure
	}
	return service, err
}

// change changes a Service, whoever else does meanwhile.
func change(ctx context.Context, name string, edit func(*corev1.Service)) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		service, err := get(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		if service != nil {
			edit(service)
			g.Expect(suite.client.Update(ctx, service)).To(Succeed())
		}
	}).WithContext(ctx).Should(Succeed())
}

// say changes the addresses of a Service's status, whoever else does meanwhile.
func say(ctx context.Context, name string, edit func(list []corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		service, err := get(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		service.Status.LoadBalancer.Ingress = edit(service.Status.LoadBalancer.Ingress)
		g.Expect(suite.client.Status().Update(ctx, service)).To(Succeed())
	}).WithContext(ctx).Should(Succeed())
}

// shown returns the addresses of a Service's status.
func shown(name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		service, err := get(ctx, name)
		if err != nil || service == nil {
			return nil, err
		}
		list := []string{}
		for i := range service.Status.LoadBalancer.Ingress {
			list = append(list, service.Status.LoadBalancer.Ingress[i].IP)
		}
		return list, nil
	}
}

// finalizers returns those of a Service.
func finalizers(name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		service, err := get(ctx, name)
		if service == nil {
			return nil, err
		}
		return service.Finalizers, err
	}
}

// reasons returns those of the events about a Service.
func reasons(name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var events eventsv1.EventList
		err := suite.client.List(ctx, &events, client.InNamespace("default"))
		var found []string
		for i := range events.Items {
			if events.Items[i].Regarding.Name == name {
				found = append(found, events.Items[i].Reason)
			}
		}
		return found, err
	}
}

// makeNode makes a ready node.
func makeNode(ctx context.Context, name string, edits ...func(*corev1.Node)) {
	GinkgoHelper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	for _, edit := range edits {
		edit(node)
	}
	Expect(suite.client.Create(ctx, node)).To(Succeed())
	setReady(ctx, name, corev1.ConditionTrue)
}

func setReady(ctx context.Context, name string, status corev1.ConditionStatus) {
	GinkgoHelper()
	node := &corev1.Node{}
	Expect(suite.client.Get(ctx, client.ObjectKey{Name: name}, node)).To(Succeed())
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
	Expect(suite.client.Status().Update(ctx, node)).To(Succeed())
}

func changeNode(ctx context.Context, name string, edit func(*corev1.Node)) {
	GinkgoHelper()
	node := &corev1.Node{}
	Expect(suite.client.Get(ctx, client.ObjectKey{Name: name}, node)).To(Succeed())
	edit(node)
	Expect(suite.client.Update(ctx, node)).To(Succeed())
}
