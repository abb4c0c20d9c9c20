// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	cliflag "k8s.io/component-base/cli/flag"
)

// tlsSettings are what the servers of metrics and webhooks agree to.
type tlsSettings struct {
	minVersion   string
	cipherSuites []string
}

// addTLSFlags adds flags with the names, and the values, of kube-apiserver's. What
// is insecure there is not taken here.
func (s *settings) addTLSFlags() {
	s.tls.minVersion = tlsVersions()[0]
	s.flags.Var(&value[string]{&s.tls.minVersion, "version", oneOf(tlsVersions()...)}, "tls-min-version",
		"Lowest version of TLS of the webhooks and of secure metrics: "+strings.Join(tlsVersions(), " or "))
	s.flags.Var(&listValue{target: &s.tls.cipherSuites, check: checkCipherSuites, kind: "names"}, "tls-cipher-suites",
		"Cipher suites of the webhooks and of secure metrics, comma-separated; they are for TLS 1.2, as those of 1.3 can't be chosen. "+
			"Default: those of Go. There are: "+strings.Join(cliflag.PreferredTLSCipherNames(), ", "))
	s.addSwitch(&s.enableHTTP2, "enable-http2", truth,
		"Offer HTTP/2 for metrics and webhooks. It lets a client open streams faster than a server can close them")
}

// tlsVersions are the versions that nothing is known against, the default first.
func tlsVersions() []string { return []string{"VersionTLS12", "VersionTLS13"} }

func checkCipherSuites(names []string) error {
	for _, name := range names {
		if !slices.Contains(cliflag.PreferredTLSCipherNames(), name) {
			return fmt.Errorf("%q is none of %s", name, strings.Join(cliflag.PreferredTLSCipherNames(), ", "))
		}
	}
	return nil
}

// tlsOptions is for all servers. Without --enable-http2 they keep to HTTP/1.1: scrapers
// and API servers need no more.
func (s *settings) tlsOptions() ([]func(*tls.Config), error) {
	version, err := cliflag.TLSVersion(s.tls.minVersion)
	if err != nil {
		return nil, fmt.Errorf("--tls-min-version: %w", err)
	}
	suites, err := cliflag.TLSCipherSuites(s.tls.cipherSuites)
	if err != nil {
		return nil, fmt.Errorf("--tls-cipher-suites: %w", err)
	}
	return []func(*tls.Config){func(config *tls.Config) {
		config.MinVersion = version
		config.CipherSuites = suites
		if !s.enableHTTP2 {
			config.NextProtos = []string{"http/1.1"}
		}
	}}, nil
}
