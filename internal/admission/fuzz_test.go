// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

// program makes Services of bytes.
type program struct{ bytes []byte }

func (p *program) next() int {
	if len(p.bytes) == 0 {
		return 0
	}
	b := p.bytes[0]
	p.bytes = p.bytes[1:]
	return int(b)
}

func pick[T any](p *program, from ...T) T { return from[p.next()%len(from)] }

// rarely is true for few bytes.
func (p *program) rarely() bool { return p.next()%16 == 15 }

// often is true for half of the bytes.
func (p *program) often() bool { return p.next()%2 == 1 }

func (p *program) address() string {
	if p.rarely() {
		return pick(p, "", "None", "10.97.0.1", "FD00::9", "::ffff:1.2.3.4", string(p.bytes[:len(p.bytes)/2]))
	}
	return pick(p, "10.96.9.1", "10.96.5.1", "fd00::9", "fd00::501", "10.96.7.1", "10.96.8.8")
}

// service makes a Service, most often a sound one.
func (p *program) service(namespace, name string) *corev1.Service {
	s := badinput.Make(namespace, name, pick(p, clusterIP, nodePort, loadBalancer, externalName))
	s.Spec.Ports = nil
	for range p.next() % 5 {
		p.addPort(s)
	}
	if s.Spec.Type == loadBalancer {
		s.Spec.AllocateLoadBalancerNodePorts = pick(p, nil, new(true), new(false))
	}
	if s.Spec.Type != externalName || p.rarely() {
		p.setAddresses(s)
	}
	p.setHealth(s)
	if p.rarely() {
		s.Spec.ExternalIPs = pick(p, []string{"192.0.2.1"}, []string{"x"})
		s.Spec.LoadBalancerSourceRanges = pick(p, nil, []string{"10.0.0.0/8"}, []string{"x"})
	}
	return s
}

func (p *program) addPort(s *corev1.Service) {
	number := int32(0)
	if (s.Spec.Type == nodePort || s.Spec.Type == loadBalancer) && p.often() || p.rarely() {
		number = pick(p, int32(30000), 30001, 30080, 30081, 30503, 30501, 30502)
	}
	if p.rarely() {
		number = pick(p, int32(30600), -1, 70000)
	}
	badinput.Port(pick(p, "http", "https", "dns", "admin", ""), pick(p, int32(53), 80, 443), pick(p, tcp, udp), number)(s)
}

func (p *program) setAddresses(s *corev1.Service) {
	s.Spec.IPFamilyPolicy = pick(p, nil, nil, new(single), new(prefer), new(require))
	if p.rarely() {
		s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicy("x"))
	}
	if p.rarely() {
		s.Spec.IPFamilies = pick(p, []corev1.IPFamily{v4}, []corev1.IPFamily{v6}, []corev1.IPFamily{v6, v4}, []corev1.IPFamily{"x"})
	}
	s.Spec.ClusterIP = pick(p, "", "", "", p.address())
	if p.rarely() {
		s.Spec.ClusterIP = "None"
	}
	if s.Spec.ClusterIP != "" && p.often() {
		s.Spec.ClusterIPs = []string{s.Spec.ClusterIP}
	}
	if p.rarely() {
		s.Spec.ClusterIPs = append(s.Spec.ClusterIPs, p.address())
	}
}

func (p *program) setHealth(s *corev1.Service) {
	if s.Spec.Type != externalName && s.Spec.Type != clusterIP {
		s.Spec.ExternalTrafficPolicy = pick(p, corev1.ServiceExternalTrafficPolicyLocal, corev1.ServiceExternalTrafficPolicyCluster)
	}
	if checksHealth(&s.Spec) && p.often() || p.rarely() {
		s.Spec.HealthCheckNodePort = pick(p, int32(30000), 30001, 30080, 30508, -1)
	}
}

// change returns what a stored Service is to become.
func (p *program) change(old *corev1.Service) *corev1.Service {
	if p.rarely() {
		return p.service(old.Namespace, old.Name)
	}
	s := old.DeepCopy()
	if p.often() {
		s.Spec.Type = pick(p, clusterIP, nodePort, loadBalancer, externalName)
	}
	if p.often() { // a PUT without what the server gave
		s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.IPFamilies, s.Spec.HealthCheckNodePort = "", nil, nil, 0
		for i := range s.Spec.Ports {
			s.Spec.Ports[i].NodePort = 0
		}
	}
	if p.often() {
		s.Spec.IPFamilyPolicy = pick(p, nil, new(single), new(prefer), new(require))
	}
	if len(s.Spec.ClusterIPs) > 0 && p.rarely() {
		s.Spec.ClusterIPs = append(s.Spec.ClusterIPs[:1:1], p.address())
	}
	if len(s.Spec.Ports) > 0 && p.often() {
		i := p.next() % len(s.Spec.Ports)
		s.Spec.Ports[i].NodePort = pick(p, int32(0), 30080, 30500, 30090)
		s.Spec.Ports[i].Name = pick(p, "http", "https", "dns", "admin", "")
	}
	if len(s.Spec.Ports) > 1 && p.often() {
		s.Spec.Ports = slices.Delete(s.Spec.Ports, 0, 1)
	}
	if p.often() {
		p.addPort(s)
	}
	if p.often() {
		p.setHealth(s)
	}
	return s
}

// request makes a request, and tells whether its old Service is one that the server
// completed.
func (p *program) request(t *testing.T, cluster *Cluster) (*Request, bool) {
	t.Helper()
	namespace, name := pick(p, badinput.Namespaces()...), pick(p, "web", "dns")
	r := ask(p.service(namespace, name), nil)
	sound := true
	if p.next()%2 == 0 {
		r.Old = r.Service
		if made := stored(t, cluster, r.Old); made != nil {
			r.Old = made
		} else {
			sound = false
		}
		r.Service = p.change(r.Old)
	}
	r.Retained.Addresses = []netip.Addr{netip.MustParseAddr("10.96.5.7"), netip.MustParseAddr("fd00::507")}
	r.Retained.Ports = map[string][]pool.Port{"http": {30501, 30502}, "dns": {30502, 30503}, pool.HealthCheck: {30502}}
	return r, sound
}

// stored returns a Service as it is stored once it is created; nil if it is refused.
func stored(t *testing.T, cluster *Cluster, service *corev1.Service) *corev1.Service {
	t.Helper()
	plan, faults := Decide(cluster, ask(service, nil))
	if len(faults) > 0 {
		return nil
	}
	places, faults, _ := plan.Fulfil(book{}.taker(service))
	if len(faults) > 0 {
		return nil
	}
	var v server
	result, err := v.admit(cluster.Families, patched(t, service, plan.Patch(places)), nil)
	if err != nil || v.chose > 0 {
		t.Fatalf("the server refuses what was admitted, or chooses %d numbers: %v", v.chose, err)
	}
	return result
}

// check demands what holds for all requests.
func check(t *testing.T, cluster *Cluster, r *Request, sound bool) {
	t.Helper()
	before := r.Service.DeepCopy()
	plan, faults := Decide(cluster, r)
	if diff := cmp.Diff(before, r.Service); diff != "" {
		t.Fatalf("the Service was changed: %s", diff)
	}
	if len(faults) > 0 {
		return
	}
	places, faults, err := plan.Fulfil(bookOf(r.Old).taker(r.Service))
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) > 0 {
		return
	}
	for i, place := range places {
		if slices.Contains(places[:i], place) {
			t.Fatalf("%s is taken twice", place)
		}
		if slices.Contains(plan.Frees, place) {
			t.Fatalf("%s is taken and given up", place)
		}
	}
	if sound {
		checkAfter(t, cluster, r, plan, places)
	}
}

// checkAfter demands what holds for what was admitted, of a Service that is new or
// was stored by the server.
func checkAfter(t *testing.T, cluster *Cluster, r *Request, plan *Plan, places []ledger.Place) {
	t.Helper()
	old := r.Old
	if old == nil {
		old = &corev1.Service{}
	}
	// Seen again, as by a reinvocation, the Service names what it was given, and
	// nothing is to be changed.
	again := *r
	again.Service = patched(t, r.Service, plan.Patch(places))
	second, faults := Decide(cluster, &again)
	if len(faults) > 0 {
		t.Fatalf("refused the second time: %v\n%+v", faults, again.Service.Spec)
	}
	repeated, faults, err := second.Fulfil(bookOf(old).taker(r.Service))
	if err != nil || len(faults) > 0 {
		t.Fatal(faults, err)
	}
	if operations := second.Patch(repeated); len(operations) > 0 {
		t.Fatalf("patched twice: %v", operations)
	}
	var v server
	result, err := v.admit(cluster.Families, again.Service, r.Old)
	if err != nil || v.chose > 0 {
		t.Fatalf("the server chose %d numbers, %v:\n%+v", v.chose, err, again.Service.Spec)
	}
	has := numbers(result)
	for _, place := range places {
		if !slices.Contains(has, place) {
			t.Fatalf("%s was taken in vain", place)
		}
	}
	for _, place := range plan.Frees {
		if slices.Contains(has, place) {
			t.Fatalf("%s is not given up", place)
		}
	}
	for _, place := range numbers(old) {
		if !slices.Contains(has, place) && !slices.Contains(plan.Frees, place) {
			t.Fatalf("%s is given up without a word", place)
		}
	}
}

// FuzzDecide plans for any Service, and any change of one.
func FuzzDecide(f *testing.F) {
	for seed := range 2000 {
		raw := make([]byte, 100)
		_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(raw)
		f.Add(raw)
	}
	cluster := newCluster(f, true)
	one := newCluster(f, false)
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := &program{bytes: raw}
		in := pick(p, cluster, cluster, one)
		r, sound := p.request(t, in)
		check(t, in, r, sound)
		r.DryRun = true
		if plan, _ := Decide(in, r); len(plan.Takes)+len(plan.Frees) > 0 {
			t.Fatal("a dry run takes numbers")
		}
		r.Final = true
		Decide(in, r)
	})
}
