// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// withPorts returns a Service as words describe it: a type, "local" for its traffic,
// "manual" for no ports that it does not name, "health=" for the port of health
// checks, and ports as name:port/protocol=nodePort, of which only the port is a must.
func withPorts(t *testing.T, words string) *corev1.Service {
	t.Helper()
	if words == "" {
		return nil
	}
	s := &corev1.Service{}
	for word := range strings.FieldsSeq(words) {
		switch {
		case word == "local":
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
		case word == "manual":
			s.Spec.AllocateLoadBalancerNodePorts = new(false)
		case word == "auto":
			s.Spec.AllocateLoadBalancerNodePorts = new(true)
		case strings.HasPrefix(word, "health="):
			s.Spec.HealthCheckNodePort = parsePort(t, strings.TrimPrefix(word, "health="))
		case strings.ContainsAny(word, ":/=") || word[0] <= '9':
			s.Spec.Ports = append(s.Spec.Ports, parseServicePort(t, word))
		default:
			s.Spec.Type = corev1.ServiceType(word)
		}
	}
	return s
}

func parseServicePort(t *testing.T, word string) corev1.ServicePort {
	t.Helper()
	port := corev1.ServicePort{Protocol: corev1.ProtocolTCP}
	if name, rest, named := strings.Cut(word, ":"); named {
		port.Name, word = name, rest
	}
	word, number, _ := strings.Cut(word, "=")
	if number != "" {
		port.NodePort = parsePort(t, number)
	}
	word, protocol, _ := strings.Cut(word, "/")
	if protocol != "" {
		port.Protocol = corev1.Protocol(protocol)
	}
	port.Port = parsePort(t, word)
	return port
}

func parsePort(t *testing.T, text string) int32 {
	t.Helper()
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return int32(number)
}

func describeNeeds(needs []PortNeed) string {
	var words []string
	for i := range needs {
		which, where := "any", fmt.Sprintf("[%d]", needs[i].Index)
		if needs[i].HealthCheck {
			where = "health"
		}
		if needs[i].Port != 0 {
			which = needs[i].Port.String()
		}
		words = append(words, where+"="+which)
	}
	return strings.Join(words, " ")
}

func TestPortNeeds(t *testing.T) {
	tests := []struct {
		name     string
		old, new string
		want     string
	}{
		// Created.
		{"a ClusterIP", "", "ClusterIP 80", ""},
		{"a ClusterIP that names one, which the server refuses", "", "ClusterIP 80=30080", ""},
		{"an ExternalName that names one", "", "ExternalName 80=30080", ""},
		{"any", "", "NodePort 80", "[0]=any"},
		{"one named", "", "NodePort 80=30080", "[0]=30080"},
		{"several, named ones first", "", "NodePort a:80 b:81=30081 c:82 d:83=30080", "[1]=30081 [3]=30080 [0]=any [2]=any"},
		{"a load balancer", "", "LoadBalancer 80", "[0]=any"},
		{"a load balancer that says so", "", "LoadBalancer auto 80", "[0]=any"},
		{"a load balancer without", "", "LoadBalancer manual a:80 b:81", ""},
		{"a load balancer with those it names only", "", "LoadBalancer manual a:80 b:81=30081", "[1]=30081"},
		{"a NodePort cannot go without", "", "NodePort manual 80", "[0]=any"},

		{"TCP and UDP share one", "", "NodePort a:53 b:53/UDP", "[0]=any"},
		{"and the one that is named", "", "NodePort a:53=30053 b:53/UDP", "[0]=30053"},
		{"even further on", "", "NodePort a:53 b:53/UDP=30053", "[1]=30053"},
		{"and further than the next", "", "NodePort a:53 b:53/UDP c:53/SCTP=30053", "[2]=30053"},
		{"both name it", "", "NodePort a:53=30053 b:53/UDP=30053", "[0]=30053"},
		{"they name two", "", "NodePort a:53=30053 b:53/UDP=30054", "[0]=30053 [1]=30054"},
		{"the third shares with the first", "", "NodePort a:53=30053 b:53/UDP=30054 c:53/SCTP", "[0]=30053 [1]=30054"},
		{"without, what is not named shares nothing", "", "LoadBalancer manual a:53 b:53/UDP=30053 c:53/SCTP", "[1]=30053"},
		{"another port names the same", "", "NodePort a:53=30053 b:54/UDP=30053", "FieldValueInvalid spec.ports[1].nodePort"},
		{"twice the same, which the server refuses", "", "NodePort a:53=30053 b:53=30053", "[0]=30053"},
		{"two faults", "", "NodePort a:1=30053 b:2=30053 c:3=30053", "FieldValueInvalid spec.ports[1].nodePort, FieldValueInvalid spec.ports[2].nodePort"},

		{"health checks", "", "LoadBalancer local 80", "[0]=any health=any"},
		{"health checks at a port", "", "LoadBalancer local 80 health=30090", "health=30090 [0]=any"},
		{"health checks without other ports", "", "LoadBalancer local manual 80", "health=any"},
		{"health checks at a port of the Service", "", "LoadBalancer local 80=30090 health=30090", "FieldValueInvalid spec.healthCheckNodePort"},
		{"no health checks for a NodePort", "", "NodePort local 80", "[0]=any"},
		{"no health checks of traffic from everywhere", "", "LoadBalancer 80 health=30090", "[0]=any"},

		// Changed.
		{"nothing changes", "NodePort 80=30080", "NodePort 80=30080", ""},
		{"what was left out", "NodePort 80=30080", "NodePort 80", ""},
		{"what was left out, for another port", "NodePort 80=30080", "NodePort 81", ""},
		{"what was left out, by names", "NodePort a:80=30080 b:81=30081", "NodePort b:80 a:81", ""},
		{"another name", "NodePort a:80=30080", "NodePort b:80", "[0]=any"},
		{"one more", "NodePort a:80=30080", "NodePort a:80=30080 b:81", "[1]=any"},
		{"one more, named", "NodePort a:80=30080", "NodePort b:81=30081 a:80", "[0]=30081"},
		{"another number", "NodePort 80=30080", "NodePort 80=30081", "[0]=30081"},
		{"a name moves, its port is used by another now", "NodePort a:80=30080", "NodePort a:80 b:81=30080", "[0]=any"},
		{"a port that it had not", "NodePort a:80=30080 b:81", "NodePort a:80=30080 b:81", "[1]=any"},
		{"from ClusterIP", "ClusterIP 80", "NodePort 80", "[0]=any"},
		{"from ClusterIP, named", "ClusterIP 80", "LoadBalancer 80=30080", "[0]=30080"},
		{"to ClusterIP", "NodePort 80=30080", "ClusterIP 80=30080", ""},
		{"from NodePort to load balancer", "NodePort 80=30080", "LoadBalancer 80", ""},
		{"to a load balancer without", "ClusterIP 80", "LoadBalancer manual 80", ""},
		{"to one without, leaving it out", "LoadBalancer 80=30080", "LoadBalancer manual 80", ""},
		{"to one without, leaving out what two had", "NodePort a:53=30053 b:53/UDP=30053", "LoadBalancer manual a:53 b:54", ""},
		{"to one without, keeping it", "LoadBalancer 80=30080", "LoadBalancer manual 80=30080", ""},
		{"from one without, leaving out what it had", "LoadBalancer manual 80=30080", "LoadBalancer 80", "[0]=any"},
		{"from one without, keeping it", "LoadBalancer manual 80=30080", "LoadBalancer 80=30080", ""},
		{"one that it had is left out and filled in twice", "NodePort a:53=30053 b:53/UDP=30053", "NodePort a:53 b:54", "FieldValueInvalid spec.ports[1].nodePort"},
		{"to one without, by another name", "LoadBalancer a:80=30080", "LoadBalancer manual b:80", ""},
		{"from an ExternalName with ports that nobody allocated", "ExternalName 80=30080", "NodePort 80=30080", "[0]=30080"},
		{"from an ExternalName, nothing is filled in", "ExternalName 80=30080", "NodePort 80", "[0]=any"},

		{"TCP and UDP do not share by themselves", "ClusterIP a:53 b:53/UDP", "NodePort a:53 b:53/UDP", "[0]=any [1]=any"},
		{"TCP and UDP share what both name", "ClusterIP a:53 b:53/UDP", "NodePort a:53=30053 b:53/UDP=30053", "[0]=30053"},
		{"even for other ports", "ClusterIP a:53 b:54/UDP", "NodePort a:53=30053 b:54/UDP=30053", "[0]=30053"},
		{"one joins another", "NodePort a:53=30053", "NodePort a:53=30053 b:53/UDP=30053", ""},
		{"one for one protocol twice", "ClusterIP a:53 b:54", "NodePort a:53=30053 b:54=30053", "FieldValueInvalid spec.ports[1].nodePort"},
		{"one that it has for one protocol twice", "NodePort a:53=30053", "NodePort a:53=30053 b:54=30053", "FieldValueInvalid spec.ports[1].nodePort"},

		{"from then on health checks", "LoadBalancer 80=30080", "LoadBalancer local 80=30080", "health=any"},
		{"from then on, at a port", "LoadBalancer 80=30080", "LoadBalancer local 80=30080 health=30090", "health=30090"},
		{"at a port that it has", "LoadBalancer 80=30080", "LoadBalancer local 80=30081 health=30080", "FieldValueInvalid spec.healthCheckNodePort"},
		{"health checks stay", "LoadBalancer local 80=30080 health=30090", "LoadBalancer local 80=30080", ""},
		{"health checks may not change, which the server says", "LoadBalancer local 80=30080 health=30090", "LoadBalancer local 80 health=30091", ""},
		{"health checks end", "LoadBalancer local 80=30080 health=30090", "LoadBalancer 80", ""},
		{"the port of health checks is named for another", "LoadBalancer local 80=30080 health=30090", "LoadBalancer 80=30090", "FieldValueInvalid spec.ports[0].nodePort"},
		{"from a NodePort of local traffic", "NodePort local 80=30080", "LoadBalancer local 80", "health=any"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			needs, faults := DecidePorts(withPorts(t, test.new), withPorts(t, test.old))
			got := describeNeeds(needs)
			if len(faults) > 0 {
				var words []string
				for _, fault := range faults {
					words = append(words, string(fault.Type)+" "+fault.Field)
				}
				got = strings.Join(words, ", ")
			}
			if got != test.want {
				t.Errorf("%s -> %s needs %s, want %s", test.old, test.new, got, test.want)
			}
		})
	}
}

func TestPortNeedsNameFieldsAndSlots(t *testing.T) {
	needs, _ := DecidePorts(withPorts(t, "LoadBalancer local a:80 b:81=30081 b:82"), nil)
	var got []string
	for i := range needs {
		got = append(got, fmt.Sprintf("%s %q %s", needs[i].Path, needs[i].Name, needs[i].Slot))
	}
	want := []string{
		`spec.ports[1].nodePort "b" port/b`,
		`spec.ports[0].nodePort "a" port/a`,
		`spec.ports[2].nodePort "b" port/b/2`,
		`spec.healthCheckNodePort "" /healthCheckNodePort`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("needs:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// A request that is repeated names the same slots, whatever the order of ports.
	again, _ := DecidePorts(withPorts(t, "NodePort b:82 a:80"), withPorts(t, "ClusterIP 80"))
	if len(again) != 2 || again[0].Slot != "port/b" || again[1].Slot != "port/a" {
		t.Errorf("slots of a repeated request: %+v", again)
	}
}
