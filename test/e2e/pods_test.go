// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Ports of the program traffic.
const (
	webPort  = 8080
	echoPort = 9000
)

// newNamespace makes a namespace for a spec, with a pod that asks, and returns its name.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(api.Delete(ctx, namespace))).To(Succeed())
	}, NodeTimeout(patience))
	// Pods are refused before their ServiceAccount is there.
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "default"}}
	Eventually(ctx, func(ctx context.Context) error { return api.Get(ctx, client.ObjectKeyFromObject(account), account) }).Should(Succeed())
	return namespace.Name
}

// pod is one that runs the program traffic.
func pod(namespace, name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       podSpec(),
	}
}

func podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		TerminationGracePeriodSeconds: new(int64(15)), // it answers for 10 s more
		Containers: []corev1.Container{{
			Name:            "traffic",
			Image:           trafficImage,
			ImagePullPolicy: corev1.PullIfNotPresent,
			Args:            []string{"serve"},
			Ports: []corev1.ContainerPort{
				{Name: "web", ContainerPort: webPort},
				{Name: "echo", ContainerPort: echoPort, Protocol: corev1.ProtocolUDP},
			},
			ReadinessProbe: &corev1.Probe{
				ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("web")},
				},
				PeriodSeconds: 1,
			},
		}},
	}
}

// deployment of pods that serve, labelled with its name.
func deployment(namespace, name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec()},
		},
	}
}

// service on port 80 for the pods of the deployment of that name.
func service(namespace, name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": name},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("web")}},
		},
	}
}

// create makes objects.
func create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(api.Create(ctx, object)).To(Succeed())
	}
}

// awaitPods waits until a deployment has as many pods as it asks for, all available.
func awaitPods(ctx context.Context, d *appsv1.Deployment) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (appsv1.DeploymentStatus, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(d), d)
		return d.Status, err
	}).Should(And(
		HaveField("AvailableReplicas", *d.Spec.Replicas),
		HaveField("Replicas", *d.Spec.Replicas),
	))
}

// startClient starts the pod that run runs commands in.
func startClient(ctx context.Context, namespace string) {
	GinkgoHelper()
	p := pod(namespace, "client", nil)
	create(ctx, p)
	awaitReady(ctx, p)
}

// awaitReady waits until a pod is ready, and reads it.
func awaitReady(ctx context.Context, p *corev1.Pod) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (bool, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(p), p)
		return isPodReady(p), err
	}).Should(BeTrue(), "pod %s is not ready", p.Name)
}

// isPodReady tells whether a pod says that it is.
func isPodReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// traffic runs the program in the pod of startClient.
func traffic(ctx context.Context, namespace string, args ...string) (string, error) {
	output, err := kubectl(ctx, append([]string{"-n", namespace, "exec", "client", "--", "/traffic"}, args...)...)
	if err != nil {
		err = fmt.Errorf("%w: %s", err, output)
	}
	return strings.TrimSpace(output), err
}

// hold opens a connection from the pod of startClient to an echo. It returns the name of
// the pod that answers, and a channel that tells when the connection has ended, and why.
func hold(ctx context.Context, namespace, target string) (name string, ended <-chan error) {
	GinkgoHelper()
	cmd := exec.CommandContext(ctx, kubectlProgram(), "-n", namespace, "exec", "client", "--", "/traffic", "hold", target)
	output, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	said := bufio.NewReader(output)
	name, err = said.ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	end := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, said)
		end <- errors.Join(err, cmd.Wait())
	}()
	return strings.TrimSpace(name), end
}

// answers asks a number of times, and returns how often there was which answer.
func answers(ctx context.Context, namespace, kind string, count int, target string) (map[string]int, error) {
	output, err := traffic(ctx, namespace, kind, strconv.Itoa(count), target)
	if err != nil {
		return nil, err
	}
	return parseTally(output)
}

// parseTally reads lines with a number and an answer.
func parseTally(text string) (map[string]int, error) {
	tally := map[string]int{}
	for line := range strings.Lines(text) {
		number, answer, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		if tally[answer], err = strconv.Atoi(number); err != nil {
			return nil, fmt.Errorf("unexpected line %q", line)
		}
	}
	return tally, nil
}

// startLoad starts a pod that asks until the spec ends. It returns what tells how often
// there was which answer so far, through the pod of startClient.
func startLoad(ctx context.Context, namespace, target string) func(context.Context) (map[string]int, error) {
	GinkgoHelper()
	const workers = "4"
	p := pod(namespace, "load", nil)
	p.Spec.Containers[0].Args = []string{"load", workers, target}
	create(ctx, p)
	awaitReady(ctx, p)
	page := "http://" + net.JoinHostPort(p.Status.PodIP, strconv.Itoa(webPort)) + "/tally"
	return func(ctx context.Context) (map[string]int, error) {
		output, err := traffic(ctx, namespace, "get", "1", page)
		if err != nil {
			return nil, err
		}
		return parseTally(strings.TrimPrefix(output, "1 "))
	}
}

// failures are the answers of a load that are none.
func failures(tally map[string]int) map[string]int {
	found := maps.Clone(tally)
	maps.DeleteFunc(found, func(answer string, _ int) bool { return !strings.HasPrefix(answer, "error") })
	return found
}

// lookup asks DNS in the pod of startClient, a record a line.
func lookup(namespace, kind, name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		output, err := traffic(ctx, namespace, "lookup", kind, name)
		return strings.Split(output, "\n"), err
	}
}

// scale changes the number of pods, and waits for it.
func scale(ctx context.Context, d *appsv1.Deployment, replicas int32) {
	GinkgoHelper()
	changed := d.DeepCopy()
	changed.Spec.Replicas = &replicas
	Expect(api.Patch(ctx, changed, client.MergeFrom(d))).To(Succeed())
	*d = *changed
	awaitPods(ctx, d)
}
