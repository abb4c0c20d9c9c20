// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
)

// Keys of the Secret, besides those that all Secrets of certificates have.
const (
	authorityCert = "ca.crt" // the authority, and the one before
	authorityKey  = "ca.key"
)

const (
	day = 24 * time.Hour
	// authorityLife and certificateLife are how long what is made holds.
	authorityLife   = 10 * 365 * day
	certificateLife = 365 * day
	// lookahead is how long before its end it is made anew.
	lookahead = 90 * day
	// leeway is for clocks that differ: what is made holds from that long ago.
	leeway = time.Hour
)

// issuer makes what is in the Secret, and judges it.
type issuer struct {
	authority string // its name
	dnsName   string // what the certificate is for
}

func serverUsage() *[]x509.ExtKeyUsage { return &[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }

func (i *issuer) maker() *rotator.CertRotator {
	return &rotator.CertRotator{CAName: i.authority, CAOrganization: "servicenet", DNSName: i.dnsName, ExtKeyUsages: serverUsage()}
}

// authorityHolds tells whether the authority in a Secret does so for long enough.
func (i *issuer) authorityHolds(has map[string][]byte, now time.Time) bool {
	return holds(has[authorityCert], has[authorityCert], has[authorityKey], i.authority, nil, now.Add(lookahead))
}

// allHolds tells whether what is in a Secret does so for long enough.
func (i *issuer) allHolds(has map[string][]byte, now time.Time) bool {
	return i.authorityHolds(has, now) && holds(has[authorityCert], has[corev1.TLSCertKey], has[corev1.TLSPrivateKeyKey],
		i.dnsName, serverUsage(), now.Add(lookahead))
}

// renewed returns what the Secret must have in place of what it has. An authority is
// kept as long as it holds.
func (i *issuer) renewed(has map[string][]byte, now time.Time) (map[string][]byte, error) {
	trusted := has[authorityCert]
	authority, err := parseAuthority(has)
	if !i.authorityHolds(has, now) {
		if authority, err = i.maker().CreateCACert(now.Add(-leeway), now.Add(authorityLife)); err == nil {
			trusted = append(bytes.Clone(authority.CertPEM), stillTrusted(trusted, now)...)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("authority of the certificate: %w", err)
	}
	certificate, key, err := i.maker().CreateCertPEM(authority, now.Add(-leeway), now.Add(certificateLife))
	if err != nil {
		return nil, fmt.Errorf("making the certificate: %w", err)
	}
	data := maps.Clone(has)
	if data == nil {
		data = map[string][]byte{}
	}
	data[authorityCert], data[authorityKey] = trusted, authority.KeyPEM
	data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey] = certificate, key
	return data, nil
}

func holds(authority, certificate, key []byte, name string, usages *[]x509.ExtKeyUsage, at time.Time) bool {
	good, err := rotator.ValidCert(authority, certificate, key, name, usages, at)
	return good && err == nil
}

func parseAuthority(data map[string][]byte) (*rotator.KeyPairArtifacts, error) {
	pair, err := tls.X509KeyPair(data[authorityCert], data[authorityKey])
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("its key is none of RSA")
	}
	return &rotator.KeyPairArtifacts{Cert: pair.Leaf, Key: key, CertPEM: data[authorityCert], KeyPEM: data[authorityKey]}, nil
}

// stillTrusted returns the first of some authorities, if it has not ended yet:
// replicas may serve a certificate of it for a moment.
func stillTrusted(authorities []byte, now time.Time) []byte {
	block, _ := pem.Decode(authorities)
	if block == nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || now.After(certificate.NotAfter) {
		return nil
	}
	return pem.EncodeToMemory(block)
}
