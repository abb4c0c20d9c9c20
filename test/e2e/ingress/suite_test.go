// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ingress tests that an Ingress works on what the manager gives Services and
// publishes of them: Traefik, in a cluster with real nodes where the manager writes
// endpoints. `make test-e2e-ingress` runs it.
package ingress

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

const (
	// deployTimeout is for the manager: kubelet brings its certificate into the pods
	// after a minute or more.
	deployTimeout = 10 * time.Minute
	// patience is how long an expected outcome may take; the rest is for the machine.
	patience = 90 * time.Second
	// specTimeout bounds a spec.
	specTimeout = 5 * time.Minute
	root        = "../../.."
)

var (
	// api reads and writes with all rights.
	api client.Client
	// trafficImage and traefikImage are what pods run.
	trafficImage, traefikImage string
)

func TestIngress(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	if os.Getenv("E2E_TRAEFIK_IMAGE") == "" {
		t.Skip("`make test-e2e-ingress` runs this, with images")
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Ingress")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	trafficImage, traefikImage = os.Getenv("E2E_TRAFFIC_IMAGE"), os.Getenv("E2E_TRAEFIK_IMAGE")
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(servicenetv1alpha1.AddToScheme(scheme)).To(Succeed())
	api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	command := exec.CommandContext(ctx, "make", "--no-print-directory", "-C", root, "deploy",
		"IMG="+os.Getenv("E2E_MANAGER_IMAGE"), "OVERLAY=config/replace-endpoints")
	command.Env = append(os.Environ(), "MAKEFLAGS=")
	output, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	text, err := kubectl(ctx, "", "-n", "servicenet-system", "rollout", "status", "deployment", "--timeout=9m")
	Expect(err).NotTo(HaveOccurred(), text)
	create(ctx, &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: "nodes"},
		Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}},
	})
}, NodeTimeout(deployTimeout))

// kubectl runs it with a standard input, and returns what it prints, refusals too.
func kubectl(ctx context.Context, input string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, cmp.Or(os.Getenv("KUBECTL"), "kubectl"), args...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	return string(output), err
}

// create makes an object, as soon as the webhooks answer.
func create(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Eventually(func(ctx context.Context) error { return api.Create(ctx, object) }).WithContext(ctx).Should(Succeed())
}

// newNamespace makes a namespace, which goes with the spec.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "ingress-"}}
	create(ctx, namespace)
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(api.Delete(ctx, namespace))).To(Succeed())
	}, NodeTimeout(patience))
	return namespace.Name
}

// serve runs pods that answer with their name, and a Service for them.
func serve(ctx context.Context, namespace, name string, replicas int32) {
	GinkgoHelper()
	labels := map[string]string{"app": name}
	create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Selector: labels, Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("web")}},
		},
	})
	create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				Containers: []corev1.Container{{
					Name: "traffic", Image: trafficImage, ImagePullPolicy: corev1.PullIfNotPresent, Args: []string{"serve"},
					Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}},
					ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
						HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("web")},
					}},
				}},
			}},
		},
	})
}
