// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
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

// startIdleHooks serves webhooks that allow everything in a process of their own, as
// those of the manager are: a process that is at work anyway is woken faster.
func startIdleHooks(ctx context.Context, _ *settings, plane *controlplane.ControlPlane) (string, func() error, error) {
	program, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	certificate, key := plane.ServingCertificate()
	process := exec.CommandContext(ctx, program, idleHooksCommand, certificate, key)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := process.Start(); err != nil {
		return "", nil, fmt.Errorf("starting webhooks: %w", err)
	}
	stop := func() error { return errors.Join(input.Close(), process.Wait()) }
	root, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("starting webhooks: %w", err), stop())
	}
	return strings.TrimSpace(root), stop, nil
}

// idleHooksCommand has this program serve webhooks that do nothing.
const idleHooksCommand = "idle-webhooks"

// serveIdleHooks serves webhooks that allow everything until the input ends. It prints
// where.
func serveIdleHooks(ctx context.Context, certificate, key string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serving webhooks: %w", err)
	}
	allow := &webhook.Admission{Handler: admission.HandlerFunc(func(context.Context, admission.Request) admission.Response {
		return admission.Allowed("")
	})}
	server := &http.Server{Handler: allow, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Println("https://" + listener.Addr().String())
	if err := server.ServeTLS(listener, certificate, key); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func startManager(ctx context.Context, s *settings, plane *controlplane.ControlPlane) (string, func() error, error) {
	manager, err := plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: s.Program, RoleFile: s.RoleFile, ServeWebhooks: true, Args: []string{"--controllers=clusterip,nodeport"},
	})
	if err != nil {
		return "", nil, err
	}
	// The plane ends it.
	return manager.WebhookURL, func() error { return nil }, nil
}
