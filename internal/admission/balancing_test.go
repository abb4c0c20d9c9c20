// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// balancing has a pool for all, and one that is the namespace depot's alone.
func balancing() Balancing {
	compile := func(name, addresses string, policy servicenetv1alpha1.PoolPolicy) *pool.LoadBalancerPool {
		p := &balancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
		p.Spec.Addresses, p.Spec.PoolPolicy = strings.Fields(addresses), policy
		return pool.CompileLoadBalancerPool(p)
	}
	return Balancing{Class: servicenetv1alpha1.LoadBalancerClass, Pools: pool.NewLoadBalancers([]*pool.LoadBalancerPool{
		compile("all", "192.0.2.0/24 2001:db8::/64", servicenetv1alpha1.PoolPolicy{}),
		compile("depot", "192.0.2.128/25", badPolicy("depot")),
		compile("secret", "198.51.100.0/24", badPolicy("depot")),
	}, nil, nil)}
}

// balanced returns the Service web of the namespace shop, of type LoadBalancer and the
// class of ours. Its fields are those that an API server leaves to a webhook: none of
// numbers.
func balanced(change ...func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Annotations: map[string]string{}, Labels: map[string]string{}},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: new(servicenetv1alpha1.LoadBalancerClass),
			Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}},
		},
	}
	for _, f := range change {
		f(s)
	}
	return s
}

func annotated(key, value string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Annotations[key] = value }
}

func wanting(list string) func(*corev1.Service) {
	return annotated(servicenetv1alpha1.LoadBalancerIPsAnnotation, list)
}

func wantingOne(address string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.LoadBalancerIP = address }
}

func fromPool(name string) func(*corev1.Service) {
	return annotated(servicenetv1alpha1.LoadBalancerPoolKey, name)
}

func labelled(name string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Labels[servicenetv1alpha1.LoadBalancerPoolKey] = name }
}

func classless(s *corev1.Service)      { s.Spec.LoadBalancerClass = nil }
func ofAnotherClass(s *corev1.Service) { s.Spec.LoadBalancerClass = new("example.com/cloud") }
func onePort(s *corev1.Service)        { s.Spec.Type = corev1.ServiceTypeClusterIP }

func dualStack(s *corev1.Service) {
	s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
}

const (
	poolAnnotation = "metadata.annotations[servicenet.dev/load-balancer-pool]"
	ipsAnnotation  = "metadata.annotations[servicenet.dev/load-balancer-ips]"
	outside        = `is in no pool that serves this Service (all): they have 192.0.2.0/25; leave it out to get a free one`
)

func TestRequestsOfLoadBalancers(t *testing.T) {
	tests := map[string]struct {
		service, old *corev1.Service
		isDefault    bool
		want         []string
	}{
		"nothing asked for":          {service: balanced()},
		"one address":                {service: balanced(wantingOne("192.0.2.7"))},
		"several":                    {service: balanced(wanting("192.0.2.7, 192.0.2.8,"))},
		"of both families":           {service: balanced(dualStack, wanting("192.0.2.7,2001:db8::7"))},
		"the same in both places":    {service: balanced(wantingOne("192.0.2.7"), wanting("192.0.2.8,192.0.2.7"))},
		"a pool":                     {service: balanced(fromPool("all"))},
		"a pool by a label":          {service: balanced(labelled("all"))},
		"a pool in both places":      {service: balanced(fromPool("all"), labelled("all"))},
		"all else":                   {service: balanced(annotated(servicenetv1alpha1.SharingKeyAnnotation, "k"), annotated(servicenetv1alpha1.SharingCrossNamespaceAnnotation, "true"), annotated(servicenetv1alpha1.IPModeAnnotation, "Proxy"))},
		"another's, for all we know": {service: balanced(ofAnotherClass, wantingOne("x"))},
		"without a class":            {service: balanced(classless, wantingOne("x"))},

		"no address": {service: balanced(wantingOne("x")), want: []string{
			`spec.loadBalancerIP: Invalid value: "x": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
		}},
		"without a class, which are ours": {service: balanced(classless, wantingOne("x")), isDefault: true, want: []string{
			`spec.loadBalancerIP: Invalid value: "x": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
		}},
		"no addresses": {service: balanced(wanting("192.0.2.7,x,fe80::1%eth0")), want: []string{
			ipsAnnotation + `: Invalid value: "x": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
			ipsAnnotation + `: Invalid value: "fe80::1%eth0": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
		}},
		"of a family that it does not have": {service: balanced(wantingOne("2001:db8::7")), want: []string{
			`spec.loadBalancerIP: Invalid value: "2001:db8::7": is an IPv6 address, and the Service has none: its families are IPv4`,
		}},
		"two places that contradict each other": {service: balanced(wantingOne("192.0.2.7"), wanting("192.0.2.8")), want: []string{
			`spec.loadBalancerIP: Invalid value: "192.0.2.7": is none of the addresses that the annotation servicenet.dev/load-balancer-ips names; leave one of them out`,
		}},
		"two pools": {service: balanced(fromPool("all"), labelled("depot")), want: []string{
			poolAnnotation + `: Invalid value: "all": the label of this name says depot; leave one of them out`,
		}},
		"no name of a pool": {service: balanced(fromPool("A b")), want: []string{
			poolAnnotation + `: Invalid value: "A b": is no name that a pool can have`,
		}},
		"all else, and wrong": {
			service: balanced(annotated(servicenetv1alpha1.SharingCrossNamespaceAnnotation, "yes"), annotated(servicenetv1alpha1.IPModeAnnotation, "")),
			want: []string{
				`metadata.annotations[servicenet.dev/ip-mode]: Unsupported value: "": supported values: "VIP", "Proxy"`,
				`metadata.annotations[servicenet.dev/sharing-cross-namespace]: Unsupported value: "yes": supported values: "true", "false"`,
			},
		},

		"outside of all pools": {service: balanced(wantingOne("203.0.113.1")), want: []string{
			`spec.loadBalancerIP: Invalid value: "203.0.113.1": is in no pool that serves this Service (all): they have 192.0.2.0/25; leave it out to get a free one`,
		}},
		"outside of all pools, in both places": {service: balanced(wantingOne("203.0.113.1"), wanting("203.0.113.1")), want: []string{
			ipsAnnotation + `: Invalid value: "203.0.113.1": ` + outside,
		}},
		"in a pool that does not serve it": {service: balanced(wanting("198.51.100.1,192.0.2.200")), want: []string{
			ipsAnnotation + `: Invalid value: "198.51.100.1": ` + outside,
			ipsAnnotation + `: Invalid value: "192.0.2.200": belongs to a pool that does not serve this Service; leave it out to get a free one`,
		}},
		"there may be such a pool soon": {service: balanced(fromPool("secret"), wantingOne("198.51.100.1")), want: []string{
			"warning: spec.loadBalancerIP: no pool secret serves this Service; those that do: all; the Service waits until one does",
		}},

		// Changes.
		"what it has said, it may go on saying":    {service: balanced(wantingOne("203.0.113.1"), wanting("x")), old: balanced(wantingOne("203.0.113.1"), wanting("x"))},
		"it says something else":                   {service: balanced(wantingOne("198.51.100.1")), old: balanced(), want: []string{`spec.loadBalancerIP: Invalid value: "198.51.100.1": ` + outside}},
		"it becomes ours":                          {service: balanced(wantingOne("198.51.100.1")), old: balanced(wantingOne("198.51.100.1"), onePort), want: []string{`spec.loadBalancerIP: Invalid value: "198.51.100.1": ` + outside}},
		"it is ours no more":                       {service: balanced(wantingOne("x"), onePort), old: balanced()},
		"annotations that are not for it":          {service: balanced(onePort, fromPool("all")), want: []string{"warning: " + poolAnnotation + ": is for Services that get addresses of a LoadBalancerPool, which this one does not"}},
		"annotations that are not for it, as ever": {service: balanced(onePort, fromPool("all")), old: balanced(onePort, fromPool("all"))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cluster := newCluster(t, true)
			cluster.Balancing = balancing()
			cluster.Balancing.Default = test.isDefault
			plan, faults := Decide(cluster, ask(test.service, test.old))
			if diff := cmp.Diff(test.want, linesOf(Review{Warnings: plan.Warnings, Faults: faults})); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServicesOfOursGetTheFinalizer(t *testing.T) {
	having := func(finalizers ...string) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Finalizers = finalizers }
	}
	const ours = servicenetv1alpha1.LoadBalancerFinalizer
	for name, test := range map[string]struct {
		service, old *corev1.Service
		isDefault    bool
		none, dryRun bool
		want         []string
	}{
		"a new one":                       {service: balanced(), want: []string{ours}},
		"one that others look after, too": {service: balanced(having("example.com/other")), want: []string{"example.com/other", ours}},
		"one that has it":                 {service: balanced(having(ours)), want: []string{ours}},
		"without a class":                 {service: balanced(classless)},
		"without a class, which are ours": {service: balanced(classless), isDefault: true, want: []string{ours}},
		"of another class":                {service: balanced(ofAnotherClass), isDefault: true},
		"of another type":                 {service: balanced(onePort), isDefault: true},
		"one that becomes ours":           {service: balanced(), old: balanced(onePort), want: []string{ours}},
		"one that is being deleted":       {service: balanced(func(s *corev1.Service) { s.DeletionTimestamp = &metav1.Time{} }), old: balanced()},
		"no pools are looked after":       {service: balanced(), none: true},
		"for show":                        {service: balanced(), dryRun: true},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newCluster(t, true)
			cluster.Balancing = Balancing{}
			if !test.none {
				cluster.Balancing = balancing()
				cluster.Balancing.Default = test.isDefault
			}
			request := ask(test.service, test.old)
			request.DryRun = test.dryRun
			plan, faults := Decide(cluster, request)
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			places, faults, err := plan.Fulfil(bookOf(test.old).taker(test.service))
			if err != nil || len(faults) > 0 {
				t.Fatal(faults, err)
			}
			if diff := cmp.Diff(test.want, patched(t, test.service, plan.Patch(places)).Finalizers); diff != "" {
				t.Errorf("finalizers (-want +got):\n%s", diff)
			}
		})
	}
}
