// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
)

// cloudNodes are the nodes that load balancers lead to. The set is made anew when it is
// asked for after a node has changed: once, however many Services are to be told of it.
type cloudNodes struct {
	reader client.Reader
	policy hosts.Policy

	mu    sync.Mutex
	fresh bool
	set   hosts.Set
}

// current returns the nodes as the cache has them now.
func (n *cloudNodes) current(ctx context.Context) (hosts.Set, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fresh {
		return n.set, nil
	}
	var all corev1.NodeList
	if err := n.reader.List(ctx, &all); err != nil {
		return hosts.Set{}, fmt.Errorf("listing nodes: %w", err)
	}
	n.set, n.fresh = n.policy.Of(pointers(all.Items)), true
	return n.set, nil
}

// changed tells that a node, which the cache has already, is another.
func (n *cloudNodes) changed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fresh = false
}

// cloudRecords are what is known of Services for which the provider was called. A record
// itself belongs to the one worker that works on its Service.
type cloudRecords struct {
	mu      sync.Mutex
	records map[types.NamespacedName]*hosts.Record
	// failing are those that are tried again after a time of their own.
	failing map[types.NamespacedName]bool
}

func newCloudRecords() *cloudRecords {
	return &cloudRecords{records: map[types.NamespacedName]*hosts.Record{}, failing: map[types.NamespacedName]bool{}}
}

// get returns what is known of a Service, nil if that is nothing.
func (c *cloudRecords) get(name types.NamespacedName) *hosts.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.records[name]
}

// add begins a record. The provider has not been called yet.
func (c *cloudRecords) add(name types.NamespacedName, service *corev1.Service) *hosts.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	record := &hosts.Record{Service: service}
	c.records[name] = record
	return record
}

// forget ends it.
func (c *cloudRecords) forget(name types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.records, name)
}

// ended notes how the work on a Service ended.
func (c *cloudRecords) ended(name types.NamespacedName, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.records[name] != nil && err != nil && !isStale(err) {
		c.failing[name] = true
	} else {
		delete(c.failing, name)
	}
}

// affected returns the Services that a change of nodes is news to. One that fails is not
// among them: when its time comes it gets the nodes of then.
func (c *cloudRecords) affected() []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []types.NamespacedName
	for name := range c.records {
		if !c.failing[name] {
			names = append(names, name)
		}
	}
	return names
}
