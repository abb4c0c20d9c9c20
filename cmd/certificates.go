// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"servicenet.dev/servicenet/internal/certificates"
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
	store  *certificates.Store
}

func (s *settings) addRotationFlags() {
	r := &s.rotation
	r.prefix, r.store = "servicenet-", certificates.NewStore()
	s.addSwitch(&r.rotate, "webhook-cert-rotation", truth,
		"Make the certificate of the webhooks, renew it in time, and have the API server trust it. It is kept in the Secret "+
			"<prefix>"+webhookKeyPair+" of --namespace, which must exist; --webhook-cert-dir is not read")
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
	return certificates.Add(mgr, certificates.Options{
		Secret:     types.NamespacedName{Namespace: s.controllers.Namespace, Name: named(webhookKeyPair)},
		Authority:  named("webhook-ca"),
		DNSName:    fmt.Sprintf("%s.%s.svc", named(webhookService), s.controllers.Namespace),
		Mutating:   named(serviceWebhooks),
		Validating: []string{named(serviceWebhooks), named(poolWebhooks)},
		Store:      s.rotation.store,
	})
}

// webhookServer returns the server of the webhooks.
func (s *settings) webhookServer(tlsOptions []func(*tls.Config)) webhook.Server {
	if !s.rotation.rotate {
		return s.webhooks.server(tlsOptions...)
	}
	fromStore := func(config *tls.Config) { config.GetCertificate = s.rotation.store.Get }
	return patientServer{s.webhooks.server(append(slices.Clone(tlsOptions), fromStore)...), s.rotation.store.Filled()}
}

// patientServer begins to serve once there is a certificate that the API server trusts:
// until then the manager is not ready.
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
