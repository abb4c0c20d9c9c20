// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

const (
	// deployTimeout is for a deployment of the manager, or its end.
	deployTimeout = 5 * time.Minute
	// patience is how long an expected outcome may take; the rest is for the machine.
	patience = 90 * time.Second
	// specTimeout bounds a spec.
	specTimeout = 5 * time.Minute
	root        = "../.."
)

var (
	// api reads and writes with all rights.
	api client.Client
	// images of what the specs run.
	managerImage, previousImage, trafficImage string
	// excusedPods are those of two versions that are installed in different ways.
	excusedPods = excused{}
	// overlay is what is installed.
	overlay string
	// ours says that the manager writes Endpoints and EndpointSlices.
	ours bool
)

func TestEndToEnd(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	if os.Getenv("E2E_MANAGER_IMAGE") == "" {
		t.Skip("`make test-e2e` runs this, with images")
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "End to end")
}

// The first of the processes that run specs deploys; all of them connect.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) {
	connect()
	DeferCleanup(nothingForbidden, NodeTimeout(patience))
	deploy(ctx, managerImage)
}, func(SpecContext) { connect() }, NodeTimeout(2*deployTimeout))

// connect reads what the environment says of the cluster, and makes the client.
func connect() {
	GinkgoHelper()
	managerImage = os.Getenv("E2E_MANAGER_IMAGE")
	previousImage = os.Getenv("E2E_PREVIOUS_IMAGE")
	trafficImage = os.Getenv("E2E_TRAFFIC_IMAGE")
	ours = os.Getenv("ENDPOINTS") == "ours"
	overlay = "config/default"
	if ours {
		overlay = "config/replace-endpoints"
	}
	overlay = cmp.Or(os.Getenv("OVERLAY"), overlay)

	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{} // of Endpoints, that they are deprecated
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(servicenetv1alpha1.AddToScheme(scheme)).To(Succeed())
	api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}

// makeTarget runs a target of the Makefile.
func makeTarget(ctx context.Context, target string, variables ...string) (string, error) {
	args := append([]string{"--no-print-directory", "-C", root, target}, variables...)
	cmd := exec.CommandContext(ctx, "make", args...)
	// The version of the manager that runs is in its image, not in what make builds here, and
	// flags are meant for others.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "ARGS=")
	output, err := cmd.CombinedOutput()
	GinkgoWriter.Printf("make %s %v\n%s\n", target, variables, output)
	return string(output), err
}

// deploy installs the manager, or another version of it, and waits until all of it runs.
func deploy(ctx context.Context, image string) {
	GinkgoHelper()
	deployOverlay(ctx, overlay, image)
}

// deployOverlay is deploy of another overlay.
func deployOverlay(ctx context.Context, overlay, image string) {
	GinkgoHelper()
	output, err := makeTarget(ctx, "deploy", "IMG="+image, "OVERLAY="+overlay)
	Expect(err).NotTo(HaveOccurred(), output)
	awaitManager(ctx)
}

// awaitManager waits until all of the manager runs, and the API server asks it.
func awaitManager(ctx context.Context) {
	GinkgoHelper()
	awaitReplicas(ctx)
	// The API server calls the webhooks from when it knows their certificate.
	Eventually(ctx, func(ctx context.Context) string {
		output, _ := kubectl(ctx, "create", "service", "clusterip", "probe", "--tcp=80", "--clusterip=192.0.2.1", "--dry-run=server")
		return output
	}).Should(ContainSubstring("is not in the ServiceCIDRs of the cluster"), "the webhooks do not answer")
}

// managerNamespace and managerName are where the manager is, and its Deployment.
const (
	managerNamespace = "servicenet-system"
	managerName      = "servicenet-controller-manager"
)

const (
	// slow labels specs that wait for times out of the real world, such as that of a Lease.
	slow = "slow"
	// faults labels specs in which parts of the cluster end or are cut off. What becomes
	// of Services is the same whoever writes their endpoints, or needs the manager to.
	faults = "faults"
)

// why collects what may say why the manager does not come up.
func why(ctx context.Context) string {
	var text strings.Builder
	for _, args := range [][]string{
		{"get", "pods", "-A", "-o", "wide"},
		{"-n", managerNamespace, "get", "events", "--sort-by=.lastTimestamp"},
		{"-n", managerNamespace, "logs", "-l", "control-plane=controller-manager", "--tail=40", "--prefix"},
	} {
		output, _ := kubectl(ctx, args...)
		fmt.Fprintf(&text, "\n$ kubectl %s\n%s", strings.Join(args, " "), output)
	}
	return text.String()
}

// kubectlProgram is the one to use.
func kubectlProgram() string { return cmp.Or(os.Getenv("KUBECTL"), "kubectl") }

// kubectl returns what it prints, refusals too.
func kubectl(ctx context.Context, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, kubectlProgram(), args...).CombinedOutput()
	return string(output), err
}

// kubectlInput is kubectl with a standard input.
func kubectlInput(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, kubectlProgram(), args...)
	cmd.Stdin = strings.NewReader(input)
	output, err := cmd.CombinedOutput()
	return string(output), err
}
