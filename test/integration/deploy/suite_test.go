// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package deploy installs what config/ comes to on a real API server, as make deploy
// does, runs the manager with the arguments of the Deployment and the token of its
// service account, and removes everything again. There is no kubelet: the manager runs
// on this machine, and its webhooks are reached by the name of their Service through a
// proxy of the API server's, as in a cluster.
package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/ledger/part"
)

const (
	// startTimeout is for the control plane and the program, on a busy machine.
	startTimeout = 5 * time.Minute
	// patience is how long an expected outcome may take.
	patience = time.Minute

	root   = "../../.."
	system = "servicenet-system"
)

var (
	plane *controlplane.ControlPlane
	api   client.Client
	// tunnel is how the API server reaches webhooks.
	tunnel *proxy
	// kubeconfig is of somebody with all rights.
	kubeconfig string
	// auditLog is what the API server writes of the manager's requests.
	auditLog string
)

func TestDeploy(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(time.Second)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Deploy")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	folder := GinkgoT().TempDir()
	auditLog = filepath.Join(folder, "audit.log")
	var err error
	tunnel, err = listen(ctx, filepath.Join(folder, "tunnel"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return tunnel.Close() })
	egress, audit := filepath.Join(folder, "egress.yaml"), filepath.Join(folder, "audit.yaml")
	Expect(os.WriteFile(egress, []byte(egressTo(tunnel.path)), 0o600)).To(Succeed())
	Expect(os.WriteFile(audit, []byte(auditPolicy), 0o600)).To(Succeed())

	plane, err = controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(folder, "plane"), NoServiceAccountAdmission: true,
		APIServerArgs: []string{
			"--egress-selector-config-file=" + egress,
			"--audit-policy-file=" + audit, "--audit-log-path=" + auditLog,
			// Clusters may have it, and then rights are needed to own objects.
			"--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
		},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	_, err = plane.StartControllerManager(ctx)
	Expect(err).NotTo(HaveOccurred())
	kubeconfig = filepath.Join(folder, "kubeconfig")
	config := plane.RESTConfig()
	config.WarningHandler = rest.NoWarnings{} // of Endpoints, that they are deprecated
	Expect(controlplane.WriteKubeconfig(kubeconfig, config)).To(Succeed())
	scheme, err := part.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(startTimeout))

// found returns the path of a program.
func found(name string) string {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find(name)
	Expect(err).NotTo(HaveOccurred())
	return program
}

// shell runs a line of the Makefile, with the programs that it names.
func shell(ctx context.Context, line string) (string, error) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", line)
	command.Dir = root
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig,
		"KUSTOMIZE="+found("kustomize"), "KUBECTL="+found("kubectl"), "MANAGER="+found("manager"))
	out, err := command.CombinedOutput()
	return string(out), err
}

// install is make deploy, of an overlay and an image.
func install(ctx context.Context, overlay, image string) {
	GinkgoHelper()
	out, err := shell(ctx, `hack/render.sh "$KUSTOMIZE" `+overlay+` `+image+
		` | "$KUBECTL" apply --server-side --force-conflicts -f -`)
	Expect(err).NotTo(HaveOccurred(), out)
}

// cleanUp is the first half of make undeploy.
func cleanUp(ctx context.Context) string {
	GinkgoHelper()
	out, err := shell(ctx, `"$MANAGER" cleanup --timeout=2m`)
	Expect(err).NotTo(HaveOccurred(), out)
	return out
}

// remove is make undeploy.
func remove(ctx context.Context, overlay string) string {
	GinkgoHelper()
	out := cleanUp(ctx)
	more, err := shell(ctx, `hack/render.sh "$KUSTOMIZE" `+overlay+` x | "$KUBECTL" delete --ignore-not-found --timeout=2m -f -`)
	Expect(err).NotTo(HaveOccurred(), more)
	return out + more
}
