// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"net/netip"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

func TestSimulatedNodesRunPods(t *testing.T) {
	t.Parallel()
	cp := startForTest(t, Options{})
	startSimulation(t, cp)
	clients := clientFor(t, cp.RESTConfig())
	if _, err := clients.AppsV1().Deployments("default").
		Create(t.Context(), deployment("web", 6), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "six ready pods", func() bool {
		got, err := clients.AppsV1().Deployments("default").Get(t.Context(), "web", metav1.GetOptions{})
		return err == nil && got.Status.ReadyReplicas == 6
	})

	pods, err := clients.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nodes, addresses := map[string]bool{}, map[string]bool{}
	for _, pod := range pods.Items {
		nodes[pod.Spec.NodeName] = true
		if len(pod.Status.PodIPs) != 2 {
			t.Fatalf("pod %s has addresses %v, want one of each family", pod.Name, pod.Status.PodIPs)
		}
		for i, wantIPv4 := range []bool{true, false} {
			address := netip.MustParseAddr(pod.Status.PodIPs[i].IP)
			if address.Is4() != wantIPv4 || addresses[address.String()] {
				t.Errorf("pod %s: address %d is %s: of the wrong family or given twice", pod.Name, i, address)
			}
			addresses[address.String()] = true
		}
	}
	if len(nodes) != 3 {
		t.Errorf("pods run on %d nodes, want 3", len(nodes))
	}
	checkReadiness(t, clients, pods.Items[0].Name)
	checkLeases(t, clients)
}

// checkLeases sees that every node has a Lease: without, kube-controller-manager
// takes the nodes for dead after a while.
func checkLeases(t *testing.T, clients kubernetes.Interface) {
	t.Helper()
	eventually(t, "a Lease for each node", func() bool {
		leases, err := clients.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(t.Context(), metav1.ListOptions{})
		return err == nil && len(leases.Items) == 3
	})
}

// checkReadiness turns a pod unready and ready again with the annotation.
func checkReadiness(t *testing.T, clients kubernetes.Interface, name string) {
	t.Helper()
	for _, step := range []struct {
		patch string
		want  corev1.ConditionStatus
	}{
		{`{"metadata":{"annotations":{"kwok.servicenet.dev/ready":"false"}}}`, corev1.ConditionFalse},
		{`{"metadata":{"annotations":{"kwok.servicenet.dev/ready":null}}}`, corev1.ConditionTrue},
	} {
		if _, err := clients.CoreV1().Pods("default").Patch(t.Context(), name,
			types.MergePatchType, []byte(step.patch), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "Ready="+string(step.want), func() bool {
			pod, err := clients.CoreV1().Pods("default").Get(t.Context(), name, metav1.GetOptions{})
			if err != nil {
				return false
			}
			for _, condition := range pod.Status.Conditions {
				if condition.Type == corev1.PodReady {
					return condition.Status == step.want
				}
			}
			return false
		})
	}
}

// startSimulation starts all parts that a Deployment needs.
func startSimulation(t *testing.T, cp *ControlPlane) {
	t.Helper()
	if _, err := cp.StartControllerManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := cp.StartScheduler(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := cp.StartKwok(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := cp.AddNodes(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
	}
}

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(replicas),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
			},
		},
	}
}

func TestNodeNetworksDoNotOverlap(t *testing.T) {
	t.Parallel()
	for _, isIPv4 := range []bool{true, false} {
		seen := map[netip.Addr]bool{}
		var last netip.Prefix
		for i := range maxNodes {
			address, pods := nodeNetwork(i, isIPv4)
			if seen[address] {
				t.Fatalf("node %d: address %s given twice", i, address)
			}
			seen[address] = true
			if last.IsValid() && (last.Overlaps(pods) || !last.Addr().Less(pods.Addr())) {
				t.Fatalf("node %d: pods in %s, those of the node before in %s", i, pods, last)
			}
			last = pods
			for _, reserved := range []string{"10.96.0.0/16", "fd00:10:96::/112"} {
				if netip.MustParsePrefix(reserved).Overlaps(pods) {
					t.Fatalf("node %d: pods in %s, which are addresses of Services", i, pods)
				}
			}
		}
	}
}
