// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/test/badinput"
)

// said returns what a plan warns of and what it refuses.
func said(t *testing.T, cluster *Cluster, service, old *corev1.Service) (warnings, faults []string) {
	t.Helper()
	plan, list := Decide(cluster, ask(service, old))
	for _, fault := range list {
		faults = append(faults, fault.Error())
	}
	return plan.Warnings, faults
}

const unlisted = "external IPs of this cluster must be in "

// External IPs that a Service has stay, whatever the cluster allows.
func TestExternalIPs(t *testing.T) {
	service := free(externalName, badinput.External("192.0.2.1", "2001:db8::1"))
	warning := []string{"spec.externalIPs: nodes take traffic to these addresses, whoever they belong to;" +
		" a Service of type LoadBalancer gets an address of its own"}
	denied := "external IPs are not allowed in this cluster; use a Service of type LoadBalancer"
	first, second := "spec.externalIPs[0]: Forbidden: ", "spec.externalIPs[1]: Forbidden: "
	listed := func(cidrs ...string) ExternalIPs {
		e := ExternalIPs{Mode: ListedExternalIPs}
		for _, cidr := range cidrs {
			e.CIDRs = append(e.CIDRs, netip.MustParsePrefix(cidr))
		}
		return e
	}
	tests := map[string]struct {
		policy           ExternalIPs
		old, service     *corev1.Service
		warnings, faults []string
	}{
		"allowed with a warning": {service: service, warnings: warning},
		"allowed, one more":      {old: free(externalName, badinput.External("192.0.2.1")), service: service, warnings: warning},
		"allowed, nothing new":   {old: service, service: free(externalName, badinput.External("2001:db8::1"))},
		"allowed, none":          {service: free(externalName)},
		"denied":                 {policy: ExternalIPs{Mode: NoExternalIPs}, service: service, faults: []string{first + denied, second + denied}},
		"denied, one more":       {policy: ExternalIPs{Mode: NoExternalIPs}, old: free(externalName, badinput.External("192.0.2.1")), service: service, faults: []string{second + denied}},
		"denied, nothing new":    {policy: ExternalIPs{Mode: NoExternalIPs}, old: service, service: service},
		"of a list":              {policy: listed("192.0.2.0/24", "2001:db8::/64"), service: service},
		"of a list in part":      {policy: listed("2001:db8::/64", "198.51.100.0/24"), service: service, faults: []string{first + unlisted + "2001:db8::/64 198.51.100.0/24"}},
		"of an empty list":       {policy: listed(), service: service, faults: []string{first + unlisted + "a list that is empty", second + unlisted + "a list that is empty"}},
		"none, whatever is allowed": {
			policy: listed(), service: free(externalName, badinput.External("fe80::1%eth0")),
			faults: []string{`spec.externalIPs[0]: Invalid value: "fe80::1%eth0": must be an address, such as 192.0.2.10 or 2001:db8::10`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cluster := newCluster(t, true)
			cluster.ExternalIPs = test.policy
			warnings, faults := said(t, cluster, test.service, test.old)
			if diff := cmp.Diff([][]string{test.warnings, test.faults}, [][]string{warnings, faults}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Source ranges that a Service has are good, however they are written.
func TestSourceRanges(t *testing.T) {
	key := corev1.AnnotationLoadBalancerSourceRangesKey
	annotated := func(value string) *corev1.Service { return free(loadBalancer, badinput.Annotated(key, value)) }
	tests := map[string]struct {
		old, service *corev1.Service
		faults       int
	}{
		"of both families, with spaces":      {service: free(loadBalancer, badinput.Sources(" 10.0.0.0/8 ", "2001:db8::/32"))},
		"with leading zeros":                 {service: free(loadBalancer, badinput.Sources("010.0.0.0/8")), faults: 1},
		"with bits after the prefix":         {service: free(loadBalancer, badinput.Sources("10.0.0.1/8")), faults: 1},
		"bad ones that were there":           {old: free(loadBalancer, badinput.Sources("10.0.0.1/8")), service: free(loadBalancer, badinput.Sources(" 10.0.0.1/8"))},
		"bad ones beside":                    {old: free(loadBalancer, badinput.Sources("10.0.0.1/8")), service: free(loadBalancer, badinput.Sources("10.0.0.1/8", "x")), faults: 1},
		"the field, not the annotation":      {service: free(loadBalancer, badinput.Sources("10.0.0.0/8"), badinput.Annotated(key, "x"))},
		"of the annotation, with spaces":     {service: annotated(" 10.0.0.0/8 , 2001:db8::/32 ")},
		"of the annotation, empty":           {service: annotated(" ")},
		"of the annotation, bad ones":        {service: annotated("10.0.0.0/8,x,y"), faults: 2},
		"of the annotation, there":           {old: annotated("x,y"), service: annotated("x,y")},
		"of the annotation, there, in part":  {old: annotated("x,y"), service: annotated("x"), faults: 1},
		"of another type, in the field":      {service: free(nodePort, badinput.Sources("x")), faults: 2},
		"of another type, in the annotation": {service: free(clusterIP, badinput.Annotated(key, "")), faults: 1},
		"of another type, there":             {old: free(clusterIP, badinput.Annotated(key, "x")), service: free(clusterIP, badinput.Annotated(key, "x")), faults: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.old != nil {
				test.old.Spec.ClusterIP, test.old.Spec.ClusterIPs = "10.96.9.1", []string{"10.96.9.1"}
			}
			if _, faults := said(t, newCluster(t, true), test.service, test.old); len(faults) != test.faults {
				t.Errorf("faults %v, want %d", faults, test.faults)
			}
		})
	}
}

// Annotations of ours that no Service can have are warned of when they come.
func TestAnnotations(t *testing.T) {
	service := free(externalName, badinput.Annotated("servicenet.dev/b", ""), badinput.Annotated("servicenet.dev/a", ""), badinput.Annotated("example.com/a", ""))
	warnings, faults := said(t, newCluster(t, true), service, nil)
	want := []string{
		"metadata.annotations[servicenet.dev/a]: no annotation of Services has this name",
		"metadata.annotations[servicenet.dev/b]: no annotation of Services has this name",
	}
	if diff := cmp.Diff(want, warnings); diff != "" || faults != nil {
		t.Error(diff, faults)
	}
	if warnings, _ := said(t, newCluster(t, true), service, free(externalName, badinput.Annotated("servicenet.dev/b", "x"))); len(warnings) != 1 {
		t.Errorf("warnings %v", warnings)
	}
}
