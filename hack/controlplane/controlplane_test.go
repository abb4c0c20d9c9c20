// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// startForTest starts a control plane that the end of the test stops. Without
// the programs the test fails, and the error tells where they come from.
func startForTest(t *testing.T, options Options) *ControlPlane {
	t.Helper()
	cp, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

func clientFor(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

// running says whether a process exists.
func running(pid int) bool { return syscall.Kill(pid, 0) == nil }

// eventually fails the test unless the condition comes true in good time.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	met := func(context.Context) (bool, error) { return condition(), nil }
	if err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 20*time.Second, true, met); err != nil {
		t.Fatalf("waited in vain for: %s", what)
	}
}

func TestStartServesAndStopLeavesNothing(t *testing.T) {
	t.Parallel()
	cp := startForTest(t, Options{NoServiceAccountAdmission: true})
	clients := clientFor(t, cp.RESTConfig())
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "by-hand"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
	}
	if _, err := clients.CoreV1().Pods("default").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Errorf("a pod can't be created without a kube-controller-manager: %v", err)
	}

	nobody, err := cp.ConfigFor("nobody")
	if err != nil {
		t.Fatal(err)
	}
	_, err = clientFor(t, nobody).CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("a user without rights lists pods: got error %v, want Forbidden", err)
	}

	pids := []int{cp.Etcd().PID(), cp.APIServer().PID()}
	if err := cp.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if running(pid) {
			t.Errorf("process %d outlives Stop", pid)
		}
	}
	if _, err := os.Stat(cp.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder outlives Stop: %v", err)
	}
	if err := cp.Err(); err != nil {
		t.Errorf("Err after a plain Stop: got %v, want nil", err)
	}
	if _, err := cp.StartProcess(t.Context(), Command{Name: "late", Path: "/bin/true"}); err == nil {
		t.Error("a stopped control plane starts a process")
	}
}

func TestWriteKubeconfig(t *testing.T) {
	config := &rest.Config{
		Host: "https://127.0.0.1:1",
		TLSClientConfig: rest.TLSClientConfig{
			CAData: []byte("ca"), CertData: []byte("certificate"), KeyData: []byte("key"),
		},
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := WriteKubeconfig(path, config); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v, want 0600", info.Mode())
	}
	read, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if read.Host != config.Host || string(read.KeyData) != "key" || string(read.CAData) != "ca" {
		t.Errorf("read back: got %v", read)
	}
}

func TestTwoSideBySide(t *testing.T) {
	t.Parallel()
	first := startForTest(t, Options{})
	second := startForTest(t, Options{ServiceClusterIPRange: "fd00:10:96::/112"})

	for cp, want := range map[*ControlPlane]string{first: "10.96.0.1", second: "fd00:10:96::1"} {
		clients := clientFor(t, cp.RESTConfig())
		eventually(t, "the Service kubernetes at "+want, func() bool {
			service, err := clients.CoreV1().Services("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
			return err == nil && service.Spec.ClusterIP == want
		})
	}

	// The certificate of one is worth nothing to the other.
	stranger := first.RESTConfig()
	stranger.Host = second.APIServer().URL
	stranger.CAData = second.RESTConfig().CAData
	_, err := clientFor(t, stranger).CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("listing pods with the other one's certificate: got error %v, want Unauthorized", err)
	}
}

func TestSecondAPIServerAndRestarts(t *testing.T) {
	t.Parallel()
	cp := startForTest(t, Options{})
	second, err := cp.StartAPIServer(t.Context(), "kube-apiserver-2")
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}
	if _, err := clientFor(t, cp.RESTConfig()).CoreV1().Namespaces().
		Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	if err := cp.Etcd().Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cp.Etcd().Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := clientFor(t, second.RESTConfig()).CoreV1().Namespaces().
		Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("an object written through the first server, read through the second one: %v", err)
	}
	if err := cp.Err(); err != nil {
		t.Errorf("parts that were killed and restarted on purpose count as failed: %v", err)
	}
}

func TestPartThatDiesIsReported(t *testing.T) {
	t.Parallel()
	cp := startForTest(t, Options{})
	if err := syscall.Kill(cp.Etcd().PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-cp.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed that etcd died")
	}
	var death *DeathError
	if !errors.As(cp.Err(), &death) {
		t.Fatalf("got %v, want a DeathError", cp.Err())
	}
	if death.Part != "etcd" || death.LogTail == "" {
		t.Errorf("got part %q with log %q, want etcd with its last lines", death.Part, death.LogTail)
	}
	for _, want := range []string{"etcd ended: signal: killed", filepath.Join("logs", "etcd.log"), "ready to serve"} {
		if !strings.Contains(death.Error(), want) {
			t.Errorf("message lacks %q:\n%v", want, death)
		}
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Binaries: Binaries{t.TempDir()}})
	if err == nil || !strings.Contains(err.Error(), "make tools") || !strings.Contains(err.Error(), "etcd") {
		t.Errorf("got %v, want an error that names etcd and `make tools`", err)
	}
}

func TestServiceClusterIPRangeIsChecked(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not a CIDR":            "10.96.0.0",
		"twice the same family": "10.96.0.0/16,10.97.0.0/16",
		"three of them":         "10.96.0.0/16,fd00::/112,10.97.0.0/16",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := parseFamilies(text); err == nil {
				t.Errorf("parseFamilies(%q) = %v, want an error", text, got)
			}
		})
	}
}

func TestBeginsWithTheDataOfAnother(t *testing.T) {
	t.Parallel()
	first, err := Start(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}
	_, err = clientFor(t, first.RESTConfig()).CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	if err := errors.Join(err, first.Stop()); err != nil {
		t.Fatal(err)
	}

	data := filepath.Join(first.Dir(), "data", "etcd")
	for range 2 { // the data are copied, not used up
		next := startForTest(t, Options{EtcdData: data})
		namespaces := clientFor(t, next.RESTConfig()).CoreV1().Namespaces()
		if err := namespaces.Delete(t.Context(), "kept", metav1.DeleteOptions{}); err != nil {
			t.Errorf("what the first control plane stored is missing: %v", err)
		}
	}
}
