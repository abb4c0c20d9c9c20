// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ownCluster is the folder of the cluster, where that is one of this machine. Else the
// spec is skipped: it reaches for processes and networks.
func ownCluster() string {
	GinkgoHelper()
	folder := os.Getenv("E2E_CLUSTER")
	if folder == "" {
		Skip("the cluster is none that `make cluster-up` has brought up on this machine")
	}
	return folder
}

// processes are those of the cluster of a name, but for containers.
func processes(ctx context.Context, name string) []int {
	GinkgoHelper()
	node := filepath.Join(os.Getenv("SERVICENET_BIN"), "node")
	output, err := exec.CommandContext(ctx, node, "status", "--dir="+ownCluster()).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	var found []int
	for line := range strings.Lines(string(output)) {
		pid, runs, _ := strings.Cut(strings.TrimSpace(line), " ")
		if number, err := strconv.Atoi(pid); err == nil && strings.TrimSpace(runs) == name {
			found = append(found, number)
		}
	}
	return found
}

// machineOf is the first process of a node, whose namespaces are the node's.
func machineOf(node string) int {
	GinkgoHelper()
	record, err := os.ReadFile(filepath.Join(ownCluster(), "nodes", node, "machine"))
	Expect(err).NotTo(HaveOccurred())
	pid, err := strconv.Atoi(strings.Fields(string(record))[0])
	Expect(err).NotTo(HaveOccurred())
	return pid
}

// containerOf is the process of the only container of a pod.
func containerOf(p *corev1.Pod) int {
	GinkgoHelper()
	ownCluster()
	Expect(p.Status.ContainerStatuses).To(HaveLen(1))
	_, id, _ := strings.Cut(p.Status.ContainerStatuses[0].ContainerID, "://")
	Expect(id).NotTo(BeEmpty(), "pod %s has no container", p.Name)
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	Expect(err).NotTo(HaveOccurred())
	at := slices.IndexFunc(groups, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), id) // else it has just ended
	})
	Expect(at).To(BeNumerically(">=", 0), "no process is in the container of pod %s", p.Name)
	pid, err := strconv.Atoi(filepath.Base(filepath.Dir(groups[at])))
	Expect(err).NotTo(HaveOccurred())
	return pid
}

// kill ends a process without asking it.
func kill(pid int) {
	GinkgoHelper()
	process, err := os.FindProcess(pid)
	Expect(err).NotTo(HaveOccurred())
	Expect(process.Kill()).To(Succeed())
}

// run runs a program of this machine.
func run(ctx context.Context, args ...string) {
	GinkgoHelper()
	output, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%v: %s", args, output)
}

// leaderLease is what the replicas of the manager compete for.
func leaderLease(ctx context.Context) (*coordinationv1.Lease, error) {
	lease := &coordinationv1.Lease{}
	err := api.Get(ctx, client.ObjectKey{Namespace: managerNamespace, Name: "manager.servicenet.dev"}, lease)
	return lease, err
}

// leader is the replica of the manager that leads, and what it calls itself.
func leader(ctx context.Context) (p *corev1.Pod, identity string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		lease, err := leaderLease(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(lease.Spec.HolderIdentity).NotTo(Or(BeNil(), HaveValue(BeEmpty())))
		identity = *lease.Spec.HolderIdentity
		name, _, _ := strings.Cut(identity, "_")
		p = &corev1.Pod{}
		g.Expect(api.Get(ctx, client.ObjectKey{Namespace: managerNamespace, Name: name}, p)).To(Succeed())
		g.Expect(p.DeletionTimestamp).To(BeNil())
	}).Should(Succeed())
	return p, identity
}

// leads tells who leads, by what it calls itself.
func leads(ctx context.Context) (string, error) {
	lease, err := leaderLease(ctx)
	if err != nil || lease.Spec.HolderIdentity == nil {
		return "", err
	}
	return *lease.Spec.HolderIdentity, nil
}
