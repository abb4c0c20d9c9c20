// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

func TestNamesOfTheRotationHaveAPrefix(t *testing.T) {
	got := newSettings()
	if err := got.parse(nil); err != nil || got.rotation.rotate || got.rotation.prefix != "servicenet-" {
		t.Errorf("default: rotation %v, prefix %q, error %v", got.rotation.rotate, got.rotation.prefix, err)
	}
	if err := got.parse([]string{"--webhook-cert-rotation", "--webhook-name-prefix="}); err != nil || !got.rotation.rotate || got.rotation.prefix != "" {
		t.Errorf("set: rotation %v, prefix %q, error %v", got.rotation.rotate, got.rotation.prefix, err)
	}
	if err := newSettings().parse([]string{"--webhook-name-prefix=Not_A_Name"}); err == nil {
		t.Error("a prefix that no name can have is taken")
	}
}

func TestWebhooksAreServedOnceThereIsACertificate(t *testing.T) {
	ready, started := make(chan struct{}), make(chan error, 1)
	served := errors.New("served")
	server := patientServer{failingServer{err: served}, ready}
	go func() { started <- server.Start(t.Context()) }()
	select {
	case err := <-started:
		t.Fatalf("served without a certificate: %v", err)
	default:
	}
	close(ready)
	if err := <-started; !errors.Is(err, served) {
		t.Errorf("got %v, want that of the server in it", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (patientServer{failingServer{err: served}, nil}).Start(ended); err != nil {
		t.Errorf("one that is told to stop while it waits fails: %v", err)
	}
}

// failingServer fails to start.
type failingServer struct {
	webhook.Server

	err error
}

func (s failingServer) Start(context.Context) error { return s.err }
