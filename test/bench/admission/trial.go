// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
)

// clusterIPs is large, as where nobody wants to run out of addresses.
const clusterIPs = "10.96.0.0/12"

// trial is one round of one contender.
type trial struct {
	*settings
	// api is asked as anybody asks, around as the API server itself, which webhooks
	// are not asked about.
	api, around client.Client
	note        func(figure, float64)
}

// try measures a contender on a control plane of its own.
func try(ctx context.Context, s *settings, c contender, into results) (err error) {
	plane, err := controlplane.Start(ctx, controlplane.Options{ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	if err := plane.InstallCRDs(ctx, s.CRDs); err != nil {
		return err
	}
	t := &trial{settings: s, note: func(f figure, value float64) { into.add(c.name, f, value) }}
	if t.api, err = newClient(plane.RESTConfig()); err != nil {
		return err
	}
	itself, err := plane.ConfigFor("system:apiserver", controlplane.AdminGroup)
	if err != nil {
		return err
	}
	if t.around, err = newClient(itself); err != nil {
		return err
	}
	root, stop, err := c.start(ctx, s, plane)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if root != "" {
		if err := plane.RegisterWebhooks(ctx, root, s.hooks); err != nil {
			return err
		}
	}
	if err := t.warmUp(ctx); err != nil {
		return err
	}
	return t.works(ctx)
}

func newClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.QPS = -1
	config.ContentType = runtime.ContentTypeProtobuf
	return client.New(config, client.Options{Scheme: scheme})
}

// warmUp waits until Services can be created over and over: a ServiceCIDR has to be
// there for a while, and connections are opened.
func (t *trial) warmUp(ctx context.Context) error {
	const patience, period, inARow = time.Minute, 100 * time.Millisecond, 50
	err := wait.PollUntilContextTimeout(ctx, period, patience, true, func(ctx context.Context) (bool, error) {
		service := newService("first-of-all", corev1.ServiceTypeNodePort)
		if t.api.Create(ctx, service) != nil {
			return false, nil //nolint:nilerr // it is asked for again
		}
		return true, t.api.Delete(ctx, service)
	})
	for i := range inARow {
		if err != nil {
			return fmt.Errorf("creating Services before the clock runs: %w", err)
		}
		service := newService(fmt.Sprintf("warm-%d", i), corev1.ServiceTypeNodePort)
		if err = t.api.Create(ctx, service); err == nil {
			err = t.api.Delete(ctx, service)
		}
	}
	return err
}
