// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/ledger/part"
)

// Server is a control plane with the kube-controller-manager that looks after
// ServiceCIDRs.
type Server struct {
	Plane *controlplane.ControlPlane
	// API reads and writes without a cache, with all rights.
	API client.Client

	clusterIPs, kubeconfig string
}

// Start starts a control plane with a range of ClusterIPs, which ends with the
// suite or the container of specs. The arguments are of its API server.
func Start(ctx context.Context, clusterIPs string, args ...string) *Server {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(dir, "plane"), ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true,
		APIServerArgs: append(append(auditArgs(dir), "--delete-collection-workers=8"), args...),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	Expect(plane.InstallCRDs(ctx, InRepository("config", "crd", "bases"))).To(Succeed())
	_, err = plane.StartControllerManager(ctx)
	Expect(err).NotTo(HaveOccurred())
	s := &Server{Plane: plane, clusterIPs: clusterIPs, kubeconfig: filepath.Join(dir, "kubeconfig")}
	s.API = newClient(plane.APIServer())
	Expect(controlplane.WriteKubeconfig(s.kubeconfig, plane.RESTConfig())).To(Succeed())
	return s
}

// newClient returns a client of an API server with all rights.
func newClient(of *controlplane.APIServer) client.Client {
	GinkgoHelper()
	scheme, err := part.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	config := of.RESTConfig()
	config.QPS = -1
	api, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return api
}

// Dual tells whether Services can have addresses of both families.
func (s *Server) Dual() bool { return strings.Contains(s.clusterIPs, ",") }

// AbortIfDead ends the suite when a part of the control plane has died: it takes
// every further spec with it, and that is said once.
func (s *Server) AbortIfDead() {
	select {
	case <-s.Plane.Done():
		AbortSuite(s.Plane.Err().Error())
	default:
	}
}

// Kubectl returns the words of each line that kubectl prints.
func (s *Server) Kubectl(ctx context.Context, args ...string) ([][]string, error) {
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

// InRepository returns the path of a file of this repository.
func InRepository(elements ...string) string {
	GinkgoHelper()
	folder, err := os.Getwd()
	Expect(err).NotTo(HaveOccurred())
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return filepath.Join(append([]string{folder}, elements...)...)
		}
		above := filepath.Dir(folder)
		Expect(above).NotTo(Equal(folder), "the tests run outside of the repository")
		folder = above
	}
}
