// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

const (
	clusterIP    = corev1.ServiceTypeClusterIP
	nodePort     = corev1.ServiceTypeNodePort
	loadBalancer = corev1.ServiceTypeLoadBalancer
	externalName = corev1.ServiceTypeExternalName
	tcp, udp     = corev1.ProtocolTCP, corev1.ProtocolUDP
	v4, v6       = corev1.IPv4Protocol, corev1.IPv6Protocol
	single       = corev1.IPFamilyPolicySingleStack
	prefer       = corev1.IPFamilyPolicyPreferDualStack
	require      = corev1.IPFamilyPolicyRequireDualStack
)

// free returns a Service that no pool serves.
func free(kind corev1.ServiceType, options ...badinput.Option) *corev1.Service {
	return badinput.Make("free", "web", kind, options...)
}

// shop returns a Service that pools serve.
func shop(name string, kind corev1.ServiceType, options ...badinput.Option) *corev1.Service {
	return badinput.Make("shop", name, kind, options...)
}

// outcome is what becomes of a request. The numbers are the lowest free ones.
type outcome struct {
	Patch, Taken, Frees []string
}

func outcomeOf(t *testing.T, cluster *Cluster, r *Request, b book) outcome {
	t.Helper()
	plan, faults := Decide(cluster, r)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	places, faults, err := plan.Fulfil(b.taker(r.Service))
	if len(faults) > 0 || err != nil {
		t.Fatal(faults, err)
	}
	operations := plan.Patch(places)
	patched(t, r.Service, operations)
	return outcome{sketchPatch(operations), text(places), text(plan.Frees)}
}

type planCase struct {
	old, service *corev1.Service
	single       bool
	change       func(*Request)
	want         outcome
}

func runPlans(t *testing.T, tests map[string]planCase) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := ask(test.service, test.old)
			if test.change != nil {
				test.change(r)
			}
			got := outcomeOf(t, newCluster(t, !test.single), r, bookOf(test.old))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What a new Service gets of addresses.
func TestCreateAddresses(t *testing.T) {
	runPlans(t, map[string]planCase{
		"one": {service: free(clusterIP), want: outcome{Patch: []string{"clusterIP=10.96.0.1"}, Taken: []string{"10.96.0.1"}}},
		"one, clusterIPs being empty": {
			service: free(clusterIP, badinput.Plural()), want: outcome{Patch: []string{"clusterIP=10.96.0.1"}, Taken: []string{"10.96.0.1"}},
		},
		"one of a pool":      {service: shop("web", clusterIP), want: outcome{Patch: []string{"clusterIP=10.96.5.0"}, Taken: []string{"10.96.5.0"}}},
		"one that is named":  {service: free(clusterIP, badinput.Singular("10.96.9.1")), want: outcome{Taken: []string{"10.96.9.1"}}},
		"one that is both":   {service: free(clusterIP, badinput.IPs("10.96.9.1")), want: outcome{Taken: []string{"10.96.9.1"}}},
		"the reserved one":   {service: shop("dns", clusterIP), want: outcome{Patch: []string{"clusterIP=10.96.5.53"}, Taken: []string{"10.96.5.53"}}},
		"none, headless":     {service: free(clusterIP, badinput.IPs("None"))},
		"none, ExternalName": {service: free(externalName)},
		"none, the name exists": {
			service: free(nodePort, badinput.Singular("10.97.0.1")), change: func(r *Request) { r.Exists = true },
		},
		"none in a dry run": {service: free(nodePort), change: func(r *Request) { r.DryRun = true }},
		"one that is kept": {
			service: shop("web", clusterIP),
			change: func(r *Request) {
				r.Retained.Addresses = []netip.Addr{netip.MustParseAddr("fd00::507"), netip.MustParseAddr("10.96.5.7")}
			},
			want: outcome{Patch: []string{"clusterIP=10.96.5.7"}, Taken: []string{"10.96.5.7"}},
		},
		"IPv6": {
			service: free(clusterIP, badinput.Families(v6)), want: outcome{Patch: []string{"clusterIP=fd00::1"}, Taken: []string{"fd00::1"}},
		},
		"two": {
			service: free(clusterIP, badinput.Policy(require)),
			want: outcome{
				Patch: []string{"clusterIP=10.96.0.1", "clusterIPs=[10.96.0.1 fd00::1]"}, Taken: []string{"10.96.0.1", "fd00::1"},
			},
		},
		"two, IPv6 first": {
			service: free(clusterIP, badinput.Policy(prefer), badinput.Families(v6)),
			want: outcome{
				Patch: []string{"clusterIP=fd00::1", "clusterIPs=[fd00::1 10.96.0.1]"}, Taken: []string{"fd00::1", "10.96.0.1"},
			},
		},
		"two where there is one": {
			single: true, service: free(clusterIP, badinput.Policy(prefer)),
			want: outcome{Patch: []string{"clusterIP=10.96.0.1"}, Taken: []string{"10.96.0.1"}},
		},
		"two, one named by clusterIP": {
			service: free(clusterIP, badinput.Policy(prefer), badinput.Singular("10.96.9.1")),
			want:    outcome{Patch: []string{"clusterIPs=[10.96.9.1 fd00::1]"}, Taken: []string{"10.96.9.1", "fd00::1"}},
		},
		"two, one named by both": {
			service: free(clusterIP, badinput.Policy(prefer), badinput.IPs("fd00::9")),
			want:    outcome{Patch: []string{"clusterIPs=[fd00::9 10.96.0.1]"}, Taken: []string{"fd00::9", "10.96.0.1"}},
		},
		"two, both named": {
			service: free(clusterIP, badinput.Policy(prefer), badinput.IPs("FD00::9", "10.96.9.1")),
			want:    outcome{Taken: []string{"fd00::9", "10.96.9.1"}},
		},
	})
}

// What a new Service gets of ports.
func TestCreatePorts(t *testing.T) {
	ip := badinput.Singular("10.96.9.1")
	at := func(numbers ...string) []string { return append([]string{"10.96.9.1"}, numbers...) }
	runPlans(t, map[string]planCase{
		"one":               {service: free(nodePort, ip), want: outcome{[]string{"ports/0/nodePort=30000"}, at("30000"), nil}},
		"one that is named": {service: free(nodePort, ip, badinput.HTTP(30080)), want: outcome{nil, at("30080"), nil}},
		"the first and the last one": {
			service: free(nodePort, ip, badinput.HTTP(30000), badinput.Port("https", 443, tcp, 32767)),
			want:    outcome{nil, at("30000", "32767"), nil},
		},
		"those that are named first": {
			service: free(nodePort, ip, badinput.HTTP(0), badinput.Port("https", 443, tcp, 30000)),
			want:    outcome{[]string{"ports/0/nodePort=30001"}, at("30000", "30001"), nil},
		},
		"one for two protocols": {
			service: free(nodePort, ip, badinput.Port("dns", 53, udp, 0), badinput.Port("dns-tcp", 53, tcp, 0)),
			want:    outcome{[]string{"ports/0/nodePort=30000"}, at("30000"), nil},
		},
		"one for two protocols, named by the first": {
			service: free(nodePort, ip, badinput.Port("dns", 53, udp, 30053), badinput.Port("dns-tcp", 53, tcp, 0)),
			want:    outcome{nil, at("30053"), nil},
		},
		"one for two protocols, named by the second": {
			service: free(nodePort, ip, badinput.Port("dns", 53, udp, 0), badinput.Port("dns-tcp", 53, tcp, 30053)),
			want:    outcome{nil, at("30053"), nil},
		},
		"one for two protocols, named by both": {
			service: free(nodePort, ip, badinput.Port("dns", 53, udp, 30053), badinput.Port("dns-tcp", 53, tcp, 30053)),
			want:    outcome{nil, at("30053"), nil},
		},
		"two for two protocols, named": {
			service: free(nodePort, ip, badinput.Port("dns", 53, udp, 30053), badinput.Port("dns-tcp", 53, tcp, 30054)),
			want:    outcome{nil, at("30053", "30054"), nil},
		},
		"none for a ClusterIP":   {service: free(clusterIP, ip), want: outcome{nil, at(), nil}},
		"one for a LoadBalancer": {service: free(loadBalancer, ip), want: outcome{[]string{"ports/0/nodePort=30000"}, at("30000"), nil}},
		"none for a LoadBalancer without": {
			service: free(loadBalancer, ip, badinput.WithoutPorts(), badinput.HTTP(0), badinput.Port("https", 443, tcp, 30443)),
			want:    outcome{nil, at("30443"), nil},
		},
		"none beside the named one of another protocol, for a LoadBalancer without": {
			service: free(loadBalancer, ip, badinput.WithoutPorts(), badinput.Port("a", 53, tcp, 0), badinput.Port("b", 53, udp, 30053)),
			want:    outcome{nil, at("30053"), nil},
		},
		"one for health checks": {
			service: free(loadBalancer, ip, badinput.Local(0)),
			want:    outcome{[]string{"ports/0/nodePort=30000", "healthCheckNodePort=30001"}, at("30000", "30001"), nil},
		},
		"one for health checks, named, before others": {
			service: free(loadBalancer, ip, badinput.Local(30000)),
			want:    outcome{[]string{"ports/0/nodePort=30001"}, at("30000", "30001"), nil},
		},
		"one for health checks alone": {
			service: free(loadBalancer, ip, badinput.Local(0), badinput.WithoutPorts()),
			want:    outcome{[]string{"healthCheckNodePort=30000"}, at("30000"), nil},
		},
		"none for health checks of a NodePort": {
			service: free(nodePort, ip, badinput.HTTP(30080), badinput.Local(0)), want: outcome{nil, at("30080"), nil},
		},
		"the reserved one": {
			service: shop("dns", nodePort, badinput.Singular("10.96.5.1"), badinput.HTTP(0), badinput.Port("dns", 53, udp, 0)),
			want: outcome{
				[]string{"ports/1/nodePort=30503", "ports/0/nodePort=30500"}, []string{"10.96.5.1", "30503", "30500"}, nil,
			},
		},
		"one that is kept for two ports, and reserved for a third": {
			service: shop("dns", nodePort, badinput.Singular("10.96.5.1"), badinput.HTTP(0), badinput.Port("https", 443, tcp, 0),
				badinput.Port("dns", 53, udp, 0)),
			change: func(r *Request) { r.Retained.Ports = map[string][]pool.Port{"http": {30503, 30505}, "https": {30505}} },
			want: outcome{
				[]string{"ports/2/nodePort=30503", "ports/0/nodePort=30505", "ports/1/nodePort=30500"},
				[]string{"10.96.5.1", "30503", "30505", "30500"}, nil,
			},
		},
		"those that are kept, unless it names them": {
			service: shop("web", loadBalancer, badinput.Singular("10.96.5.1"), badinput.HTTP(0), badinput.Port("https", 443, tcp, 30505),
				badinput.Port("admin", 8080, tcp, 0), badinput.Local(0)),
			change: func(r *Request) {
				r.Retained.Ports = map[string][]pool.Port{"http": {30505, 30507}, "admin": {30505}, pool.HealthCheck: {30509}}
			},
			want: outcome{
				[]string{"ports/0/nodePort=30507", "ports/2/nodePort=30500", "healthCheckNodePort=30509"},
				[]string{"10.96.5.1", "30505", "30507", "30500", "30509"}, nil,
			},
		},
	})
}

// What a change of type does, in all twelve directions: each Service has all that
// its type can have, and the change is that of the type alone, as by a patch.
func TestTypeChanges(t *testing.T) {
	health := badinput.Local(30081)
	old := map[corev1.ServiceType]*corev1.Service{
		clusterIP:    free(clusterIP, badinput.IPs("10.96.9.1"), badinput.Families(v4), badinput.Policy(single)),
		nodePort:     free(nodePort, badinput.IPs("10.96.9.1"), badinput.Families(v4), badinput.Policy(single), badinput.HTTP(30080)),
		loadBalancer: free(loadBalancer, badinput.IPs("10.96.9.1"), badinput.Families(v4), badinput.Policy(single), badinput.HTTP(30080), health),
		externalName: free(externalName, badinput.HTTP(0)),
	}
	both := []string{"clusterIP=10.96.0.1", "clusterIPs=[10.96.0.1]"}
	tests := map[[2]corev1.ServiceType]outcome{
		{clusterIP, nodePort}:        {Patch: []string{"ports/0/nodePort=30000"}, Taken: []string{"30000"}},
		{clusterIP, loadBalancer}:    {Patch: []string{"ports/0/nodePort=30000", "healthCheckNodePort=30001"}, Taken: []string{"30000", "30001"}},
		{clusterIP, externalName}:    {Frees: []string{"10.96.9.1"}},
		{nodePort, clusterIP}:        {Frees: []string{"30080"}},
		{nodePort, loadBalancer}:     {Patch: []string{"healthCheckNodePort=30000"}, Taken: []string{"30000"}},
		{nodePort, externalName}:     {Frees: []string{"10.96.9.1", "30080"}},
		{loadBalancer, clusterIP}:    {Frees: []string{"30080", "30081"}},
		{loadBalancer, nodePort}:     {Frees: []string{"30081"}},
		{loadBalancer, externalName}: {Frees: []string{"10.96.9.1", "30080", "30081"}},
		{externalName, clusterIP}:    {Patch: both, Taken: []string{"10.96.0.1"}},
		{externalName, nodePort}:     {Patch: append(both[:2:2], "ports/0/nodePort=30000"), Taken: []string{"10.96.0.1", "30000"}},
		{externalName, loadBalancer}: {
			Patch: append(both[:2:2], "ports/0/nodePort=30000", "healthCheckNodePort=30001"), Taken: []string{"10.96.0.1", "30000", "30001"},
		},
	}
	for types, want := range tests {
		t.Run(string(types[0]+" to "+types[1]), func(t *testing.T) {
			service := old[types[0]].DeepCopy()
			service.Spec.Type = types[1]
			if types[1] == loadBalancer {
				service.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			}
			got := outcomeOf(t, newCluster(t, true), ask(service, old[types[0]]), bookOf(old[types[0]]))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
