// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hooked

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/test/badinput"
	"servicenet.dev/servicenet/test/integration/ledger/part"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// logLines is how much of a manager's log a spec that fails shows.
const logLines = 40

// Server is a control plane with the namespaces and the pools of the table of bad
// input.
type Server struct {
	Plane *controlplane.ControlPlane
	// API reads and writes without a cache, with all rights. Around does so without
	// the webhooks, as the API server itself.
	API, Around client.Client
	Kubeconfig  string
}

// Start starts a control plane with a range of ClusterIPs, which ends with the
// suite or the container of specs.
func Start(ctx context.Context, clusterIPs string, args ...string) *Server {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(dir, "plane"), ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true, APIServerArgs: args,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	Expect(plane.InstallCRDs(ctx, numbers.InRepository("config", "crd", "bases"))).To(Succeed())
	s := &Server{Plane: plane, Kubeconfig: filepath.Join(dir, "kubeconfig")}
	itself, err := plane.ConfigFor("system:apiserver", controlplane.AdminGroup)
	Expect(err).NotTo(HaveOccurred())
	scheme, err := part.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	s.API, err = client.New(plane.RESTConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	s.Around, err = client.New(itself, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(controlplane.WriteKubeconfig(s.Kubeconfig, plane.RESTConfig())).To(Succeed())
	for _, name := range badinput.Namespaces() {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: badinput.NamespaceLabels(name)}}
		Expect(s.API.Create(ctx, namespace)).To(Succeed())
	}
	pools := badinput.ClusterIPPools()
	if !strings.Contains(clusterIPs, ".") {
		pools = badinput.IPv6Pools()
	}
	for _, pool := range pools {
		Expect(s.API.Create(ctx, pool)).To(Succeed())
	}
	for _, pool := range badinput.NodePortPools() {
		Expect(s.API.Create(ctx, pool)).To(Succeed())
	}
	for _, pool := range badinput.LoadBalancerPools() {
		Expect(s.API.Create(ctx, pool)).To(Succeed())
	}
	return s
}

// StartManager starts a manager with webhooks, which ends with the spec, the container
// or the suite. Policies have a suite of their own: here they would have the say where
// the API server is to answer without webhooks.
func (s *Server) StartManager(ctx context.Context, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	manager, err := s.Plane.StartManager(ctx, controlplane.ManagerOptions{
		Name: name, Path: program, RoleFile: numbers.InRepository("config", "rbac", "role.yaml"), ServeWebhooks: true,
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

// hooksFile is what says to the API server what to ask the webhooks.
func hooksFile() string { return numbers.InRepository("config", "webhook", "service-webhooks.yaml") }

// Register has the API server call the webhooks at a root, until the spec, the
// container or the suite ends.
func (s *Server) Register(ctx context.Context, root string) {
	GinkgoHelper()
	DeferCleanup(func(ctx context.Context) { Expect(s.Plane.UnregisterWebhooks(ctx, hooksFile())).To(Succeed()) })
	Expect(s.Plane.RegisterWebhooks(ctx, root, hooksFile())).To(Succeed())
}

// Route does so, and waits until it does.
func (s *Server) Route(ctx context.Context, root string) {
	GinkgoHelper()
	s.Register(ctx, root)
	Eventually(func(ctx context.Context) string {
		outside := badinput.Make("free", "probe", corev1.ServiceTypeClusterIP, badinput.Singular("192.0.2.1"))
		return fmtError(s.API.Create(ctx, outside, client.DryRunAll))
	}).WithContext(ctx).Should(ContainSubstring("mutate.services.servicenet.dev"))
}

func fmtError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// StatusOf returns the answer of the API server.
func StatusOf(err error) metav1.Status {
	GinkgoHelper()
	if err == nil {
		return metav1.Status{Code: 201}
	}
	status := apierrors.APIStatus(nil)
	Expect(errors.As(err, &status)).To(BeTrue(), "%v", err)
	return status.Status()
}

// Given makes Services that exist, whatever the webhooks have against them, and waits
// until the ledger has their numbers, if a manager runs, and not only still has them of
// one before. A port may still be held there that another had a moment ago: who names it
// is told the truth.
func (s *Server) Given(ctx context.Context, known bool, services ...*corev1.Service) {
	GinkgoHelper()
	for _, service := range services {
		service.ResourceVersion = ""
		// The API server lets go of ports some time after their Service.
		Eventually(func(ctx context.Context) error { return s.Around.Create(ctx, service) }).WithContext(ctx).Should(Succeed())
		if known {
			Eventually(s.missing).WithArguments(service, service.ResourceVersion, func(place ledger.Place, state ledger.State) bool {
				return state == ledger.Used || state == ledger.Held && place.Block.IsPorts()
			}).WithContext(ctx).Should(BeEmpty())
		}
	}
}

// Unknown returns the numbers of a Service that the ledger does not have as used.
func (s *Server) Unknown(ctx context.Context, service *corev1.Service) ([]string, error) {
	return s.missing(ctx, service, "1", func(_ ledger.Place, state ledger.State) bool { return state == ledger.Used })
}

// missing returns the numbers of a Service that the ledger does not have as they are to
// be, in blocks that were written after a resourceVersion.
func (s *Server) missing(
	ctx context.Context, service *corev1.Service, since string, good func(ledger.Place, ledger.State) bool,
) ([]string, error) {
	var blocks servicenetv1alpha1.AllocationBlockList
	if err := s.API.List(ctx, &blocks); err != nil {
		return nil, err
	}
	byName := map[string]*ledger.Block{}
	for i := range blocks.Items {
		block, err := ledger.Decode(blocks.Items[i].Data)
		if err != nil {
			return nil, err
		}
		order, err := resourceversion.CompareResourceVersion(blocks.Items[i].ResourceVersion, since)
		if err != nil {
			return nil, err
		}
		if order > 0 {
			byName[blocks.Items[i].Name] = block
		}
	}
	var missing []string
	for _, place := range store.Numbers(service) {
		if block := byName[place.Key.String()]; block == nil || !good(place, block.State(place.Number)) {
			missing = append(missing, place.String())
		}
	}
	return missing, nil
}

// Clear removes all Services of the namespaces of the table.
func (s *Server) Clear(ctx context.Context) {
	GinkgoHelper()
	for _, name := range badinput.Namespaces() {
		Expect(s.Around.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(name))).To(Succeed())
	}
}
