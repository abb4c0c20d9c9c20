// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package replicas

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/hack/controlplane"
)

// balancer passes connections on to managers that are ready, one after the other, as
// the proxy of a node does for a Service: it learns a little late which ones are.
type balancer struct {
	listener net.Listener

	mu       sync.Mutex
	managers []*controlplane.Manager
	ready    []*controlplane.Manager
	// alone gets all connections, if it is set.
	alone *controlplane.Manager
	open  map[net.Conn]bool
	count map[*controlplane.Manager]int
	turn  int
}

// startBalancer starts one that ends with the spec.
func startBalancer(ctx context.Context, managers ...*controlplane.Manager) *balancer {
	GinkgoHelper()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	b := &balancer{listener: listener, managers: managers, ready: managers, open: map[net.Conn]bool{}, count: map[*controlplane.Manager]int{}}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	DeferCleanup(func() error {
		end()
		return listener.Close()
	})
	go b.watch(life)
	go b.accept()
	return b
}

func (b *balancer) url() string { return "https://" + b.listener.Addr().String() }

// served returns how many connections a manager has got.
func (b *balancer) served(manager *controlplane.Manager) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count[manager]
}

// add adds a manager, in the place of one that ended.
func (b *balancer) add(manager *controlplane.Manager) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.managers = append(b.managers, manager)
}

// watch asks the managers whether they are ready.
func (b *balancer) watch(ctx context.Context) {
	const period = 500 * time.Millisecond
	ticks := time.NewTicker(period)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		var now []*controlplane.Manager
		b.mu.Lock()
		managers := b.managers
		b.mu.Unlock()
		for _, manager := range managers {
			if ready(ctx, manager) {
				now = append(now, manager)
			}
		}
		b.mu.Lock()
		b.ready = now
		b.mu.Unlock()
	}
}

func (b *balancer) accept() {
	for {
		connection, err := b.listener.Accept()
		if err != nil {
			return
		}
		go b.pass(connection)
	}
}

// only has one manager get all connections from now on, all of them again if it is nil.
func (b *balancer) only(manager *controlplane.Manager) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.alone = manager
	for client := range b.open {
		_ = client.Close()
	}
}

// dial connects to the manager whose turn it is, or, as somebody who finds nobody there,
// to the next one.
func (b *balancer) dial() (net.Conn, error) {
	b.mu.Lock()
	candidates := slices.Clone(b.ready)
	b.turn++
	turn := b.turn
	if b.alone != nil {
		candidates = []*controlplane.Manager{b.alone}
	}
	b.mu.Unlock()
	err := errors.New("no manager is ready")
	for i := range candidates {
		manager := candidates[(turn+i)%len(candidates)]
		var server net.Conn
		if server, err = (&net.Dialer{}).Dial("tcp", strings.TrimPrefix(manager.WebhookURL, "https://")); err == nil {
			b.mu.Lock()
			b.count[manager]++
			b.mu.Unlock()
			return server, nil
		}
	}
	return nil, err
}

// pass connects a client to a manager until either has had enough.
func (b *balancer) pass(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := b.dial()
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	b.note(client, true)
	defer b.note(client, false)
	done := make(chan struct{}, 2)
	for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(ends[0], ends[1])
			done <- struct{}{}
		}()
	}
	<-done
}

func (b *balancer) note(client net.Conn, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if open {
		b.open[client] = true
	} else {
		delete(b.open, client)
	}
}

// ready tells whether a manager says that it is ready.
func ready(ctx context.Context, manager *controlplane.Manager) bool {
	return controlplane.HTTPReady(http.DefaultClient, manager.HealthURL+"/readyz")(ctx) == nil
}
