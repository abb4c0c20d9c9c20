// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package operating tests what docs/operations.md and docs/runbooks.md have operators rely
// on, with the manager as a program on a real etcd and kube-apiserver: that the metrics
// exist that alerts and dashboards name, and that a ledger comes back that is lost.
package operating

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// logLines is how much of a manager's log a spec that fails shows.
const logLines = 40

func TestOperating(t *testing.T) { numbers.Run(t, "Operating") }

// newCluster starts a control plane, which ends with the spec.
func newCluster(ctx context.Context) *numbers.Server {
	GinkgoHelper()
	return numbers.Start(ctx, controlplane.DefaultServiceClusterIPRange)
}

// start starts a manager with webhooks, which nothing calls until they are registered. It
// ends with the spec.
func start(ctx context.Context, on *numbers.Server, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	manager, err := on.Plane.StartManager(ctx, controlplane.ManagerOptions{
		Name: name, Path: program, RoleFile: numbers.InRepository("config", "rbac", "role.yaml"), ServeWebhooks: true, Args: args,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx context.Context) {
		if CurrentSpecReport().Failed() {
			AddReportEntry("last log lines of "+name, manager.LogTail(logLines), ReportEntryVisibilityFailureOrVerbose)
		}
		Expect(manager.Stop(ctx)).To(Succeed())
	})
	return manager
}

// pools returns one of each kind: a range of addresses and one of ports for all, and some
// load-balancer addresses.
func pools(balanced string) []client.Object {
	named := metav1.ObjectMeta{Name: "all"}
	return []client.Object{
		&servicenetv1alpha1.ClusterIPPool{ObjectMeta: named, Spec: servicenetv1alpha1.ClusterIPPoolSpec{
			CIDRs: []string{"10.96.7.0/24", "fd00:10:96::700/120"},
		}},
		&servicenetv1alpha1.NodePortPool{ObjectMeta: named, Spec: servicenetv1alpha1.NodePortPoolSpec{
			Ranges: []servicenetv1alpha1.PortRange{{First: 31000, Last: 31999}},
		}},
		&servicenetv1alpha1.LoadBalancerPool{ObjectMeta: named, Spec: servicenetv1alpha1.LoadBalancerPoolSpec{
			Addresses: []string{balanced},
		}},
	}
}

// newService returns one of a type, of both families where that is possible.
func newService(name string, of corev1.ServiceType) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name},
		Spec: corev1.ServiceSpec{
			Type: of, Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Port: 80}},
			IPFamilyPolicy: new(corev1.IPFamilyPolicyPreferDualStack),
		},
	}
	if of == corev1.ServiceTypeLoadBalancer {
		service.Spec.LoadBalancerClass = new(servicenetv1alpha1.LoadBalancerClass)
	}
	return service
}
