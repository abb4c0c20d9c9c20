// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func reservingPorts(namespace, name string, health int32, ports ...servicenetv1alpha1.ReservedPort) func(*servicenetv1alpha1.NodePortPoolSpec) {
	return func(s *servicenetv1alpha1.NodePortPoolSpec) {
		s.Reservations = append(s.Reservations, servicenetv1alpha1.PortReservation{
			Namespace: namespace, Name: name, Ports: ports, HealthCheckNodePort: health,
		})
	}
}

func excludingPorts(first, last int32) func(*servicenetv1alpha1.NodePortPoolSpec) {
	return func(s *servicenetv1alpha1.NodePortPoolSpec) {
		s.Exclusions = append(s.Exclusions, servicenetv1alpha1.PortRange{First: first, Last: last})
	}
}

// TestPortChoice asks for one port for the Service web of the namespace shop. The
// rules are those of addresses; here is what ports have of their own.
func TestPortChoice(t *testing.T) {
	type pools = []*servicenetv1alpha1.NodePortPool
	teamA, teamB := forNamespaces("team", "a"), forNamespaces("team", "b")
	http := servicenetv1alpha1.ReservedPort{Name: "http", NodePort: 30080}
	path := field.NewPath("spec", "ports").Index(0).Child("nodePort")
	tests := map[string]struct {
		pools   pools
		need    PortNeed
		want    []string
		refused string
	}{
		"without pools, the range of the cluster": {want: []string{"any"}},
		"a pool of its own":                       {pools: pools{makePorts("p", 30000, 30099, teamA)}, want: []string{"any of p"}},
		"a pool of others":                        {pools: pools{makePorts("p", 30000, 30099, teamB)}, want: []string{"any"}},
		"in order": {
			pools: pools{makePorts("p", 30000, 30099), makePorts("q", 31000, 31099, withPriority(1))}, want: []string{"any of q", "any of p"},
		},
		"a pool outside the cluster's range": {
			pools:   pools{makePorts("p", 20000, 20099, teamA)},
			refused: "spec.ports[0].nodePort: Forbidden: the pools that serve this Service have no ports to choose in the node port range of the cluster",
		},
		"exclusive pools of others": {
			pools:   pools{makePorts("p", 1, 65535, teamB, isExclusive())},
			refused: "spec.ports[0].nodePort: Forbidden: no pool serves this Service, and exclusive pools leave no ports to choose in the node port range of the cluster",
		},
		"a malformed pool": {pools: pools{makePorts("p", 30000, 29999, teamA)}, want: []string{"any"}},

		"naming one":                      {need: PortNeed{Port: 30080}, want: []string{"named 30080"}},
		"naming the first":                {need: PortNeed{Port: 30000}, want: []string{"named 30000"}},
		"naming the last":                 {need: PortNeed{Port: 32767}, want: []string{"named 32767"}},
		"naming outside of the cluster's": {need: PortNeed{Port: 32768}, refused: `spec.ports[0].nodePort: Invalid value: "32768": is not in the node port range of the cluster: 30000-32767; leave it out to get a free one`},
		"naming what others have":         {pools: pools{makePorts("p", 30080, 0, teamB, isExclusive())}, need: PortNeed{Port: 30080}, refused: `spec.ports[0].nodePort: Invalid value: "30080": belongs to a pool that does not serve this Service; leave it out to get a free one`},
		"naming what is excluded":         {pools: pools{makePorts("p", 30000, 30099, excludingPorts(30080, 0))}, need: PortNeed{Port: 30080}, refused: `spec.ports[0].nodePort: Invalid value: "30080": is excluded, nobody can have it; leave it out to get a free one`},
		"naming outside of its pools":     {pools: pools{makePorts("p", 30000, 30099), makePorts("q", 30200, 0)}, need: PortNeed{Port: 30100}, refused: `spec.ports[0].nodePort: Invalid value: "30100": is in no pool that serves this Service (p, q): they have 30000-30099, 30200; leave it out to get a free one`},

		"reserved for the port":         {pools: pools{makePorts("p", 30000, 30099, reservingPorts("shop", "web", 0, http))}, need: PortNeed{Name: "http"}, want: []string{"reserved 30080 of p"}},
		"reserved for another port":     {pools: pools{makePorts("p", 30000, 30099, reservingPorts("shop", "web", 0, http))}, need: PortNeed{Name: "https"}, want: []string{"any of p"}},
		"reserved, without names":       {pools: pools{makePorts("p", 30000, 30099, reservingPorts("shop", "web", 0, servicenetv1alpha1.ReservedPort{NodePort: 30081}))}, want: []string{"reserved 30081 of p"}},
		"reserved for health checks":    {pools: pools{makePorts("p", 30000, 30099, reservingPorts("shop", "web", 30090, http))}, need: PortNeed{HealthCheck: true}, want: []string{"reserved 30090 of p"}},
		"reserved for its other port":   {pools: pools{makePorts("p", 30000, 30099, reservingPorts("shop", "web", 0, http))}, need: PortNeed{Name: "https", Port: 30080}, want: []string{"named 30080 of p"}},
		"reserved for another Service":  {pools: pools{makePorts("p", 30000, 30099, reservingPorts("shop", "api", 0, http))}, need: PortNeed{Name: "http"}, want: []string{"any of p"}},
		"naming what another's will be": {pools: pools{makePorts("p", 30000, 30099, reservingPorts("shop", "api", 30080))}, need: PortNeed{Port: 30080}, refused: `spec.ports[0].nodePort: Invalid value: "30080": is reserved for another Service; leave it out to get a free one`},

		"retained": {need: PortNeed{Retained: []Port{30080, 30081}}, want: []string{"retained 30080", "retained 30081", "any"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.need.Path = path
			choices, faults := newNodePorts(t, test.pools...).Choose(shopWeb(), []PortNeed{test.need})
			if test.refused != "" {
				if len(choices) > 0 || len(faults) != 1 || faults[0].Error() != test.refused {
					t.Fatalf("faults:\n%v\nwant\n%s", faults, test.refused)
				}
				return
			}
			if len(faults) > 0 || len(choices) != 1 {
				t.Fatalf("%d choices, faults: %v", len(choices), faults)
			}
			if diff := cmp.Diff(test.want, sketch(choices[0].Candidates)); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryPortIsChosenFor(t *testing.T) {
	numbers := newNodePorts(t, makePorts("p", 30000, 30099, forNamespaces("team", "b"), isExclusive()))
	path := field.NewPath("spec", "healthCheckNodePort")
	choices, faults := numbers.Choose(shopWeb(), []PortNeed{{Port: 30200}, {Path: path, HealthCheck: true}})
	if len(faults) > 0 || len(choices) != 2 || choices[0].Port != 30200 || !choices[1].HealthCheck {
		t.Errorf("choices %v, faults %v", choices, faults)
	}
	_, faults = numbers.Choose(shopWeb(), []PortNeed{{Port: 30000}, {Path: path, Port: 30001}, {Port: 30200}})
	if len(faults) != 2 || faults[1].Field != "spec.healthCheckNodePort" {
		t.Errorf("faults: %v", faults)
	}
	if owner := numbers.Owner(30000); owner == nil || owner.Name != "p" || numbers.Owner(30200) != nil {
		t.Errorf("30000 is %v's", owner)
	}
}
