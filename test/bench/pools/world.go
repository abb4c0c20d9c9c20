// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

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
	// first is the lowest address of a Service.
	first = "10.96.1.0"
	// namespaces is how many there are.
	namespaces = 50
	// atATime is how many Services are made at a time.
	atATime = 16
)

// world is a control plane with Services and pools.
type world struct {
	plane *controlplane.ControlPlane
	api   client.Client
}

func startWorld(ctx context.Context, s settings) (*world, error) {
	plane, err := controlplane.Start(ctx, controlplane.Options{
		ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true,
	})
	if err != nil {
		return nil, err
	}
	w := &world{plane: plane}
	if err := w.fill(ctx, s); err != nil {
		_ = plane.Stop() // what went wrong before matters more
		return nil, err
	}
	return w, nil
}

// fill makes the Services and pools.
func (w *world) fill(ctx context.Context, s settings) error {
	if err := w.plane.InstallCRDs(ctx, s.CRDs); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	if err := servicenetv1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	config := w.plane.RESTConfig()
	config.QPS = -1
	var err error
	if w.api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	for i := range namespaces {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: nameOf("team", i), Labels: map[string]string{"team": nameOf("team", i)},
		}}
		if err := w.api.Create(ctx, namespace); err != nil {
			return err
		}
	}
	for i := range s.pools {
		if err := w.api.Create(ctx, newPool(i)); err != nil {
			return err
		}
	}
	begun := time.Now()
	if err := w.makeServices(ctx, s.services); err != nil {
		return err
	}
	fmt.Printf("%d Services made in %.0f s\n", s.services, time.Since(begun).Seconds())
	return nil
}

func (w *world) makeServices(ctx context.Context, count int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atATime)
	address := netip.MustParseAddr(first)
	for i := range count {
		service := newService(i, address)
		address = address.Next()
		group.Go(func() error { return w.api.Create(ctx, service) })
	}
	return group.Wait()
}

// newService is one of an ordinary size.
func newService(i int, address netip.Addr) *corev1.Service {
	name := nameOf("service", i)
	labels := map[string]string{
		"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name + "-production", "app.kubernetes.io/managed-by": "Helm",
	}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: nameOf("team", i%namespaces), Name: name, Labels: labels,
			Annotations: map[string]string{"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": "production"},
		},
		Spec: corev1.ServiceSpec{
			ClusterIP: address.String(), Selector: labels,
			Ports: []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "metrics", Port: 9090}},
		},
	}
}

func newPool(i int) *servicenetv1alpha1.ClusterIPPool {
	return &servicenetv1alpha1.ClusterIPPool{
		ObjectMeta: metav1.ObjectMeta{Name: nameOf("pool", i)},
		Spec: servicenetv1alpha1.ClusterIPPoolSpec{
			CIDRs: []string{fmt.Sprintf("10.96.%d.0/24", i+1)},
			PoolPolicy: servicenetv1alpha1.PoolPolicy{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": nameOf("team", i%namespaces)}},
			},
		},
	}
}

func nameOf(kind string, i int) string { return fmt.Sprintf("%s-%d", kind, i) }

// awaitLedger waits until the ledger has so many addresses in use, and that of the
// Service kubernetes.
func (w *world) awaitLedger(ctx context.Context, count int) error {
	probes := time.NewTicker(100 * time.Millisecond)
	defer probes.Stop()
	for {
		var blocks servicenetv1alpha1.AllocationBlockList
		if err := w.api.List(ctx, &blocks); err != nil {
			return err
		}
		used := 0
		for i := range blocks.Items {
			used += int(blocks.Items[i].Summary.Used)
		}
		if used == count+1 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-probes.C:
		}
	}
}

// events returns how many events the manager has made.
func (w *world) events(ctx context.Context) (int, error) {
	var all corev1.EventList
	if err := w.api.List(ctx, &all); err != nil {
		return 0, err
	}
	count := 0
	for i := range all.Items {
		if all.Items[i].ReportingController == "servicenet" {
			count++
		}
	}
	return count, nil
}
