// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger tests the ledger on a real etcd and kube-apiserver: what it gives
// out is what the API server accepts, whatever dies in between.
//
// There is one ledger in a cluster, so the specs run one after the other, and each
// leaves an empty one behind.
package ledger

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
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
	patience = 30 * time.Second

	crds = "../../../config/crd/bases"
)

var (
	plane *controlplane.ControlPlane
	// replicaProgram is the path of the program in folder replica.
	replicaProgram string
	// kubeconfig is the path of a file for that program.
	kubeconfig string
	// api reads and writes without a cache, with all rights.
	api client.Client
)

func TestLedger(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Ledger")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	replicaProgram, err = gexec.Build("servicenet.dev/servicenet/test/integration/ledger/replica")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)
	plane, err = controlplane.Start(ctx, controlplane.Options{NoServiceAccountAdmission: true})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	Expect(plane.InstallCRDs(ctx, crds)).To(Succeed())
	kubeconfig = plane.Dir() + "/kubeconfig"
	Expect(controlplane.WriteKubeconfig(kubeconfig, plane.RESTConfig())).To(Succeed())
	scheme, err := part.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	api, err = client.New(plane.RESTConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(startTimeout))

// A part that died takes every further spec with it: say so once.
var _ = BeforeEach(func() {
	select {
	case <-plane.Done():
		AbortSuite(plane.Err().Error())
	default:
	}
})

// space is the namespace that a spec has to itself.
type space string

// newSpace makes a namespace. At the end of the spec, after what was started in it
// has stopped, its Services and all blocks are removed.
func newSpace(ctx context.Context) space {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	in := space(namespace.Name)
	DeferCleanup(in.clear)
	return in
}

func (in space) clear(ctx context.Context) {
	GinkgoHelper()
	Expect(api.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(in))).To(Succeed())
	Expect(api.DeleteAllOf(ctx, &servicenetv1alpha1.AllocationBlock{})).To(Succeed())
	Expect(api.DeleteAllOf(ctx, &networkingv1.IPAddress{}, client.MatchingLabels{byHand: string(in)})).To(Succeed())
}
