// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

// noon is the time of all tests.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// cidrs are the ServiceCIDRs of a cluster.
func cidrs(dualStack bool) []pool.ServiceCIDR {
	list := []pool.ServiceCIDR{{Prefix: netip.MustParsePrefix("10.96.0.0/16"), Ready: true}}
	if dualStack {
		list = append(list, pool.ServiceCIDR{Prefix: netip.MustParsePrefix("fd00::/112"), Ready: true})
	}
	return list
}

func clusterPorts(tb testing.TB) allocator.PortSpan {
	tb.Helper()
	span, err := allocator.Ports(30000, 32767)
	if err != nil {
		tb.Fatal(err)
	}
	return span
}

// newCluster returns a cluster with the pools of the table of bad input.
func newCluster(tb testing.TB, dualStack bool) *Cluster {
	tb.Helper()
	var addresses []*pool.ClusterIPPool
	for _, p := range badinput.ClusterIPPools() {
		addresses = append(addresses, pool.CompileClusterIPPool(p))
	}
	var ports []*pool.NodePortPool
	for _, p := range badinput.NodePortPools() {
		ports = append(ports, pool.CompileNodePortPool(p))
	}
	var balancers []*pool.LoadBalancerPool
	for _, p := range badinput.LoadBalancerPools() {
		balancers = append(balancers, pool.CompileLoadBalancerPool(p))
	}
	return &Cluster{
		Families:   pool.Cluster{Primary: corev1.IPv4Protocol, DualStack: dualStack},
		ClusterIPs: pool.NewClusterIPs(addresses, cidrs(dualStack), noon(), nil),
		NodePorts:  pool.NewNodePorts(ports, clusterPorts(tb), nil),
		Balancing:  Balancing{Pools: pool.NewLoadBalancers(balancers, nil, nil), Class: servicenetv1alpha1.LoadBalancerClass},
	}
}

// ask returns a request for a Service.
func ask(service, old *corev1.Service) *Request {
	return &Request{Service: service, Old: old, NamespaceLabels: badinput.NamespaceLabels(service.Namespace)}
}

// book is a ledger: which numbers are taken, and by whom.
type book map[ledger.Place]string

// bookOf returns the ledger of Services that exist.
func bookOf(services ...*corev1.Service) book {
	b := book{}
	for _, s := range services {
		if s == nil {
			continue
		}
		for _, place := range numbers(s) {
			b[place] = s.Namespace + "/" + s.Name
		}
	}
	return b
}

// numbers returns all numbers of a Service.
func numbers(s *corev1.Service) []ledger.Place {
	places := appendAddresses(nil, s.Spec.ClusterIPs)
	for i := range s.Spec.Ports {
		places = appendPort(places, s.Spec.Ports[i].NodePort)
	}
	return appendPort(places, s.Spec.HealthCheckNodePort)
}

// taker returns what takes numbers for a Service.
func (b book) taker(s *corev1.Service) func(*Take, *Candidate) (ledger.Place, error) {
	me := s.Namespace + "/" + s.Name
	return func(take *Take, candidate *Candidate) (ledger.Place, error) {
		place := candidate.Place
		if candidate.Source == pool.Automatic {
			free, found := b.free(take.Family, candidate.Range)
			if !found {
				return ledger.Place{}, &ledger.FullError{}
			}
			place = free
		}
		if holder, taken := b[place]; taken && holder != me {
			return ledger.Place{}, fmt.Errorf("wrapped: %w", &ledger.TakenError{Place: place, By: ledger.ByService})
		}
		b[place] = me
		return place, nil
	}
}

// free returns the first free number of a range.
func (b book) free(family servicenetv1alpha1.NumberFamily, of *allocator.Range) (ledger.Place, bool) {
	first := map[servicenetv1alpha1.NumberFamily]ledger.Place{
		servicenetv1alpha1.ClusterIPv4: ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr("10.96.0.0")),
		servicenetv1alpha1.ClusterIPv6: ledger.Address(servicenetv1alpha1.ClusterIPv6, netip.MustParseAddr("fd00::")),
		servicenetv1alpha1.NodePort:    ledger.Port(28672),
	}[family]
	if family == servicenetv1alpha1.NodePort {
		for port := 30000; port <= 32767; port++ {
			if p := ledger.Port(port); b.chooses(of, p) {
				return p, true
			}
		}
		return ledger.Place{}, false
	}
	address := first.Address()
	for range 65536 {
		if p := ledger.Address(family, address); b.chooses(of, p) {
			return p, true
		}
		address = address.Next()
	}
	return ledger.Place{}, false
}

func (b book) chooses(of *allocator.Range, p ledger.Place) bool {
	class := of.ClassOf(p.Block, p.Number)
	_, taken := b[p]
	return !taken && (class == allocator.Static || class == allocator.Dynamic)
}

// patched returns a Service after a patch, which must fit.
func patched(tb testing.TB, s *corev1.Service, operations []Operation) *corev1.Service {
	tb.Helper()
	var document map[string]any
	roundTrip(tb, s, &document)
	for _, operation := range operations {
		var decoded struct {
			Op, Path string
			Value    any
		}
		roundTrip(tb, operation, &decoded)
		if decoded.Op != "add" {
			tb.Fatalf("operation %q", decoded.Op)
		}
		var at any = document
		steps := strings.Split(decoded.Path, "/")[1:]
		for _, step := range steps[:len(steps)-1] {
			switch within := at.(type) {
			case map[string]any:
				at = within[step]
			case []any:
				i, err := strconv.Atoi(step)
				if err != nil || i >= len(within) {
					tb.Fatalf("%s is nowhere", decoded.Path)
				}
				at = within[i]
			}
		}
		member, ok := at.(map[string]any)
		if !ok {
			tb.Fatalf("%s is nowhere", decoded.Path)
		}
		member[steps[len(steps)-1]] = decoded.Value
	}
	var result corev1.Service
	roundTrip(tb, document, &result)
	return &result
}

func roundTrip(tb testing.TB, from, to any) {
	tb.Helper()
	raw, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(raw, to)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// sketchPatch returns a patch as lines.
func sketchPatch(operations []Operation) []string {
	var lines []string
	for _, o := range operations {
		lines = append(lines, fmt.Sprintf("%s=%v", strings.TrimPrefix(o.Path, "/spec/"), o.Value))
	}
	return lines
}

// text returns places as text.
func text(places []ledger.Place) []string {
	var lines []string
	for _, p := range places {
		lines = append(lines, p.String())
	}
	return lines
}
