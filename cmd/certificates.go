// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// Names of config/webhook, without the prefix that config/default puts in front of
// each.
const (
	webhookService  = "webhook-service"
	webhookKeyPair  = "webhook-server-cert"
	serviceWebhooks = "services"
	poolWebhooks    = "pools"
)

// rotationSettings are how the certificate of the webhooks comes to be.
type rotationSettings struct {
	rotate bool
	// prefix is what the names of all that is concerned begin with.
	prefix string
	// ready is closed once there is a certificate that the API server trusts.
	ready chan struct{}
}

func (s *settings) addRotationFlags() {
	r := &s.rotation
	r.prefix, r.ready = "servicenet-", make(chan struct{})
	s.addSwitch(&r.rotate, "webhook-cert-rotation", truth,
		"Make the certificate of the webhooks, renew it in time, and have the API server trust it. It is kept in the Secret "+
			"<prefix>"+webhookKeyPair+" of --namespace, which must exist and be mounted at --webhook-cert-dir")
	s.flags.Var(&value[string]{&r.prefix, "prefix", namePrefix}, "webhook-name-prefix",
		"What the names of the webhooks' Secret, Service and configurations begin with, with --webhook-cert-rotation")
}

// addRotation has every replica look after the certificate: each can renew it, and
// each must know when it is there.
func addRotation(mgr ctrl.Manager, s *settings) error {
	if !s.rotation.rotate {
		return nil
	}
	named := func(name string) string { return s.rotation.prefix + name }
	err := rotator.AddRotator(mgr, &rotator.CertRotator{
		SecretKey:      types.NamespacedName{Namespace: s.controllers.Namespace, Name: named(webhookKeyPair)},
		CertDir:        s.webhooks.certDir,
		CertName:       s.webhooks.certName,
		KeyName:        s.webhooks.keyName,
		CAName:         named("webhook-ca"),
		CAOrganization: "servicenet",
		DNSName:        fmt.Sprintf("%s.%s.svc", named(webhookService), s.controllers.Namespace),
		IsReady:        s.rotation.ready,
		FieldOwner:     "servicenet-cert-rotation",
		Webhooks: []rotator.WebhookInfo{
			{Name: named(serviceWebhooks), Type: rotator.Mutating},
			{Name: named(serviceWebhooks), Type: rotator.Validating},
			{Name: named(poolWebhooks), Type: rotator.Validating},
		},
	})
	if err != nil {
		return fmt.Errorf("adding the rotation of certificates: %w", err)
	}
	return nil
}

// webhookServer returns the server of the webhooks.
func (s *settings) webhookServer(tlsOptions []func(*tls.Config)) webhook.Server {
	server := s.webhooks.server(tlsOptions...)
	if s.rotation.rotate {
		return patientServer{server, s.rotation.ready}
	}
	return server
}

// patientServer begins to serve once there is a certificate. Without one, the server
// in it would fail, and the manager with it.
type patientServer struct {
	webhook.Server

	ready <-chan struct{}
}

// Start is of manager.Runnable.
func (s patientServer) Start(ctx context.Context) error {
	select {
	case <-s.ready:
		return s.Server.Start(ctx)
	case <-ctx.Done():
		return nil
	}
}
