// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package move moves a cluster from MetalLB's controller to the manager and back, as
// docs/moving-from-metallb.md says, and watches the addresses of its Services.
package move

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// dual is the control plane that all specs share.
var dual *numbers.Server

// folder has a kubeconfig.
var folder string

func TestMove(t *testing.T) { numbers.Run(t, "Move") }

var _ = BeforeSuite(func(ctx SpecContext) {
	dual = numbers.Start(ctx, controlplane.DefaultServiceClusterIPRange)
	folder = GinkgoT().TempDir()
	Expect(controlplane.WriteKubeconfig(kubeconfig(), dual.Plane.RESTConfig())).To(Succeed())
}, NodeTimeout(numbers.StartTimeout))

var _ = BeforeEach(func() { dual.AbortIfDead() })

func kubeconfig() string { return filepath.Join(folder, "kubeconfig") }

// shell runs a script, which has manager and kubectl for the control plane, as people
// do, and returns what it writes to stdout.
func shell(ctx context.Context, script string) string {
	GinkgoHelper()
	path := os.Getenv("PATH")
	for _, name := range []string{"kubectl", "manager"} {
		program, err := controlplane.FindBinaries().Find(name)
		Expect(err).NotTo(HaveOccurred())
		path = filepath.Dir(program) + string(filepath.ListSeparator) + path
	}
	command := exec.CommandContext(ctx, "bash", "-e", "-u", "-o", "pipefail", "-c", script)
	command.Env = append(os.Environ(), "PATH="+path, "KUBECONFIG="+kubeconfig())
	command.Dir = folder
	command.Stderr = GinkgoWriter
	out, err := command.Output()
	Expect(err).NotTo(HaveOccurred(), "%s: %s", script, out)
	return string(out)
}
