// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command node is `make cluster-up` and `make cluster-down`: a Kubernetes cluster
// with real nodes on this machine, from packages and from programs built here.
//
//	node up [flags]      bring a cluster up, and return when it can be used
//	node down [flags]    take it down, with all that is left of it
//	node status [flags]  say what runs
//	node load FILE...    bring images into its nodes
//	node packages        install the packages of Debian that nodes are made of
//
// # Parts
//
// `up` leaves a supervisor behind (`node serve`), which is the parent of all the
// rest and starts again what ends: etcd and the API server on this machine, and for
// each node a machine (`node machine`) with containerd, kubelet and kube-proxy. A
// machine is the first process of PID, mount and network namespaces of its own: with
// it, however it ends, go its pods, their mounts, their interfaces and kube-proxy's
// rules. When the supervisor ends, however it ends, the kernel ends its children.
// What can be left are files in one folder, a bridge and control groups; `up` and
// `down` remove those.
//
// # Networks
//
//	10.197.0.0/24    fd00:10:197::/64     the bridge: this machine is 1, node-1 is 2
//	10.198.N.0/24    fd00:10:198:N::/64   the pods of node N
//	10.96.0.0/16     fd00:10:96::/112     Services
//
// This machine has routes to all of them, so that it can use addresses of pods and of
// Services, and so can the API server. Pods reach one another, the nodes and this
// machine, and nothing beyond it.
package main
