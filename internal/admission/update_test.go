// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

// What a Service that exists gets of addresses, and what it keeps.
func TestUpdateAddresses(t *testing.T) {
	one := free(clusterIP, badinput.IPs("10.96.9.1"), badinput.Families(v4), badinput.Policy(single))
	two := free(clusterIP, badinput.IPs("10.96.9.1", "fd00::9"), badinput.Families(v4, v6), badinput.Policy(require))
	ancient := free(clusterIP, badinput.Singular("10.96.9.1"))
	name := free(externalName)
	added := outcome{Patch: []string{"clusterIPs=[10.96.9.1 fd00::1]"}, Taken: []string{"fd00::1"}}
	addedToNothing := outcome{Patch: []string{"clusterIP=10.96.9.1", "clusterIPs=[10.96.9.1 fd00::1]"}, Taken: []string{"fd00::1"}}
	runPlans(t, map[string]planCase{
		"a PUT without addresses keeps one": {old: one, service: free(clusterIP)},
		"a PUT without addresses keeps two": {old: two, service: free(clusterIP)},
		"a patch keeps two":                 {old: two, service: two},
		"headless stays so":                 {old: free(clusterIP, badinput.IPs("None")), service: free(clusterIP)},
		"a second one":                      {old: one, service: free(clusterIP, badinput.Policy(require), badinput.IPs("10.96.9.1")), want: added},
		"a second one, by a PUT":            {old: one, service: free(clusterIP, badinput.Policy(prefer)), want: addedToNothing},
		"a second one, of an ancient Service": {
			old: ancient, service: free(clusterIP, badinput.Policy(prefer)), want: addedToNothing,
		},
		"a second one, named": {
			old: one, service: free(clusterIP, badinput.Policy(require), badinput.IPs("10.96.9.1", "fd00::7")),
			want: outcome{Taken: []string{"fd00::7"}},
		},
		"no second one where there is one": {single: true, old: one, service: free(clusterIP, badinput.Policy(prefer))},
		"one less":                         {old: two, service: free(clusterIP, badinput.Policy(single)), want: outcome{Frees: []string{"fd00::9"}}},
		"one less, by a patch": {
			old: two, service: free(clusterIP, badinput.Policy(single), badinput.IPs("10.96.9.1", "fd00::9"), badinput.Families(v4, v6)),
			want: outcome{Frees: []string{"fd00::9"}},
		},
		"an ancient Service gives up the one that it has": {old: ancient, service: free(externalName), want: outcome{Frees: []string{"10.96.9.1"}}},
		"an ExternalName gets the one that it names": {
			old: name, service: free(clusterIP, badinput.Singular("10.96.9.1")), want: outcome{Taken: []string{"10.96.9.1"}},
		},
		"an ExternalName gets a second one to that": {
			old: name, service: free(clusterIP, badinput.Singular("10.96.9.1"), badinput.Policy(prefer)),
			want: outcome{Patch: []string{"clusterIPs=[10.96.9.1 fd00::1]"}, Taken: []string{"10.96.9.1", "fd00::1"}},
		},
		"what is given up may be unreadable": {
			old:     free(clusterIP, badinput.IPs("nowhere", "fd00::9%eth0"), badinput.Families(v4, v6), badinput.Policy(require)),
			service: free(externalName),
		},
		"what is given up may be unreadable in part": {
			old:     free(clusterIP, badinput.IPs("nowhere", "fd00::9"), badinput.Families(v4, v6), badinput.Policy(require)),
			service: free(externalName), want: outcome{Frees: []string{"fd00::9"}},
		},
		"what is given up may be written in an old way": {
			old: free(clusterIP, badinput.IPs("::ffff:10.96.9.1"), badinput.Families(v4), badinput.Policy(single)), service: free(externalName),
			want: outcome{Frees: []string{"10.96.9.1"}},
		},
		"what an existing Service has is not judged": {
			old:     badinput.Make("free", "web", nodePort, badinput.IPs("10.96.6.1"), badinput.Families(v4), badinput.Policy(single), badinput.HTTP(80)),
			service: badinput.Make("free", "web", nodePort, badinput.HTTP(80)),
		},
	})
}

// What a Service that exists gets of ports, and what it keeps.
func TestUpdatePorts(t *testing.T) {
	https := func(number int32) badinput.Option { return badinput.Port("https", 443, tcp, number) }
	of := func(kind corev1.ServiceType, options ...badinput.Option) *corev1.Service {
		return free(kind, append(options, badinput.IPs("10.96.9.1"), badinput.Families(v4), badinput.Policy(single))...)
	}
	old := of(nodePort, badinput.HTTP(30080), https(30443))
	balanced := of(loadBalancer, badinput.HTTP(30080), badinput.Local(30081))
	runPlans(t, map[string]planCase{
		"a PUT without ports keeps them": {old: old, service: free(nodePort, badinput.HTTP(0), https(0))},
		"in another order":               {old: old, service: free(nodePort, https(0), badinput.HTTP(0))},
		"of which one is named":          {old: old, service: free(nodePort, badinput.HTTP(30080), https(0))},
		"changed in all but their names": {old: old, service: free(nodePort, badinput.Port("http", 81, udp, 0), https(0))},
		"exchanged":                      {old: old, service: free(nodePort, badinput.HTTP(30443), https(30080))},
		"of which one is another's by now": {
			old: old, service: free(nodePort, badinput.HTTP(30443), https(0)),
			want: outcome{[]string{"ports/1/nodePort=30000"}, []string{"30000"}, []string{"30080"}},
		},
		"one more": {
			old: old, service: free(nodePort, badinput.HTTP(0), https(0), badinput.Port("admin", 8080, tcp, 0)),
			want: outcome{[]string{"ports/2/nodePort=30000"}, []string{"30000"}, nil},
		},
		"one more, named, before one that is not": {
			old: old, service: free(nodePort, badinput.HTTP(0), https(0), badinput.Port("a", 1, tcp, 0), badinput.Port("b", 2, tcp, 30000)),
			want: outcome{[]string{"ports/2/nodePort=30001"}, []string{"30000", "30001"}, nil},
		},
		"one less": {old: old, service: free(nodePort, https(0)), want: outcome{nil, nil, []string{"30080"}}},
		"another number": {
			old: old, service: free(nodePort, badinput.HTTP(30090), https(0)), want: outcome{nil, []string{"30090"}, []string{"30080"}},
		},
		"two protocols do not share unless they say so": {
			old: old, service: free(nodePort, badinput.HTTP(0), https(0), badinput.Port("a", 53, tcp, 0), badinput.Port("b", 53, udp, 0)),
			want: outcome{[]string{"ports/2/nodePort=30000", "ports/3/nodePort=30001"}, []string{"30000", "30001"}, nil},
		},
		"two protocols share what they name": {
			old: old, service: free(nodePort, badinput.HTTP(30080), https(30443), badinput.Port("a", 53, tcp, 30053), badinput.Port("b", 54, udp, 30053)),
			want: outcome{nil, []string{"30053"}, nil},
		},
		"ports of one name": {
			old: old, service: free(nodePort, badinput.Port("a", 1, tcp, 0), badinput.Port("a", 2, tcp, 0)),
			want: outcome{[]string{"ports/0/nodePort=30000", "ports/1/nodePort=30001"}, []string{"30000", "30001"}, []string{"30080", "30443"}},
		},
		"a LoadBalancer keeps all":           {old: balanced, service: free(loadBalancer, badinput.HTTP(0), badinput.Local(0))},
		"a LoadBalancer keeps what it sends": {old: balanced, service: of(loadBalancer, badinput.HTTP(30080), badinput.Local(30081), badinput.WithoutPorts())},
		"a LoadBalancer without loses what it does not send": {
			old: balanced, service: free(loadBalancer, badinput.HTTP(0), badinput.Local(0), badinput.WithoutPorts()),
			want: outcome{nil, nil, []string{"30080"}},
		},
		"a LoadBalancer loses the health check": {
			old: balanced, service: of(loadBalancer, badinput.HTTP(30080), badinput.Health(30081)), want: outcome{nil, nil, []string{"30081"}},
		},
		"a LoadBalancer gets a health check, named": {
			old: of(loadBalancer, badinput.HTTP(30080)), service: of(loadBalancer, badinput.HTTP(30080), badinput.Local(30082)),
			want: outcome{nil, []string{"30082"}, nil},
		},
		"a ClusterIP with what it had as a NodePort": {
			old: old, service: free(clusterIP, badinput.HTTP(30443), https(0)), want: outcome{nil, nil, []string{"30080", "30443"}},
		},
		"an ExternalName keeps what nobody gave to it": {old: free(externalName, badinput.HTTP(30080)), service: free(externalName, badinput.HTTP(30080))},
		"what nobody gave to an ExternalName is taken": {
			old: free(externalName, badinput.HTTP(30080)), service: free(nodePort, badinput.HTTP(30080), badinput.Singular("10.96.9.1")),
			want: outcome{nil, []string{"10.96.9.1", "30080"}, nil},
		},
		"numbers that are none are not given up": {
			old: of(nodePort, badinput.HTTP(-1), https(65536)), service: free(nodePort, badinput.HTTP(30080), https(30443)),
			want: outcome{nil, []string{"30080", "30443"}, nil},
		},
		"the first and the last port there are can be given up": {
			old: of(nodePort, badinput.HTTP(1), https(65535)), service: free(nodePort, badinput.HTTP(30080), https(30443)),
			want: outcome{nil, []string{"30080", "30443"}, []string{"1", "65535"}},
		},
		"a reserved one that another port gives up": {
			old:     badinput.Make("shop", "dns", nodePort, badinput.IPs("10.96.5.1"), badinput.Families(v4), badinput.Policy(single), badinput.HTTP(30503)),
			service: badinput.Make("shop", "dns", nodePort, badinput.Port("dns", 80, tcp, 0)),
			want:    outcome{[]string{"ports/0/nodePort=30503"}, []string{"30503"}, nil},
		},
		"retained ones that it has are none": {
			old: balanced, service: free(loadBalancer, badinput.HTTP(0), badinput.Port("admin", 8080, tcp, 0), badinput.Local(0)),
			change: func(r *Request) { r.Retained.Ports = map[string][]pool.Port{"admin": {30080, 30081, 30099}} },
			want:   outcome{[]string{"ports/1/nodePort=30099"}, []string{"30099"}, nil},
		},
	})
}

// A reserved port that the Service has for something else, and keeps, can't be had.
func TestReservedPortInUse(t *testing.T) {
	dns := badinput.Port("dns", 53, udp, 0)
	of := func(options ...badinput.Option) *corev1.Service {
		return shop("dns", loadBalancer, append(options, badinput.IPs("10.96.5.1"), badinput.Families(v4), badinput.Policy(single))...)
	}
	for name, test := range map[string]struct{ old, service *corev1.Service }{
		"for another port":   {of(badinput.HTTP(30503)), of(badinput.HTTP(30503), dns)},
		"for a health check": {of(badinput.HTTP(30501), badinput.Local(30503)), of(badinput.HTTP(30501), dns, badinput.Local(30503))},
	} {
		_, faults := Decide(newCluster(t, true), ask(test.service, test.old))
		if len(faults) != 1 || faults[0].Field != "spec.ports[1].nodePort" {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

// Each number that a Service needs has a slot of its own, by which the ledger tells
// them apart and gives a kept port back.
func TestSlots(t *testing.T) {
	service := free(loadBalancer, badinput.Policy(prefer), badinput.HTTP(0), badinput.Port("http", 81, tcp, 0),
		badinput.Port("", 82, tcp, 0), badinput.Local(0))
	plan, faults := Decide(newCluster(t, true), ask(service, nil))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var got []string
	for i := range plan.Takes {
		got = append(got, string(plan.Takes[i].Family)+" "+plan.Takes[i].Path.String()+" "+plan.Takes[i].Slot)
	}
	want := []string{
		"ClusterIPv4 spec.clusterIPs ", "ClusterIPv6 spec.clusterIPs ",
		"NodePort spec.ports[0].nodePort http", "NodePort spec.ports[1].nodePort http/1", "NodePort spec.ports[2].nodePort ",
		"NodePort spec.healthCheckNodePort " + pool.HealthCheck,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A Service that all hooks have seen is judged once more. What the server made up
// in a dry run is not.
func TestFinalService(t *testing.T) {
	cluster := newCluster(t, true)
	service := badinput.Make("free", "web", nodePort, badinput.IPs("10.96.6.0"), badinput.HTTP(32769))
	r := ask(service, nil)
	r.Final = true
	if _, faults := Decide(cluster, r); len(faults) != 2 {
		t.Errorf("numbers of others and of nobody: %v", faults)
	}
	r.DryRun = true
	service.Spec.ExternalIPs = []string{"nowhere"}
	if _, faults := Decide(cluster, r); len(faults) != 1 || faults[0].Field != "spec.externalIPs[0]" {
		t.Errorf("made up: %v", faults)
	}
	r.Final = false
	if _, faults := Decide(cluster, r); len(faults) != 3 {
		t.Errorf("asked for in a dry run: %v", faults)
	}
}
