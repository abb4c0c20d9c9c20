// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package alike

import (
	"servicenet.dev/servicenet/test/badinput"
)

// portCases are about node ports.
func portCases() []Case {
	return append(newPortCases(), changedPortCases()...)
}

func newPortCases() []Case {
	return []Case{
		{Name: "a node port that is named", Steps: always(create(web(nodePort, badinput.HTTP(portA))))},
		{Name: "a node port that another has", Steps: always(
			create(web(nodePort, badinput.HTTP(portA))), create(web(nodePort, badinput.HTTP(portA), other)))},
		{Name: "a node port that another has for another protocol", Steps: always(
			create(web(nodePort, badinput.HTTP(portA))),
			create(web(nodePort, badinput.Port("dns", 53, udp, portA), other)))},
		{Name: "a node port that a deleted Service had", Steps: always(
			create(web(nodePort, badinput.HTTP(portA))), remove(), create(web(nodePort, badinput.HTTP(portA), other)))},
		{Name: "a port for two protocols", Steps: always(
			create(web(nodePort, badinput.Port("tcp", 53, tcp, 0), badinput.Port("udp", 53, udp, 0))))},
		{Name: "a port for two protocols, the first one named", Steps: always(
			create(web(nodePort, badinput.Port("tcp", 53, tcp, portD), badinput.Port("udp", 53, udp, 0))))},
		{Name: "a port for two protocols, the second one named", Steps: always(
			create(web(nodePort, badinput.Port("tcp", 53, tcp, 0), badinput.Port("udp", 53, udp, portD))))},
		{Name: "a port for two protocols, both named", Steps: always(
			create(web(nodePort, badinput.Port("tcp", 53, tcp, portD), badinput.Port("udp", 53, udp, portD))))},
		{Name: "several ports, one of them named", Steps: always(
			create(web(nodePort, badinput.HTTP(0), badinput.Port("https", 443, tcp, portC), badinput.Port("more", 444, tcp, 0))))},
		{Name: "a load balancer without node ports", Steps: always(
			create(web(loadBalancer, badinput.WithoutPorts())), merge(`{"spec":{"allocateLoadBalancerNodePorts":true}}`))},
		{Name: "a load balancer without node ports but one that is named", Steps: always(
			create(web(loadBalancer, badinput.WithoutPorts(), badinput.HTTP(portA), badinput.Port("https", 443, tcp, 0))),
			put(web(loadBalancer, badinput.WithoutPorts(), badinput.HTTP(portA), badinput.Port("https", 443, tcp, portC))),
			put(web(loadBalancer, badinput.WithoutPorts(), badinput.HTTP(0), badinput.Port("https", 443, tcp, portC))))},
		{Name: "a load balancer that is to have no node ports from now on", Steps: always(
			create(web(loadBalancer)), merge(`{"spec":{"allocateLoadBalancerNodePorts":false}}`),
			put(web(loadBalancer, badinput.WithoutPorts())))},
	}
}

func changedPortCases() []Case {
	return []Case{
		{Name: "another node port", Steps: always(
			create(web(nodePort, badinput.HTTP(portA))), put(web(nodePort, badinput.HTTP(portB))),
			create(web(nodePort, badinput.HTTP(portA), other)))},
		{Name: "a port that is renamed", Steps: always(create(web(nodePort)), put(web(nodePort, badinput.Port("web", 80, tcp, 0))))},
		{Name: "a port that is renamed, with its node port", Steps: always(
			create(web(nodePort, badinput.HTTP(portA))), put(web(nodePort, badinput.Port("web", 80, tcp, portA))))},
		{Name: "a port with another number", Steps: always(
			create(web(nodePort)), put(web(nodePort, badinput.Port("http", 81, tcp, 0))))},
		{Name: "a port more, and one less", Steps: always(
			create(web(nodePort)), put(web(nodePort, badinput.HTTP(0), badinput.Port("https", 443, tcp, 0))),
			put(web(nodePort, badinput.Port("https", 443, tcp, 0))))},
		{Name: "a node port that goes over to another port", Steps: always(
			create(web(nodePort, badinput.HTTP(portA))), put(web(nodePort, badinput.Port("https", 443, tcp, portA), badinput.HTTP(0))))},
		{Name: "node ports that change places", Steps: always(
			create(web(nodePort, badinput.HTTP(portA), badinput.Port("https", 443, tcp, portC))),
			put(web(nodePort, badinput.HTTP(portC), badinput.Port("https", 443, tcp, portA))))},
		{Name: "a protocol more for a port that has one", Steps: always(
			create(web(nodePort, badinput.Port("tcp", 53, tcp, portD))),
			put(web(nodePort, badinput.Port("tcp", 53, tcp, portD), badinput.Port("udp", 53, udp, 0))))},
		{Name: "a protocol more, with the same node port", Steps: always(
			create(web(nodePort, badinput.Port("tcp", 53, tcp, portD))),
			put(web(nodePort, badinput.Port("tcp", 53, tcp, portD), badinput.Port("udp", 53, udp, portD))))},
		{Name: "two protocols more for one port", Steps: always(
			create(web(nodePort)),
			put(web(nodePort, badinput.HTTP(0), badinput.Port("tcp", 53, tcp, 0), badinput.Port("udp", 53, udp, 0))))},
		{Name: "two protocols more for two ports, with one node port", Steps: always(
			create(web(nodePort)),
			put(web(nodePort, badinput.HTTP(0), badinput.Port("tcp", 53, tcp, portD), badinput.Port("udp", 54, udp, portD))))},
	}
}

// healthCases are about the port for health checks.
func healthCases() []Case {
	local, cluster := `{"spec":{"externalTrafficPolicy":"Local"}}`, `{"spec":{"externalTrafficPolicy":"Cluster"}}`
	return []Case{
		{Name: "a health check port", Steps: always(
			create(web(loadBalancer, badinput.Local(0))), put(web(loadBalancer, badinput.Local(0))))},
		{Name: "a health check port that is named", Steps: always(create(web(loadBalancer, badinput.Local(portE))))},
		{Name: "a health check port that comes and goes", Steps: always(
			create(web(loadBalancer)), merge(local), merge(cluster), merge(local))},
		{Name: "a health check port that comes and goes, by replacement", Steps: always(
			create(web(loadBalancer)), put(web(loadBalancer, badinput.Local(portE))), put(web(loadBalancer)),
			create(web(loadBalancer, badinput.Local(portE), other)))},
		{Name: "a health check port without node ports", Steps: always(
			create(web(loadBalancer, badinput.WithoutPorts(), badinput.Local(0))))},
		{Name: "a health check port of a NodePort that becomes a load balancer", Steps: always(
			create(web(nodePort, badinput.Local(0))), put(web(loadBalancer, badinput.Local(0))), put(web(nodePort, badinput.Local(0))))},
		{Name: "a NodePort with local traffic", Steps: always(create(web(nodePort, badinput.Local(0))))},
	}
}
