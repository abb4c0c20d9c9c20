// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"errors"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/test/badinput"
	"servicenet.dev/servicenet/test/integration/ledger/part"
)

// logLines is how much of a manager's log a spec that fails shows.
const logLines = 40

// server is a control plane with the namespaces and the pools of the table of bad
// input.
type server struct {
	plane *controlplane.ControlPlane
	// api reads and writes without a cache, with all rights. around does so without
	// the webhooks, as the API server itself.
	api, around client.Client
	kubeconfig  string
}

// startServer starts a control plane with a range of ClusterIPs, which ends with the
// suite or the container of specs.
func startServer(ctx context.Context, clusterIPs string, args ...string) *server {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(dir, "plane"), ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true, APIServerArgs: args,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	Expect(plane.InstallCRDs(ctx, crds)).To(Succeed())
	s := &server{plane: plane, kubeconfig: filepath.Join(dir, "kubeconfig")}
	itself, err := plane.ConfigFor("system:apiserver", controlplane.AdminGroup)
	Expect(err).NotTo(HaveOccurred())
	scheme, err := part.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	s.api, err = client.New(plane.RESTConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	s.around, err = client.New(itself, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(controlplane.WriteKubeconfig(s.kubeconfig, plane.RESTConfig())).To(Succeed())
	for _, name := range badinput.Namespaces() {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: badinput.NamespaceLabels(name)}}
		Expect(s.api.Create(ctx, namespace)).To(Succeed())
	}
	for _, pool := range badinput.ClusterIPPools() {
		Expect(s.api.Create(ctx, pool)).To(Succeed())
	}
	for _, pool := range badinput.NodePortPools() {
		Expect(s.api.Create(ctx, pool)).To(Succeed())
	}
	for _, pool := range badinput.LoadBalancerPools() {
		Expect(s.api.Create(ctx, pool)).To(Succeed())
	}
	return s
}

// startManager starts a manager with webhooks, which ends with the spec, the container
// or the suite. Policies have a suite of their own: here they would have the say where
// the API server is to answer without webhooks.
func (s *server) startManager(ctx context.Context, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	manager, err := s.plane.StartManager(ctx, controlplane.ManagerOptions{
		Name: name, Path: program, RoleFile: roleFile, ServeWebhooks: true,
		Args: append([]string{"--controllers=clusterip,nodeport,loadbalancer", "--admission-policy=false"}, args...),
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

// route has the API server call the webhooks at a root, and waits until it does.
func (s *server) route(ctx context.Context, root string) {
	GinkgoHelper()
	DeferCleanup(func(ctx context.Context) { Expect(s.plane.UnregisterWebhooks(ctx, hooksFile)).To(Succeed()) })
	Expect(s.plane.RegisterWebhooks(ctx, root, hooksFile)).To(Succeed())
	Eventually(func(ctx context.Context) string {
		outside := badinput.Make("free", "probe", corev1.ServiceTypeClusterIP, badinput.Singular("192.0.2.1"))
		return fmtError(s.api.Create(ctx, outside, client.DryRunAll))
	}).WithContext(ctx).Should(ContainSubstring("mutate.services.servicenet.dev"))
}

func fmtError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// statusOf returns the answer of the API server.
func statusOf(err error) metav1.Status {
	GinkgoHelper()
	if err == nil {
		return metav1.Status{Code: 201}
	}
	status := apierrors.APIStatus(nil)
	Expect(errors.As(err, &status)).To(BeTrue(), "%v", err)
	return status.Status()
}

// given makes Services that exist, whatever the webhooks have against them, and waits
// until the ledger has their numbers, if a manager runs.
func (s *server) given(ctx context.Context, known bool, services ...*corev1.Service) {
	GinkgoHelper()
	for _, service := range services {
		service.ResourceVersion = ""
		// The API server lets go of ports some time after their Service.
		Eventually(func(ctx context.Context) error { return s.around.Create(ctx, service) }).WithContext(ctx).Should(Succeed())
		if known {
			Eventually(s.unknown).WithArguments(service).WithContext(ctx).Should(BeEmpty())
		}
	}
}

// unknown returns the numbers of a Service that the ledger does not have as used.
func (s *server) unknown(ctx context.Context, service *corev1.Service) ([]string, error) {
	var blocks servicenetv1alpha1.AllocationBlockList
	if err := s.api.List(ctx, &blocks); err != nil {
		return nil, err
	}
	byName := map[string]*ledger.Block{}
	for i := range blocks.Items {
		block, err := ledger.Decode(blocks.Items[i].Data)
		if err != nil {
			return nil, err
		}
		byName[blocks.Items[i].Name] = block
	}
	var missing []string
	for _, place := range store.Numbers(service) {
		if block := byName[place.Key.String()]; block == nil || block.State(place.Number) != ledger.Used {
			missing = append(missing, place.String())
		}
	}
	return missing, nil
}

// clear removes all Services of the namespaces of the table.
func (s *server) clear(ctx context.Context) {
	GinkgoHelper()
	for _, name := range badinput.Namespaces() {
		Expect(s.around.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(name))).To(Succeed())
	}
}
