// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package policy tests, with the manager as a program on a real etcd and
// kube-apiserver, that exclusive pools are kept while no manager runs.
//
// Policies are for the whole cluster, so the specs run one after the other.
package policy

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/ledger/part"
)

const (
	// startTimeout is for the control plane and the program, on a busy machine.
	startTimeout = 5 * time.Minute
	// patience is how long an expected outcome may take.
	patience = 45 * time.Second
	// absence is how long something must not happen.
	absence = 3 * time.Second
	// logLines is how much of a manager's log a spec that fails shows.
	logLines = 40

	crds     = "../../../config/crd/bases"
	roleFile = "../../../config/rbac/role.yaml"
)

// plane is dual-stack, with the kube-controller-manager, which checks the types in
// policies.
var (
	plane *controlplane.ControlPlane
	api   client.Client
)

func TestPolicy(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(absence)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Policy")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	plane, err = controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(GinkgoT().TempDir(), "plane"), ServiceClusterIPRange: controlplane.DefaultServiceClusterIPRange,
		NoServiceAccountAdmission: true,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	Expect(plane.InstallCRDs(ctx, crds)).To(Succeed())
	_, err = plane.StartControllerManager(ctx)
	Expect(err).NotTo(HaveOccurred())
	scheme, err := part.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	config := plane.RESTConfig()
	config.QPS = -1
	api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(startTimeout))

// startManager starts a manager of numbers, which ends with the spec, if it has not
// been stopped by then.
func startManager(ctx context.Context, args ...string) *controlplane.Manager {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	manager, err := plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: program, RoleFile: roleFile, ServeWebhooks: true, Args: append([]string{"--controllers=clusterip,nodeport"}, args...),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx context.Context) {
		if CurrentSpecReport().Failed() {
			AddReportEntry("last log lines of the manager", manager.LogTail(logLines), ReportEntryVisibilityFailureOrVerbose)
		}
		Expect(manager.Stop(ctx)).To(Succeed())
	})
	return manager
}

// newNamespace makes a namespace of a team. At the end of the spec its Services and
// all pools are removed.
func newNamespace(ctx context.Context, team string) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-", Labels: map[string]string{"team": team}}}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(api.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(namespace.Name))).To(Succeed())
		Expect(api.DeleteAllOf(ctx, &servicenetv1alpha1.ClusterIPPool{})).To(Succeed())
		Expect(api.DeleteAllOf(ctx, &servicenetv1alpha1.NodePortPool{})).To(Succeed())
		Expect(api.DeleteAllOf(ctx, &servicenetv1alpha1.LoadBalancerPool{})).To(Succeed())
		Expect(api.DeleteAllOf(ctx, &servicenetv1alpha1.AllocationBlock{})).To(Succeed())
		// The manager has stopped by now: what it kept is removed here.
		Expect(api.DeleteAllOf(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{})).To(Succeed())
		Expect(api.DeleteAllOf(ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{})).To(Succeed())
	})
	return namespace.Name
}

// exclusive returns the policy of a pool for a team alone.
func exclusive(team string) servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{
		Exclusive: true, NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}},
	}
}

func balancerPool(name string, addresses ...string) *servicenetv1alpha1.LoadBalancerPool {
	return &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: addresses},
	}
}

func addressPool(name, team string, cidrs ...string) *servicenetv1alpha1.ClusterIPPool {
	return &servicenetv1alpha1.ClusterIPPool{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       servicenetv1alpha1.ClusterIPPoolSpec{CIDRs: cidrs, PoolPolicy: exclusive(team)},
	}
}

func portPool(name, team string, first, last int32) *servicenetv1alpha1.NodePortPool {
	return &servicenetv1alpha1.NodePortPool{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: servicenetv1alpha1.NodePortPoolSpec{
			Ranges: []servicenetv1alpha1.PortRange{{First: first, Last: last}}, PoolPolicy: exclusive(team),
		},
	}
}

func service(namespace, name, address string, port int32) *corev1.Service {
	of := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, ClusterIP: address, Ports: []corev1.ServicePort{{Port: 80, NodePort: port}},
		},
	}
	return of
}

// policies returns the names of those that are there with a binding, and are known to
// have correct types.
func policies(ctx context.Context) ([]string, error) {
	var all admissionregistrationv1.ValidatingAdmissionPolicyList
	if err := api.List(ctx, &all); err != nil {
		return nil, err
	}
	var names []string
	for i := range all.Items {
		of := &all.Items[i]
		err := api.Get(ctx, client.ObjectKeyFromObject(of), &admissionregistrationv1.ValidatingAdmissionPolicyBinding{})
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		checked := of.Status.TypeChecking != nil && len(of.Status.TypeChecking.ExpressionWarnings) == 0
		if err == nil && checked && of.Status.ObservedGeneration == of.Generation {
			names = append(names, of.Name)
		}
	}
	return names, nil
}
