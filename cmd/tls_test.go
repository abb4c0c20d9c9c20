// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// configured returns what servers are configured with by flags.
func configured(t *testing.T, args ...string) *tls.Config {
	t.Helper()
	settings := newSettings()
	if err := settings.parse(args); err != nil {
		t.Fatal(err)
	}
	options, err := settings.tlsOptions()
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	for _, option := range options {
		option(config)
	}
	return config
}

func TestServersKeepToTLS12AndHTTP1(t *testing.T) {
	got := configured(t)
	if got.MinVersion != tls.VersionTLS12 || got.CipherSuites != nil {
		t.Errorf("version %x, suites %v", got.MinVersion, got.CipherSuites)
	}
	if diff := cmp.Diff([]string{"http/1.1"}, got.NextProtos); diff != "" {
		t.Errorf("protocols (-want +got):\n%s", diff)
	}
}

func TestServersKeepToWhatFlagsSay(t *testing.T) {
	got := configured(t, "--tls-min-version=VersionTLS13", "--enable-http2",
		"--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
	if got.MinVersion != tls.VersionTLS13 || got.NextProtos != nil {
		t.Errorf("version %x, protocols %v", got.MinVersion, got.NextProtos)
	}
	want := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
	if diff := cmp.Diff(want, got.CipherSuites); diff != "" {
		t.Errorf("suites (-want +got):\n%s", diff)
	}
}
