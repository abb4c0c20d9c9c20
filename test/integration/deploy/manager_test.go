// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
)

// deployed is a manager that runs as its Deployment says.
type deployed struct {
	*controlplane.Process

	healthAddress, metricsAddress, webhooksAddress string
}

// startDeployed starts a manager as launch does. It is ready when it is trusted by the
// API server, which calls its webhooks from then on.
func startDeployed(ctx context.Context, name string, more ...string) *deployed {
	GinkgoHelper()
	manager := launch(ctx, name, more...)
	Eventually(manager.ready).WithContext(ctx).Should(Succeed())
	tunnel.send(manager.webhooksAddress)
	return manager
}

// launch starts a manager with the arguments of the Deployment, and with the token of
// its service account.
func launch(ctx context.Context, name string, more ...string) *deployed {
	GinkgoHelper()
	var deployment appsv1.Deployment
	Expect(api.Get(ctx, client.ObjectKey{Namespace: system, Name: "servicenet-controller-manager"}, &deployment)).To(Succeed())
	pod := deployment.Spec.Template.Spec
	config := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	writeToken(ctx, pod.ServiceAccountName, config)

	health, metrics, webhooks := freePort(ctx), freePort(ctx), freePort(ctx)
	running, err := plane.StartProcess(ctx, controlplane.Command{
		Name: name, Path: found("manager"),
		Env: []string{"POD_NAMESPACE=" + system},
		Args: append(append(more, pod.Containers[0].Args...),
			"--kubeconfig="+config, "--leader-election-namespace="+system,
			"--health-probe-bind-address="+local(health), "--metrics-bind-address="+local(metrics),
			"--webhook-bind-address=127.0.0.1", fmt.Sprintf("--webhook-port=%d", webhooks)),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx context.Context) {
		tunnel.send("")
		if CurrentSpecReport().Failed() {
			AddReportEntry("last log lines of "+name, running.LogTail(60), ReportEntryVisibilityFailureOrVerbose)
		}
		Expect(running.Stop(ctx)).To(Succeed())
	})
	return &deployed{Process: running, healthAddress: local(health), metricsAddress: local(metrics), webhooksAddress: local(webhooks)}
}

// ready tells whether it says that it is ready.
func (d *deployed) ready(ctx context.Context) error {
	select {
	case <-d.Done():
		return StopTrying("it has ended").Wrap(d.Err())
	default:
		return controlplane.HTTPReady(http.DefaultClient, "http://"+d.healthAddress+"/readyz")(ctx)
	}
}

// stop ends the manager in order.
func (d *deployed) stop(ctx context.Context) {
	GinkgoHelper()
	tunnel.send("")
	Expect(d.Stop(ctx)).To(Succeed())
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func freePort(ctx context.Context) int {
	GinkgoHelper()
	port, err := controlplane.FreePort(ctx)
	Expect(err).NotTo(HaveOccurred())
	return port
}

// tokenOf returns a token of a service account, as a kubelet asks for.
func tokenOf(ctx context.Context, account string) string {
	GinkgoHelper()
	request := &authenticationv1.TokenRequest{}
	of := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: account}}
	Expect(api.SubResource("token").Create(ctx, of, request)).To(Succeed())
	return request.Status.Token
}

// writeToken writes a kubeconfig with a token of a service account.
func writeToken(ctx context.Context, account, path string) {
	GinkgoHelper()
	server := plane.RESTConfig()
	of := clientcmdapi.NewConfig()
	of.Clusters["cluster"] = &clientcmdapi.Cluster{Server: server.Host, CertificateAuthorityData: server.CAData}
	of.AuthInfos["account"] = &clientcmdapi.AuthInfo{Token: tokenOf(ctx, account)}
	of.Contexts["context"] = &clientcmdapi.Context{Cluster: "cluster", AuthInfo: "account", Namespace: system}
	of.CurrentContext = "context"
	Expect(clientcmd.WriteToFile(*of, path)).To(Succeed())
}
