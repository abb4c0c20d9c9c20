// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"io"
	"net"
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
	count    map[*controlplane.Manager]int
	turn     int
}

// startBalancer starts one that ends with the spec.
func startBalancer(ctx context.Context, managers ...*controlplane.Manager) *balancer {
	GinkgoHelper()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	b := &balancer{listener: listener, managers: managers, ready: managers, count: map[*controlplane.Manager]int{}}
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
		for _, manager := range b.managers {
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

// pass connects a client to a manager until either has had enough.
func (b *balancer) pass(client net.Conn) {
	defer func() { _ = client.Close() }()
	b.mu.Lock()
	if len(b.ready) == 0 {
		b.mu.Unlock()
		return
	}
	b.turn++
	manager := b.ready[b.turn%len(b.ready)]
	b.count[manager]++
	b.mu.Unlock()
	server, err := (&net.Dialer{}).Dial("tcp", strings.TrimPrefix(manager.WebhookURL, "https://"))
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	done := make(chan struct{}, 2)
	for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(ends[0], ends[1])
			done <- struct{}{}
		}()
	}
	<-done
}
