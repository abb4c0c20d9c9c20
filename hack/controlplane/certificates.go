// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math"
	"math/big"
	"net"
	"os"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// validity of certificates. The authorities live in memory only, so nothing can
// be renewed; a control plane that runs for a year is not what this is for.
const validity = 365 * 24 * time.Hour

// clockSkew allows for clocks that are set back a little.
const clockSkew = time.Hour

// authority is a certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// keyPair is a certificate and its private key, both in PEM.
type keyPair struct {
	certificate, key []byte
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the authority %s: %w", name, err)
	}
	config := cert.Config{CommonName: name, NotBefore: time.Now().Add(-clockSkew)}
	certificate, err := cert.NewSelfSignedCACert(config, key)
	if err != nil {
		return nil, fmt.Errorf("certificate of the authority %s: %w", name, err)
	}
	return &authority{certificate: certificate, key: key}, nil
}

// pem returns the authority's certificate.
func (a *authority) pem() ([]byte, error) {
	pem, err := cert.EncodeCertificates(a.certificate)
	if err != nil {
		return nil, fmt.Errorf("encoding the certificate of an authority: %w", err)
	}
	return pem, nil
}

// loopbackServer is the certificate of a server on the loopback interface. It is
// good for clients too: etcd is a client of itself, and the API server one of the
// kubelets.
func loopbackServer(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.ParseIP(loopback), net.IPv6loopback},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// client issues a certificate that names a user and the user's groups.
func (a *authority) client(user string, groups []string) (keyPair, error) {
	return a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (a *authority) issue(template *x509.Certificate) (keyPair, error) {
	name := template.Subject.CommonName
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("key of %s: %w", name, err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(math.MaxInt64)); err != nil {
		return keyPair{}, fmt.Errorf("serial number for %s: %w", name, err)
	}
	template.NotBefore = time.Now().Add(-clockSkew)
	template.NotAfter = time.Now().Add(validity)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return keyPair{}, fmt.Errorf("certificate of %s: %w", name, err)
	}
	return encode(name, der, key)
}

func encode(name string, der []byte, key crypto.PrivateKey) (pair keyPair, err error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return keyPair{}, fmt.Errorf("certificate of %s: %w", name, err)
	}
	if pair.certificate, err = cert.EncodeCertificates(certificate); err != nil {
		return keyPair{}, fmt.Errorf("certificate of %s: %w", name, err)
	}
	if pair.key, err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
		return keyPair{}, fmt.Errorf("key of %s: %w", name, err)
	}
	return pair, nil
}

// writeSecret writes a file that only its owner can read.
func writeSecret(path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("writing a key or certificate: %w", err)
	}
	return nil
}
