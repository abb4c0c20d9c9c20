// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"servicenet.dev/servicenet/hack/controlplane"
)

// contender is who gives the numbers out.
type contender struct {
	name contenderName
	// start starts what the API server asks, if anything, and returns where it is
	// served, and what ends it.
	start func(ctx context.Context, s *settings, plane *controlplane.ControlPlane) (root string, stop func() error, err error)
}

type contenderName string

const (
	stock   contenderName = "stock"
	nothing contenderName = "webhooks that do nothing"
	ours    contenderName = "servicenet"
)

func contenders() []contender {
	return []contender{{stock, startNothing}, {nothing, startIdleHooks}, {ours, startManager}}
}

func startNothing(context.Context, *settings, *controlplane.ControlPlane) (string, func() error, error) {
	return "", func() error { return nil }, nil
}

// startIdleHooks serves webhooks that allow everything, in this process.
func startIdleHooks(ctx context.Context, _ *settings, plane *controlplane.ControlPlane) (string, func() error, error) {
	certificate, key := plane.ServingCertificate()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("serving webhooks: %w", err)
	}
	allow := &webhook.Admission{Handler: admission.HandlerFunc(func(context.Context, admission.Request) admission.Response {
		return admission.Allowed("")
	})}
	server := &http.Server{Handler: allow, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(listener, certificate, key) }()
	stop := func() error {
		err := server.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
	return "https://" + listener.Addr().String(), stop, nil
}

func startManager(ctx context.Context, s *settings, plane *controlplane.ControlPlane) (string, func() error, error) {
	manager, err := plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: s.manager, RoleFile: s.roleFile, ServeWebhooks: true, Args: []string{"--controllers=clusterip,nodeport"},
	})
	if err != nil {
		return "", nil, err
	}
	// The plane ends it.
	return manager.WebhookURL, func() error { return nil }, nil
}
