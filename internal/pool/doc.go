// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pool decides which pool serves a Service: where the numbers that it
// needs may be taken from, in which order to try, or why it cannot have them.
//
//	families, faults := pool.Decide(cluster, service, old)
//	choices, faults := clusterIPs.Choose(who, families.Needs, retained)
//
// A pool is compiled once a generation. All compiled pools together, beside what
// the API server has, are a ClusterIPs or a NodePorts, which is made anew when one
// of them changes, or a ServiceCIDR has been ready for long enough; the Ranges of
// pools whose numbers stay the same are kept.
//
// LoadBalancers are the same for load-balancer addresses, of which the API server has
// none: the pools themselves, and the nodes, are all there is.
//
//	choices := balancers.Choose(who, named, needs, retained)
//	standing, pool := balancers.Keeps(who, named, address)
//
// The rules, of which docs/pools.md is for users:
//
//   - A number belongs to one pool at most: to an exclusive one before others, then
//     by priority, specificity, age and name.
//   - A Service that names a number gets that one, if it may have it. A reserved
//     number goes to whom it is meant for, and to nobody else.
//   - A Service that pools serve gets numbers from them only, by priority,
//     specificity and name. One that no pool serves gets what is not in an
//     exclusive pool.
//   - All that holds for each family by itself, and for numbers that are new: what
//     a Service has, it keeps, but for load-balancer addresses where pools say
//     otherwise (Keeps).
//
// It does no I/O and reads no clock. What is taken is not its matter.
//
// # Cost
//
// The choice of two addresses for one dual-stack Service, beside 1,000 pools with
// addresses of both families, measured by "go test -bench Choose" on one core of an
// AMD EPYC (family 26), Go 1.26:
//
//	a pool for each of 1,000 teams             0.5 µs   288 B    5 allocations
//	one of the addresses named                 0.6 µs   272 B    5 allocations
//	1,000 pools that serve everybody           8.7 µs  8464 B    4 allocations
//	1,000 selectors that no label leads to    16.9 µs  8464 B    4 allocations
//
// To take up the change of one of them takes 5 ms.
//
// The same for load-balancer addresses ("-bench 'Balancing|NewLoadBalancers'"):
//
//	a pool for each of 1,000 teams             0.7 µs   472 B    11 allocations
//	one of the addresses named                 0.8 µs   424 B    9 allocations
//	1,000 pools that serve everybody          10.5 µs  8648 B    10 allocations
//	one of them that is asked for by its name  0.5 µs   464 B    10 allocations
//	whether a Service keeps an address         0.4 µs   128 B    4 allocations
//	the change of a pool                       5 ms
//
// To count one Service of 20,000 anew beside 300 pools takes 1 µs, all of them 47 ms,
// and to say how all the pools stand 0.9 ms ("-bench Status").
package pool
