// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"servicenet.dev/servicenet/controllers"
)

// drainPeriod is for how long the webhooks go on when the manager is told to stop,
// unless a flag says otherwise: some more than it takes until the proxies of a
// cluster's nodes know that a Pod is terminating.
const drainPeriod = 5 * time.Second

// webhookSettings are how the webhooks are served.
type webhookSettings struct {
	address                    string
	port                       int
	certDir, certName, keyName string
}

// addWebhookFlags adds the flags of the webhooks. They are off by default, since
// they need a certificate that the API server trusts, which nobody can guess.
func (s *settings) addWebhookFlags() {
	const highestPort = 65535
	o, w := &s.controllers, &s.webhooks
	*w = webhookSettings{
		port: webhook.DefaultPort, certDir: "/tmp/k8s-webhook-server/serving-certs", certName: "tls.crt", keyName: "tls.key",
	}
	o.WebhookDrainPeriod = drainPeriod
	s.addSwitch(&o.EnableWebhooks, "enable-webhooks", truth,
		"Serve the admission webhooks, which give Services their numbers. They need a certificate, "+
			"of --webhook-cert-dir or --webhook-cert-rotation, and to be registered with the API server")
	s.flags.StringVar(&w.address, "webhook-bind-address", w.address,
		"Address of the interface to serve the webhooks on. Default: all of them")
	s.flags.Var(&value[int]{&w.port, "port", wholeNumber(1, highestPort)}, "webhook-port", "Port to serve the webhooks on")
	s.flags.StringVar(&w.certDir, "webhook-cert-dir", w.certDir,
		"Folder with the certificate of the webhooks and its key. They are read again when they change")
	s.flags.StringVar(&w.certName, "webhook-cert-name", w.certName, "Name of the file with the certificate")
	s.flags.StringVar(&w.keyName, "webhook-key-name", w.keyName, "Name of the file with the key")
	s.addPeriod(&o.WebhookDrainPeriod, 0, controllers.LongestWebhookDrainPeriod, "webhook-drain-period",
		"How long the webhooks go on as before when the manager is told to stop, 0s to 1m: until everybody knows that it is not ready")
	s.flags.Var(&listValue{target: &o.AllowedExternalIPs, check: controllers.ValidateExternalIPs, kind: "CIDRs"}, "allowed-external-ips",
		"CIDRs that spec.externalIPs of Services must be in, comma-separated; 'none' allows none, '*' all of them, with a warning")
}

// server returns the server of the webhooks.
func (w *webhookSettings) server(tlsOptions ...func(*tls.Config)) webhook.Server {
	return webhook.NewServer(webhook.Options{
		Host: w.address, Port: w.port, CertDir: w.certDir, CertName: w.certName, KeyName: w.keyName, TLSOpts: tlsOptions,
	})
}
