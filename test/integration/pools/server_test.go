// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/ledger/part"
)

// logLines is how much of a manager's log a spec that fails shows.
const logLines = 40

// server is a control plane with the kube-controller-manager that looks after
// ServiceCIDRs.
type server struct {
	plane *controlplane.ControlPlane
	// api reads and writes without a cache, with all rights.
	api        client.Client
	kubeconfig string
}

// startServer starts a control plane with a range of ClusterIPs, which ends with
// the suite or the container of specs.
func startServer(ctx context.Context, clusterIPs string, args ...string) *server {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(dir, "plane"), ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true,
		APIServerArgs: append(auditArgs(dir), args...),
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
	s := &server{plane: plane, kubeconfig: filepath.Join(dir, "kubeconfig")}
	s.api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(controlplane.WriteKubeconfig(s.kubeconfig, plane.RESTConfig())).To(Succeed())
	return s
}

// startManager starts a manager of numbers, which ends with the spec.
func (s *server) startManager(ctx context.Context, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	manager, err := s.plane.StartManager(ctx, controlplane.ManagerOptions{
		Name: name, Path: program, RoleFile: roleFile,
		Args: append([]string{"--controllers=clusterip,nodeport"}, args...),
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

// errorsLogged returns what a manager has logged as errors.
func errorsLogged(manager *controlplane.Manager) []string {
	GinkgoHelper()
	content, err := os.ReadFile(manager.LogPath())
	Expect(err).NotTo(HaveOccurred())
	var found []string
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(line, `{"level":"info"`) {
			found = append(found, line)
		}
	}
	return found
}

// kubectl returns the words of each line that kubectl prints.
func (s *server) kubectl(ctx context.Context, args ...string) ([][]string, error) {
	program, err := controlplane.FindBinaries().Find("kubectl")
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, program, append([]string{"--kubeconfig=" + s.kubeconfig}, args...)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("kubectl %v: %w: %s", args, err, out)
	}
	var lines [][]string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.Fields(line))
	}
	return lines, nil
}

// space is the namespace that a spec has to itself.
type space struct {
	*server
	name string
}

// newSpace makes a namespace with labels. At the end of the spec, after what was
// started in it has stopped, its Services, all pools and all blocks are removed.
func (s *server) newSpace(ctx context.Context, labels map[string]string) space {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-", Labels: labels}}
	Expect(s.api.Create(ctx, namespace)).To(Succeed())
	in := space{s, namespace.Name}
	DeferCleanup(in.clear)
	return in
}

func (in space) clear(ctx context.Context) {
	GinkgoHelper()
	Expect(in.api.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(in.name))).To(Succeed())
	Expect(in.api.DeleteAllOf(ctx, &servicenetv1alpha1.ClusterIPPool{})).To(Succeed())
	Expect(in.api.DeleteAllOf(ctx, &servicenetv1alpha1.NodePortPool{})).To(Succeed())
	Expect(in.api.DeleteAllOf(ctx, &servicenetv1alpha1.AllocationBlock{})).To(Succeed())
}

// expose makes a Service of a type, with an address if one is named.
func (in space) expose(ctx context.Context, name string, of corev1.ServiceType, address string, ports ...int32) *corev1.Service {
	GinkgoHelper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: in.name, Name: name},
		Spec:       corev1.ServiceSpec{Type: of, ClusterIP: address},
	}
	for i, port := range append([]int32{0}, ports...) {
		if i > 0 || len(ports) == 0 {
			service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
				Name: fmt.Sprintf("p%d", i), Port: int32(80 + i), NodePort: port,
			})
		}
	}
	Expect(in.api.Create(ctx, service)).To(Succeed())
	return service
}

// remove deletes a Service.
func (in space) remove(ctx context.Context, name string) {
	GinkgoHelper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: in.name, Name: name}}
	Expect(in.api.Delete(ctx, service)).To(Succeed())
}

// events returns the reasons of events about objects in the namespace, and about
// those in none.
func (s *server) events(ctx context.Context) ([]string, error) {
	var all corev1.EventList
	if err := s.api.List(ctx, &all); err != nil {
		return nil, err
	}
	var found []string
	for i := range all.Items {
		event := &all.Items[i]
		if event.ReportingController == "servicenet" {
			found = append(found, event.Reason+" "+event.InvolvedObject.Kind+" "+event.InvolvedObject.Name)
		}
	}
	return found, nil
}

// serviceCIDRs returns the ServiceCIDRs of a pool.
func (s *server) serviceCIDRs(ctx context.Context, pool string) ([]networkingv1.ServiceCIDR, error) {
	var all networkingv1.ServiceCIDRList
	if err := s.api.List(ctx, &all); err != nil {
		return nil, err
	}
	var owned []networkingv1.ServiceCIDR
	for i := range all.Items {
		if owner := metav1.GetControllerOf(&all.Items[i]); owner != nil && owner.Name == pool {
			owned = append(owned, all.Items[i])
		}
	}
	return owned, nil
}
