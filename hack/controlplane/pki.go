// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/keyutil"
)

// The certificate files of a control plane, in its folder "certificates".
const (
	clusterCAFile  = "cluster-ca.crt"
	servingFile    = "serving.crt" // of kube-apiserver and all its clients that serve
	servingKeyFile = "serving.key"

	etcdCAFile  = "etcd-ca.crt"
	etcdFile    = "etcd.crt" // of etcd, and of kube-apiserver as its client
	etcdKeyFile = "etcd.key"

	frontProxyCAFile  = "front-proxy-ca.crt"
	frontProxyFile    = "front-proxy.crt" // of kube-apiserver as the client of aggregated APIs
	frontProxyKeyFile = "front-proxy.key"

	serviceAccountKeyFile = "service-account.key" // signs and verifies tokens
)

// pki is what the parts of a control plane know each other by. As in a stock
// cluster there are three authorities: no user of the API server can go round it
// to etcd, or speak for other users as its front proxy does.
type pki struct {
	dir           string
	cluster, etcd *authority
}

// newPKI makes the authorities and writes what the parts read from files. The
// addresses and DNS names are those of the API server besides the loopback
// interface.
func newPKI(dir string, addresses []netip.Addr, names []string) (*pki, error) {
	p := &pki{dir: dir}
	var err error
	if p.cluster, err = newAuthority("servicenet-cluster"); err != nil {
		return nil, err
	}
	if p.etcd, err = newAuthority("servicenet-etcd"); err != nil {
		return nil, err
	}
	frontProxy, err := newAuthority("servicenet-front-proxy")
	if err != nil {
		return nil, err
	}
	if err := p.write(frontProxy, loopbackServer("front-proxy"), frontProxyCAFile, frontProxyFile, frontProxyKeyFile); err != nil {
		return nil, err
	}
	server := loopbackServer("localhost")
	server.DNSNames = append(server.DNSNames, names...)
	for _, address := range addresses {
		server.IPAddresses = append(server.IPAddresses, address.AsSlice())
	}
	if err := p.write(p.cluster, server, clusterCAFile, servingFile, servingKeyFile); err != nil {
		return nil, err
	}
	if err := p.write(p.etcd, loopbackServer("localhost"), etcdCAFile, etcdFile, etcdKeyFile); err != nil {
		return nil, err
	}
	key, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return nil, fmt.Errorf("service account key: %w", err)
	}
	return p, writeSecret(p.path(serviceAccountKeyFile), key)
}

// write writes an authority's certificate and a pair that it issues.
func (p *pki) write(a *authority, template *x509.Certificate, caFile, certificateFile, keyFile string) error {
	ca, err := a.pem()
	if err != nil {
		return err
	}
	pair, err := a.issue(template)
	if err != nil {
		return err
	}
	for file, content := range map[string][]byte{caFile: ca, certificateFile: pair.certificate, keyFile: pair.key} {
		if err := writeSecret(p.path(file), content); err != nil {
			return err
		}
	}
	return nil
}

// path of a certificate file.
func (p *pki) path(file string) string { return filepath.Join(p.dir, file) }

// clientConfig is for clients of an authority's servers, known to them as the
// given user.
func (a *authority) clientConfig(user string, groups []string) (*rest.Config, error) {
	ca, err := a.pem()
	if err != nil {
		return nil, err
	}
	pair, err := a.client(user, groups)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		TLSClientConfig: rest.TLSClientConfig{CAData: ca, CertData: pair.certificate, KeyData: pair.key},
		QPS:             -1, // no limit: the tests and the benchmarks set the pace
	}, nil
}

// httpClient is for probes of an authority's servers.
func (a *authority) httpClient() (*http.Client, error) {
	config, err := a.clientConfig("probe", nil)
	if err != nil {
		return nil, err
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("client for probes: %w", err)
	}
	return client, nil
}
