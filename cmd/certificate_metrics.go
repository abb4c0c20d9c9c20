// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
)

// certificateEnd tells when the certificate of the webhooks ends. It is a
// prometheus.Collector, which reads the file each time: whoever renews the certificate,
// the server reads it anew within seconds, too.
type certificateEnd struct {
	path string
	end  *prometheus.Desc
}

// addCertificateMetrics registers the metric where webhooks are served.
func addCertificateMetrics(registry prometheus.Registerer, s *settings) error {
	if !s.controllers.EnableWebhooks {
		return nil
	}
	err := registry.Register(certificateEnd{
		path: filepath.Join(s.webhooks.certDir, s.webhooks.certName),
		end: prometheus.NewDesc("servicenet_webhook_certificate_expiration_timestamp_seconds",
			"When the certificate of the webhooks ends, in seconds since 1970", nil, nil),
	})
	if _, registered := errors.AsType[prometheus.AlreadyRegisteredError](err); err != nil && !registered {
		return fmt.Errorf("registering the metric of the webhooks' certificate: %w", err)
	}
	return nil
}

// Describe is of prometheus.Collector.
func (c certificateEnd) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- c.end }

// Collect is of prometheus.Collector. While there is no certificate, there is no metric.
func (c certificateEnd) Collect(metrics chan<- prometheus.Metric) {
	content, err := os.ReadFile(c.path)
	if err != nil {
		return
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return
	}
	metrics <- prometheus.MustNewConstMetric(c.end, prometheus.GaugeValue, float64(certificate.NotAfter.Unix()))
}
