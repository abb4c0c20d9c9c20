// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func reserving(namespace, name, address string) []servicenetv1alpha1.AddressReservation {
	return []servicenetv1alpha1.AddressReservation{{Namespace: namespace, Name: name, Addresses: []string{address}}}
}

func TestAddressesAreForThoseThatThePoolServes(t *testing.T) {
	t.Parallel()
	shop := addressPool("shop", "a", "10.96.5.0/24 fd00::500/120")
	shop.Spec.Exclusions = []string{"10.96.5.0-10.96.5.9"}
	shop.Spec.Reservations = reserving("other", "dns", "10.96.5.53")
	front := addressPool("front", "a", "10.96.6.0/24")
	front.Spec.ServiceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "front"}}
	wide := addressPool("wide", "b", "10.96.0.0/16")
	wide.Spec.Exclusive = false
	wide.Spec.Reservations = reserving("shop", "web", "10.96.9.9")
	j := newJudge(t, ForClusterIPs(clusterIPs(shop, front, wide)))

	back, dns := service("10.96.6.1"), service("10.96.5.53")
	back.Labels["tier"] = "back"
	dns.Namespace, dns.Name = "other", "dns"
	mine := service("10.96.9.9")
	other := service("10.96.9.9")
	other.Name = "db"
	bare := service("10.96.5.10")
	bare.Labels = nil
	tests := map[string]struct {
		attempt
		refused bool
	}{
		"its own team":                       {from("a", service("10.96.5.10")), false},
		"another team":                       {from("b", service("10.96.5.10")), true},
		"a namespace without labels":         {attempt{service: bare, user: "somebody"}, true},
		"the second address":                 {from("b", service("10.96.1.1", "fd00::5ff")), true},
		"the second address, its own":        {from("a", service("10.96.1.1", "fd00::5ff")), false},
		"IPv6 written out":                   {from("b", service("fd00:0:0:0:0:0:0:501")), true},
		"an address in no canonical form":    {from("a", service("010.096.005.010")), true},
		"an address beside the pool":         {from("b", service("10.96.4.255")), false},
		"an excluded one, which others have": {from("b", service("10.96.5.9")), false},
		"a Service that is meant":            {from("a", service("10.96.6.1")), false},
		"a Service that is not":              {from("a", back), true},
		"reserved for another":               {from("a", service("10.96.5.53")), true},
		"reserved for it":                    {from("b", dns), false},
		"reserved outside of exclusive ones": {from("b", other), true},
		"the same, for it":                   {from("c", mine), false},
		"headless":                           {from("b", service("None")), false},
		"without addresses":                  {from("b", service()), false},
		"an ExternalName":                    {from("b", ofType(corev1.ServiceTypeExternalName, service("10.96.5.10"))), false},
		"what it had before":                 {to(from("b", ofType("NodePort", service("10.96.5.10"))), service("10.96.5.10")), false},
		"what an ExternalName named": {to(from("b", service("10.96.5.10")),
			ofType(corev1.ServiceTypeExternalName, service("10.96.5.10"))), true},
		"a second address beside what it had": {to(from("b", service("10.96.5.10", "fd00::501")), service("10.96.5.10")), true},
		"the API server itself":               {attempt{service: service("10.96.5.10"), user: "system:apiserver"}, false},
		"a dry run":                           {attempt{service: service("10.96.5.10"), user: "somebody", dryRun: true}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := j.refusals(t, test.attempt); (len(got) > 0) != test.refused {
				t.Errorf("refused with %q, want %v", got, test.refused)
			}
		})
	}
}

func TestServicesAreLeftAloneThatWebhooksLeaveAlone(t *testing.T) {
	t.Parallel()
	j := newJudge(t, ForClusterIPs(clusterIPs(addressPool("shop", "a", "10.96.5.0/24"))))
	kubernetes := service("10.96.5.1")
	kubernetes.Namespace, kubernetes.Name = "default", "kubernetes"
	if got := j.refusals(t, from("b", kubernetes)); got != nil {
		t.Errorf("the Service kubernetes is refused: %q", got)
	}
	for _, name := range []string{"default/web", "shop/kubernetes"} {
		other := service("10.96.5.1")
		other.Namespace, other.Name, _ = strings.Cut(name, "/")
		if !j.refuses(t, from("b", other)) {
			t.Errorf("%s is left alone", name)
		}
	}
	going := service("10.96.5.1")
	going.DeletionTimestamp = &metav1.Time{Time: noon()}
	if got := j.refusals(t, to(from("b", going), service())); got != nil {
		t.Errorf("a Service that is being deleted is refused: %q", got)
	}
}

func TestAllOperatorsOfSelectorsAreObeyed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		requirement metav1.LabelSelectorRequirement
		teams       string // "-" has no label
	}{
		"In":           {metav1.LabelSelectorRequirement{Operator: "In", Values: []string{"a", "b"}}, "a b"},
		"NotIn":        {metav1.LabelSelectorRequirement{Operator: "NotIn", Values: []string{"a", "b"}}, "- c"},
		"Exists":       {metav1.LabelSelectorRequirement{Operator: "Exists"}, "a b c"},
		"DoesNotExist": {metav1.LabelSelectorRequirement{Operator: "DoesNotExist"}, "-"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.requirement.Key = "team"
			p := addressPool("p", "", "10.96.5.0/24")
			p.Spec.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{test.requirement}}
			j := newJudge(t, ForClusterIPs(clusterIPs(p)))
			for team := range strings.FieldsSeq("- a b c") {
				a := from(team, service("10.96.5.1"))
				if team == "-" {
					a.labels = nil
				}
				if want := !strings.Contains(test.teams, team); j.refuses(t, a) != want {
					t.Errorf("team %s: refused is not %v", team, want)
				}
			}
		})
	}
}

func TestAMalformedPoolKeepsEverybodyAway(t *testing.T) {
	t.Parallel()
	p := addressPool("p", "a", "10.96.5.0/24")
	p.Spec.Exclusions = []string{"nonsense"}
	j := newJudge(t, ForClusterIPs(clusterIPs(p)))
	if !j.refuses(t, from("a", service("10.96.5.1"))) {
		t.Error("a Service gets a number of a malformed pool")
	}
}

func TestNodePortsAreForThoseThatThePoolServes(t *testing.T) {
	t.Parallel()
	shop := portPool("shop", "a", 31000, 31099)
	shop.Spec.Reservations = []servicenetv1alpha1.PortReservation{{Namespace: "other", Name: "dns", HealthCheckNodePort: 31053}}
	j := newJudge(t, ForNodePorts(nodePorts(t, shop), cluster(t)))

	check, checkBefore := withPorts(30001), withPorts(30001)
	check.Spec.HealthCheckNodePort, checkBefore.Spec.HealthCheckNodePort = 31007, 31007
	dns := withPorts(31053)
	dns.Namespace, dns.Name = "other", "dns"
	tests := map[string]struct {
		attempt
		refused bool
	}{
		"its own team":                     {from("a", withPorts(31000, 31099)), false},
		"another team":                     {from("b", withPorts(30001, 31099)), true},
		"beside the pool":                  {from("b", withPorts(30999, 31100)), false},
		"a health check":                   {from("b", check), true},
		"a health check it had":            {to(from("b", ofType("LoadBalancer", check)), checkBefore), false},
		"reserved for another":             {from("a", withPorts(31053)), true},
		"reserved for it":                  {from("b", dns), false},
		"what it had before":               {to(from("b", withPorts(31000, 30001)), withPorts(31000)), false},
		"one more than before":             {to(from("b", withPorts(31000, 31001)), withPorts(31000)), true},
		"outside of the range":             {from("a", withPorts(29999)), true},
		"above the range":                  {from("a", withPorts(32768)), true},
		"the ends of the range":            {from("a", withPorts(30000, 32767)), false},
		"outside, as before":               {to(from("a", withPorts(29999, 30001)), withPorts(29999)), false},
		"without ports":                    {from("b", withPorts(0, 0)), false},
		"an ExternalName":                  {from("a", ofType("ExternalName", withPorts(30001))), true},
		"an ExternalName as before":        {to(from("a", ofType("ExternalName", withPorts(30001, 0))), ofType("ExternalName", withPorts(30001))), false},
		"an ExternalName without ports":    {from("a", ofType("ExternalName", withPorts(0))), false},
		"the ports that one merely named":  {to(from("b", withPorts(31000)), ofType("ExternalName", withPorts(31000))), true},
		"outside, and merely named before": {to(from("b", withPorts(29999)), ofType("ExternalName", withPorts(29999))), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := j.refusals(t, test.attempt); (len(got) > 0) != test.refused {
				t.Errorf("refused with %q, want %v", got, test.refused)
			}
		})
	}
}

func TestMessagesNameTheNumbersAndNobody(t *testing.T) {
	t.Parallel()
	addresses := addressPool("secret", "a", "10.96.5.0/24")
	addresses.Spec.Reservations = reserving("tenant", "hidden", "10.96.5.53")
	ofAddresses := newJudge(t, ForClusterIPs(clusterIPs(addresses)))
	ofPorts := newJudge(t, ForNodePorts(nodePorts(t, portPool("secret", "a", 31000, 31099)), cluster(t)))
	got := []string{}
	got = append(got, ofAddresses.refusals(t, from("b", service("10.96.5.53")))...)
	got = append(got, ofAddresses.refusals(t, from("b", service("10.096.5.53")))...)
	got = append(got, ofPorts.refusals(t, from("b", withPorts(31000, 31001, 29999)))...)
	got = append(got, ofPorts.refusals(t, from("b", ofType("ExternalName", withPorts(31000))))...)
	want := []string{
		"spec.clusterIPs: 10.96.5.53 belongs to a pool that does not serve this Service, or is reserved for another Service;" +
			" leave it out to get another one, or try again if it was left out",
		"spec.clusterIPs: 10.096.5.53: must be written in the usual form",
		"spec.ports: the node port range of the cluster is 30000-32767, and does not have 29999",
		"spec.ports: node port 31000, 31001 belongs to a pool that does not serve this Service, or is reserved for another Service;" +
			" leave it out to get another one, or try again if it was left out",
		"spec.ports: a Service of type ExternalName has no node ports",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestNoPolicyIsMadeWhereNoPoolNeedsOne(t *testing.T) {
	t.Parallel()
	open := addressPool("open", "a", "10.96.5.0/24")
	open.Spec.Exclusive = false
	all := addressPool("all", "a", "10.96.6.0/24")
	all.Spec.NamespaceSelector = nil
	if got := ForClusterIPs(clusterIPs(open, all)); len(got.Policies)+len(got.Bindings)+len(got.Left) > 0 {
		t.Errorf("pools that keep nothing to themselves make %s", describe(got))
	}
	if got := ForNodePorts(nodePorts(t), cluster(t)); len(got.Policies) > 0 {
		t.Errorf("no pools make %s", describe(got))
	}
	openPorts := portPool("open", "a", 31000, 31099)
	openPorts.Spec.Exclusive = false
	got := ForNodePorts(nodePorts(t, openPorts), cluster(t))
	if len(got.Policies) != 1 || got.Policies[0].Name != "servicenet-nodeport-range" {
		t.Errorf("a pool of ports for everybody makes %s, want the range alone", describe(got))
	}
}

func TestSamePoolsMakeTheSamePolicies(t *testing.T) {
	t.Parallel()
	a, b := addressPool("a", "a", "10.96.5.0/24"), addressPool("b", "b", "10.96.4.0/22 fd00::/112")
	if diff := cmp.Diff(ForClusterIPs(clusterIPs(a, b)), ForClusterIPs(clusterIPs(b, a))); diff != "" {
		t.Errorf("the order of pools matters:\n%s", diff)
	}
}

func TestTextOfPoolsIsNoCode(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`x"]],[["`, `\`, "'", "\n", "ü\u2028", "\xff", `"+"`, `${}`, "a/b"} {
		p := addressPool("p", "a", "10.96.5.0/24")
		p.Spec.Reservations = reserving(text, text, "10.96.5.53")
		j := newJudge(t, ForClusterIPs(clusterIPs(p)))
		if !j.refuses(t, from("a", service("10.96.5.53"))) || j.refuses(t, from("a", service("10.96.5.54"))) {
			t.Errorf("a reservation for %q changes the rules", text)
		}
	}
}

func TestPoolsThatNeedMoreRoomAreSplitAndThenLeftToWebhooks(t *testing.T) {
	t.Parallel()
	var pools []*servicenetv1alpha1.ClusterIPPool
	for i := range 40 {
		p := addressPool(fmt.Sprintf("pool-%02d", i), fmt.Sprintf("team-%02d", i), fmt.Sprintf("10.%d.0.0/16", i))
		for n := range 256 {
			p.Spec.Exclusions = append(p.Spec.Exclusions, fmt.Sprintf("10.%d.%d.77", i, n))
		}
		pools = append(pools, p)
	}
	set := ForClusterIPs(clusterIPs(pools...))
	if len(set.Policies) != mostTables || len(set.Policies) != len(set.Bindings) || len(set.Left) == 0 {
		t.Fatalf("got %s", describe(set))
	}
	if longest := expressionBytes(set); longest > longestExpression+4 {
		t.Errorf("an expression has %d bytes", longest)
	}
	j := newJudge(t, set)
	left := map[string]bool{}
	for _, name := range set.Left {
		left[name] = true
	}
	for i, p := range pools {
		if got := j.refuses(t, from("stranger", service(fmt.Sprintf("10.%d.3.4", i)))); got == left[p.Name] {
			t.Errorf("%s: refused %v, left %v", p.Name, got, left[p.Name])
		}
		if j.refuses(t, from(fmt.Sprintf("team-%02d", i), service(fmt.Sprintf("10.%d.3.4", i)))) {
			t.Errorf("%s is refused to its own team", p.Name)
		}
	}
}
