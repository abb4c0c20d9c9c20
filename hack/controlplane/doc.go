// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controlplane starts a Kubernetes control plane from its real
// binaries on the loopback interface: etcd and kube-apiserver, and on demand
// kube-controller-manager, kube-scheduler and kwok with simulated nodes.
//
// It serves `make run`, the integration tests and the benchmarks, so its parts
// can be stopped, killed, paused and started again one by one:
//
//	cp, err := controlplane.Start(ctx, controlplane.Options{})
//	if err != nil {
//		return err
//	}
//	defer cp.Stop()
//	kcm, err := cp.StartControllerManager(ctx)
//	...
//	err = kcm.Signal(syscall.SIGSTOP) // pause it
//	err = cp.Etcd().Restart(ctx)      // same ports, same data
//
// Nothing outlives the control plane: Stop ends every part, and on Linux the
// kernel ends them when the process that started them dies, however it dies.
//
// Each part has an identity of its own, as in a stock cluster: what one may not
// do shows here too. The manager, which StartManager runs, has the generated role
// and nothing else.
//
// # Simulated nodes and pods
//
// AddNodes makes nodes, StartKwok plays the kubelet on them. A pod that is
// bound to such a node is Running and Ready at once and has an address of each
// family of the control plane. Pods of Jobs complete at once. Three things can
// be asked of the simulated kubelet with kubectl:
//
//	kubectl annotate pod web-0 kwok.servicenet.dev/ready=false   # turn unready
//	kubectl annotate pod web-0 kwok.servicenet.dev/ready-        # and ready again
//	kubectl annotate pod web-0 kwok.servicenet.dev/stop-after=20s # take that long to end once deleted
//
// Readiness gates (pod.spec.readinessGates) count as on a real kubelet: the
// pod is Ready while all its gates' conditions are True.
package controlplane
