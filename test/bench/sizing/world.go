// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
)

const (
	clusterIPs = "10.96.0.0/16,fd00:10:96::/112"
	// namespaces is how many there are.
	namespaces = 50
	// node is the one that all pods are on.
	node = "node"
	// firstPod is the address of the first pod.
	firstPod = "10.128.0.1"
)

// world is a control plane.
type world struct {
	*settings

	way   string
	plane *controlplane.ControlPlane
	api   client.Client
}

func (s *settings) startWorld(ctx context.Context, way string) (*world, error) {
	plane, err := controlplane.Start(ctx, controlplane.Options{ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true})
	if err != nil {
		return nil, err
	}
	w := &world{settings: s, way: way, plane: plane}
	if err := w.furnish(ctx); err != nil {
		return nil, errors.Join(err, plane.Stop())
	}
	return w, nil
}

// furnish makes what there is before Services.
func (w *world) furnish(ctx context.Context) error {
	if err := w.plane.InstallCRDs(ctx, w.CRDs); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), servicenetv1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	config := w.plane.RESTConfig()
	config.QPS = -1
	var err error
	if w.api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	for i := range namespaces {
		if err := w.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(i)}}); err != nil {
			return err
		}
	}
	return w.api.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}})
}

// start starts a manager with its webhooks.
func (w *world) start(ctx context.Context) (*controlplane.Manager, error) {
	mode := "--endpoints-mode=off"
	if w.way == whole {
		mode = "--endpoints-mode=on"
	}
	return w.plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: w.Program, RoleFile: w.RoleFile, ServeWebhooks: true, Args: []string{mode},
	})
}

// route has the API server call the webhooks of a manager, and waits until it does: then
// an address outside of the cluster is refused by them.
func (w *world) route(ctx context.Context, manager *controlplane.Manager) error {
	if err := w.plane.RegisterWebhooks(ctx, manager.WebhookURL, w.hooks); err != nil {
		return err
	}
	probe := newService(0)
	probe.Name, probe.Spec.ClusterIP = "probe", "192.0.2.1"
	for {
		err := w.api.Create(ctx, probe.DeepCopy(), client.DryRunAll)
		if err != nil && strings.Contains(err.Error(), "mutate.services.servicenet.dev") {
			return nil
		}
		if err := wait(ctx, look/50); err != nil {
			return err
		}
	}
}

// fill makes Services through the webhooks, beginning with that of a number, and a pod for
// each if that is wanted.
func (w *world) fill(ctx context.Context, from, size int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(w.clients)
	address := netip.MustParseAddr(firstPod)
	for range from {
		address = address.Next()
	}
	for i := from; i < size; i++ {
		pod := newPod(i, address)
		address = address.Next()
		group.Go(func() error {
			if w.way == whole {
				if err := w.run(ctx, pod); err != nil {
					return err
				}
			}
			return w.api.Create(ctx, newService(i))
		})
	}
	return group.Wait()
}

// run makes a pod, and has it run.
func (w *world) run(ctx context.Context, pod *corev1.Pod) error {
	status := pod.Status
	if err := w.api.Create(ctx, pod); err != nil {
		return err
	}
	pod.Status = status
	return w.api.Status().Update(ctx, pod)
}

// newService is one of an ordinary size.
func newService(i int) *corev1.Service {
	name := fmt.Sprintf("service-%d", i)
	labels := labelsOf(i)
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespaceOf(i), Name: name, Labels: labels,
			Annotations: map[string]string{"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": "production"},
		},
		Spec: corev1.ServiceSpec{
			Selector: labels,
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "metrics", Port: 9090}},
		},
	}
}

func newPod(i int, address netip.Addr) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceOf(i), Name: fmt.Sprintf("pod-%d", i), Labels: labelsOf(i)},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "server", Image: "server"}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: address.String(), PodIPs: []corev1.PodIP{{IP: address.String()}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
}

func labelsOf(i int) map[string]string {
	name := fmt.Sprintf("service-%d", i)
	return map[string]string{
		"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name + "-production", "app.kubernetes.io/managed-by": "Helm",
	}
}

func namespaceOf(i int) string { return fmt.Sprintf("team-%d", i%namespaces) }
