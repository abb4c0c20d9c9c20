// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/util/cert"
)

func TestTheEndOfTheCertificateIsTold(t *testing.T) {
	folder := t.TempDir()
	settings := newSettings()
	if err := settings.parse([]string{"--enable-webhooks", "--webhook-cert-dir=" + folder}); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	for range 2 { // a process may start a manager twice
		if err := addCertificateMetrics(registry, settings); err != nil {
			t.Fatal(err)
		}
	}
	told := func() []float64 {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var values []float64
		for _, family := range families {
			for _, metric := range family.GetMetric() {
				values = append(values, metric.GetGauge().GetValue())
			}
		}
		return values
	}
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, "tls.crt"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := told(); got != nil {
		t.Errorf("without a certificate it tells %v", got)
	}
	for _, content := range []string{"", "none", "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"} {
		write([]byte(content))
		if got := told(); got != nil {
			t.Errorf("of %q it tells %v", content, got)
		}
	}
	certificate, _, err := cert.GenerateSelfSignedCertKey("localhost", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(certificate)
	block, _ := pem.Decode(certificate)
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told(), float64(parsed.NotAfter.Unix()); len(got) != 1 || got[0] != want {
		t.Errorf("it tells %v, want %v", got, want)
	}
}

func TestWithoutWebhooksNothingIsToldOfACertificate(t *testing.T) {
	settings := newSettings()
	if err := settings.parse(nil); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	if err := addCertificateMetrics(registry, settings); err != nil {
		t.Fatal(err)
	}
	if registry.Unregister(certificateEnd{end: prometheus.NewDesc("servicenet_webhook_certificate_expiration_timestamp_seconds",
		"When the certificate of the webhooks ends, in seconds since 1970", nil, nil)}) {
		t.Error("the metric is there")
	}
}
