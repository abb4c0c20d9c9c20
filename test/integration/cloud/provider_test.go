// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	cloudprovider "k8s.io/cloud-provider"
	"k8s.io/cloud-provider/fake"

	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
)

// provider is a cloud that keeps its load balancers in memory, beyond any manager. Of
// upstream's fake cloud, which can't tell Services apart and can't be called by several
// at a time, it is all that is not about load balancers.
type provider struct {
	*fake.Cloud

	mu        sync.Mutex
	balancers map[types.UID]*balancer
	calls     []string
	// running and most count calls that are made at the same time.
	running, most int
	// unfinalized are Services for which it was called before they had the finalizer.
	unfinalized []string

	// readiness has it note which nodes were ready when it was called.
	readiness bool
	// before is asked before a call; an error is the answer. May be nil.
	before func(ctx context.Context, call, service string) error
	// address is that of all load balancers made from now on.
	address string
}

// balancer is a load balancer of the cloud.
type balancer struct {
	ip    string
	nodes string
}

var _ cloudprovider.LoadBalancer = &provider{}

func newProvider() *provider {
	return &provider{Cloud: &fake.Cloud{}, balancers: map[types.UID]*balancer{}, address: "192.0.2.1"}
}

// LoadBalancer is of cloudprovider.Interface.
func (p *provider) LoadBalancer() (cloudprovider.LoadBalancer, bool) { return p, true }

// begin notes a call, which ends with end.
func (p *provider) begin(ctx context.Context, call string, service *corev1.Service) (end func(), err error) {
	name := service.Name
	p.mu.Lock()
	p.calls = append(p.calls, call+" "+name)
	p.running++
	p.most = max(p.most, p.running)
	if call == "ensure" && !hosts.HasFinalizer(service) {
		p.unfinalized = append(p.unfinalized, name)
	}
	before := p.before
	p.mu.Unlock()
	if before != nil {
		err = before(ctx, call, name)
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.running--
	}, err
}

// GetLoadBalancer is of cloudprovider.LoadBalancer.
func (p *provider) GetLoadBalancer(ctx context.Context, _ string, service *corev1.Service) (*corev1.LoadBalancerStatus, bool, error) {
	end, err := p.begin(ctx, "get", service)
	defer end()
	if err != nil {
		return nil, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.balancers[service.UID]
	if held == nil {
		return nil, false, nil
	}
	return held.status(), true, nil
}

// EnsureLoadBalancer is of cloudprovider.LoadBalancer.
func (p *provider) EnsureLoadBalancer(
	ctx context.Context, cluster string, service *corev1.Service, nodes []*corev1.Node,
) (*corev1.LoadBalancerStatus, error) {
	end, err := p.begin(ctx, "ensure", service)
	defer end()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	made := &balancer{ip: p.address, nodes: p.namesOf(nodes)}
	if cluster != "kubernetes" {
		return nil, fmt.Errorf("the cluster is %q", cluster)
	}
	p.balancers[service.UID] = made
	return made.status(), nil
}

// UpdateLoadBalancer is of cloudprovider.LoadBalancer.
func (p *provider) UpdateLoadBalancer(ctx context.Context, _ string, service *corev1.Service, nodes []*corev1.Node) error {
	end, err := p.begin(ctx, "update", service)
	defer end()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.balancers[service.UID].nodes = p.namesOf(nodes)
	return nil
}

// EnsureLoadBalancerDeleted is of cloudprovider.LoadBalancer.
func (p *provider) EnsureLoadBalancerDeleted(ctx context.Context, _ string, service *corev1.Service) error {
	end, err := p.begin(ctx, "delete", service)
	defer end()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.balancers, service.UID)
	return nil
}

func (b *balancer) status() *corev1.LoadBalancerStatus {
	return &corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: b.ip}}}
}

// namesOf says which nodes there are, and with readiness which are ready.
func (p *provider) namesOf(nodes []*corev1.Node) string {
	var names []string
	for _, node := range nodes {
		name := node.Name
		if p.readiness && hosts.Ready(node) {
			name += "+"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// answer has calls asked about before they are made; nil lets all of them succeed.
func (p *provider) answer(before func(call, service string) error) {
	if before == nil {
		p.hang(nil)
		return
	}
	p.hang(func(_ context.Context, call, service string) error { return before(call, service) })
}

// hang is answer with the context of the calls, so that they may take their time.
func (p *provider) hang(before func(ctx context.Context, call, service string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = before
}

// give sets the address of load balancers made from now on.
func (p *provider) give(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.address = address
}

// called returns the calls for a Service, in their order.
func (p *provider) called(service string) func() []string {
	return func() []string {
		p.mu.Lock()
		defer p.mu.Unlock()
		found := []string{}
		for _, line := range p.calls {
			if call, name, _ := strings.Cut(line, " "); name == service {
				found = append(found, call)
			}
		}
		return found
	}
}

// count returns how many load balancers there are, and how many of them lead to the
// nodes.
func (p *provider) count(nodes string) func() (all, lead int) {
	return func() (all, lead int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, of := range p.balancers {
			all++
			if of.nodes == nodes {
				lead++
			}
		}
		return all, lead
	}
}

// leadsTo returns the nodes of all load balancers, each list once.
func (p *provider) leadsTo() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lists []string
	for _, of := range p.balancers {
		if !slices.Contains(lists, of.nodes) {
			lists = append(lists, of.nodes)
		}
	}
	return lists
}

// look returns what was counted, and counts concurrent calls anew.
func (p *provider) look() (most int, unfinalized []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.most = 0 }()
	return p.most, p.unfinalized
}
