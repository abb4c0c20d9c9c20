// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
)

// namespace is where the Leases are.
const namespace = "servicenet-system"

// world is the API server on which is measured.
type world struct {
	settings
	plane  *controlplane.ControlPlane
	scheme *runtime.Scheme
	client client.Client
	// discover reads what is no object.
	discover discovery.DiscoveryInterface
	// row counts the rows that were measured.
	row byte
}

func startWorld(ctx context.Context, s settings) (*world, error) {
	w := &world{settings: s, scheme: runtime.NewScheme()}
	if err := errors.Join(clientgoscheme.AddToScheme(w.scheme), servicenetv1alpha1.AddToScheme(w.scheme)); err != nil {
		return nil, err
	}
	var err error
	if w.plane, err = controlplane.Start(ctx, controlplane.Options{NoServiceAccountAdmission: true}); err != nil {
		return nil, err
	}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

func (w *world) prepare(ctx context.Context) (err error) {
	if err := w.plane.InstallCRDs(ctx, w.crds); err != nil {
		return err
	}
	if w.client, err = client.New(w.plane.RESTConfig(), client.Options{Scheme: w.scheme}); err != nil {
		return fmt.Errorf("client of the API server: %w", err)
	}
	if w.discover, err = discovery.NewDiscoveryClientForConfig(w.plane.RESTConfig()); err != nil {
		return fmt.Errorf("client of the API server: %w", err)
	}
	return w.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
}

func (w *world) stop() error { return w.plane.Stop() }
