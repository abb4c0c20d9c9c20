// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// egressTo has an API server reach all of the cluster through a proxy.
func egressTo(socket string) string {
	return `{"apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration", "egressSelections": [
  {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": "` + socket + `"}}}}]}`
}

// proxy connects whoever asks for a Service of the cluster to the manager that runs on
// this machine, as kube-proxy would. There is one Service that is asked for.
type proxy struct {
	path   string
	server *http.Server

	mu sync.Mutex
	to string
}

func listen(ctx context.Context, path string) (*proxy, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	p := &proxy{path: path}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// Close ends it.
func (p *proxy) Close() error { return p.server.Close() }

// send says where the manager is; nowhere if that is empty.
func (p *proxy) send(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

func (p *proxy) target() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to
}

// ServeHTTP answers CONNECT.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := p.target()
	if r.Method != http.MethodConnect || to == "" {
		http.Error(w, "nobody serves "+r.Host, http.StatusServiceUnavailable)
		return
	}
	var dialer net.Dialer
	far, err := dialer.DialContext(r.Context(), "tcp", to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer func() { _ = far.Close() }()
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = near.Close() }()
	if _, err := fmt.Fprint(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(far, buffered)
		_ = far.Close()
	}()
	_, _ = io.Copy(near, far)
	_ = near.Close()
	<-done
}
