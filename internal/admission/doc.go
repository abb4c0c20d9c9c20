// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission decides what the webhooks answer: which numbers a Service needs
// and where they may be taken from, what is wrong with a Service or a pool, and what
// that is as an answer of the API server.
//
//	plan, faults := admission.Decide(cluster, request)
//	places, faults, err := plan.Fulfil(take)
//	patch := plan.Patch(places)
//
// The allocator of the API server comes after the mutating webhooks and before
// everything else that could refuse a Service, so that numbers are judged here, all
// faults at once, and whatever is left to the server is left to it wholly:
//
//   - A number is needed where the server would allocate one: for a new Service, one
//     that was an ExternalName, a second family, a port that has none by its name.
//     What a Service has, it keeps, and it is not judged again.
//   - A Service that names a number gets that one, which costs no patch. Those that it
//     names are taken before any is chosen, so that none is chosen that it names.
//   - New ports with one port number share a node port; only the first of them is
//     planned for, and the server lets the others have the same.
//   - A new Service whose name exists gets nothing, so that the server answers 409.
//     Whether it exists must be known from the server itself: one that was deleted a
//     moment ago is still in caches.
//   - A dry run takes nothing and changes nothing. It refuses what can be refused
//     without the ledger: that a number is taken, it does not see. Numbers that are
//     left out stay so, and the server shows some that nobody gets.
//   - A Service that all hooks have seen is judged by the same rules once more, with
//     Request.Final: a number that the server chose counts as one that is named.
//
// Types, of a Service that changes from one (down) to another, and what becomes of
// its numbers:
//
//	              ClusterIP         NodePort          LoadBalancer      ExternalName
//	ClusterIP     -                 ports taken       ports and health  IPs freed
//	                                                  check taken
//	NodePort      ports freed       -                 ports kept,       all freed
//	                                                  health check taken
//	LoadBalancer  ports and health  ports kept,       -                 all freed
//	              check freed       health check freed
//	ExternalName  IPs taken         IPs, ports taken  all taken         -
//
// The health check port is that of externalTrafficPolicy Local alone. A LoadBalancer
// without allocateLoadBalancerNodePorts gets no ports that it does not name, and
// keeps those only that it goes on naming.
//
// # Cost
//
// Beside 1,000 pools of addresses of both families and 1,000 of ports, with the patch,
// measured by "go test -bench Plan" on one core of an AMD EPYC (family 26), Go 1.26:
//
//	                                          a ClusterIP   a dual-stack LoadBalancer, 3 ports
//	a pool for each of 1,000 teams            3.4 µs        12 µs
//	1,000 pools that serve everybody          17 µs         29 µs
//
// It does no I/O and reads no clock. Whether a number is free is the ledger's matter.
package admission
