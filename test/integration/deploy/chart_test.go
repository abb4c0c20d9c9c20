// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// parse returns the objects of a manifest by kind and name.
func parse(manifest string) map[string]map[string]any {
	GinkgoHelper()
	objects := map[string]map[string]any{}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		Expect(err).NotTo(HaveOccurred())
		if len(object.Object) > 0 {
			objects[object.GetKind()+" "+object.GetName()] = object.Object
		}
	}
}

// helm runs helm in the folder of the chart.
func helm(ctx context.Context, args ...string) (string, error) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, found("helm"), args...)
	command.Dir = root + "/charts"
	out, err := command.CombinedOutput()
	return string(out), err
}

// chart returns the objects that the chart makes, with some values.
func chart(ctx context.Context, values ...string) map[string]map[string]any {
	GinkgoHelper()
	args := []string{"template", "any", "servicenet", "--namespace", system, "--set", "image.tag=v1"}
	out, err := helm(ctx, append(args, values...)...)
	Expect(err).NotTo(HaveOccurred(), out)
	return parse(out)
}

// overlay returns the objects of an overlay.
func overlay(ctx context.Context, name string) map[string]map[string]any {
	GinkgoHelper()
	out, err := shell(ctx, `hack/render.sh "$KUSTOMIZE" `+name+` controller:v1`)
	Expect(err).NotTo(HaveOccurred(), out)
	return parse(out)
}

// plain returns objects of the chart as kustomize would have them: without what Helm
// wants to have, and empty lists and maps, which say nothing.
func plain(objects map[string]map[string]any) map[string]map[string]any {
	for name, object := range objects {
		meta, ok := object["metadata"].(map[string]any)
		Expect(ok).To(BeTrue(), name)
		if labels, ok := meta["labels"].(map[string]any); ok && labels["app.kubernetes.io/managed-by"] == "Helm" {
			labels["app.kubernetes.io/managed-by"] = "kustomize"
		}
		if annotations, ok := meta["annotations"].(map[string]any); ok {
			if annotations["helm.sh/hook"] != nil {
				delete(objects, name)
			}
			delete(annotations, "helm.sh/resource-policy")
		}
		if strings.HasPrefix(name, "Deployment ") {
			spec, found, err := unstructured.NestedMap(object, "spec", "template", "spec")
			Expect(found && err == nil).To(BeTrue())
			for _, field := range []string{"imagePullSecrets", "nodeSelector", "tolerations"} {
				Expect(spec[field]).To(BeEmpty())
				delete(spec, field)
			}
			Expect(unstructured.SetNestedMap(object, spec, "spec", "template", "spec")).To(Succeed())
		}
	}
	return objects
}

func argsOf(objects map[string]map[string]any) []string {
	GinkgoHelper()
	containers, _, err := unstructured.NestedSlice(objects["Deployment servicenet-controller-manager"], "spec", "template", "spec", "containers")
	Expect(err).NotTo(HaveOccurred())
	container, ok := containers[0].(map[string]any)
	Expect(ok).To(BeTrue())
	args, _, err := unstructured.NestedStringSlice(container, "args")
	Expect(err).NotTo(HaveOccurred())
	return args
}

var _ = Describe("The Helm chart", func() {
	It("makes what config/default makes, but for the namespace", func(ctx SpecContext) {
		out, err := helm(ctx, "lint", "--strict", "servicenet")
		Expect(err).NotTo(HaveOccurred(), out)
		want := overlay(ctx, defaultOverlay)
		delete(want, "Namespace "+system)
		Expect(plain(chart(ctx))).To(Equal(want))
	})

	It("makes what config/with-prometheus makes, if that is wanted", func(ctx SpecContext) {
		want := overlay(ctx, "config/with-prometheus")
		delete(want, "Namespace "+system)
		Expect(want).To(And(HaveKey("PrometheusRule servicenet-controller-manager-rules"), HaveKey("ConfigMap servicenet-dashboard")))
		Expect(plain(chart(ctx, "--set", "serviceMonitor=true,prometheusRule=true,grafanaDashboard=true"))).To(Equal(want))
	})

	It("follows its values", func(ctx SpecContext) {
		objects := chart(ctx, "--set", "replicas=3,endpointsMode=on,networkPolicy=false,serviceMonitor=true,cleanup=false",
			"--set", "args={--load-balancer-default,--controllers=*\\,-clusterip}", "--set", "nodeSelector.a=b",
			"--set", "loadBalancerPools.public.addresses={192.0.2.0/25}")
		Expect(argsOf(objects)).To(And(
			ContainElements("--endpoints-mode=on", "--load-balancer-default", "--controllers=*,-clusterip", "--leader-elect"),
			Not(ContainElement("--endpoints-mode=auto"))))
		replicas, _, err := unstructured.NestedFieldNoCopy(objects["Deployment servicenet-controller-manager"], "spec", "replicas")
		Expect(err).NotTo(HaveOccurred())
		Expect(replicas).To(BeNumerically("==", 3))
		Expect(objects).To(And(HaveKey("ServiceMonitor servicenet-controller-manager-metrics-monitor"),
			Not(HaveKey("NetworkPolicy servicenet-allow-metrics-traffic")), Not(HaveKey("Job servicenet-cleanup"))))
		Expect(objects["LoadBalancerPool public"]).To(HaveKeyWithValue("spec", map[string]any{"addresses": []any{"192.0.2.0/25"}}))
	})

	It("takes another namespace everywhere", func(ctx SpecContext) {
		out, err := helm(ctx, "template", "any", "servicenet", "--namespace", "elsewhere")
		Expect(err).NotTo(HaveOccurred(), out)
		Expect(out).To(And(ContainSubstring("elsewhere"), Not(ContainSubstring(system))))
	})
})

// cleaner gives a service account what the chart gives to the one that cleans up, and
// returns a kubeconfig of it.
func cleaner(ctx context.Context) string {
	GinkgoHelper()
	for name, content := range chart(ctx) {
		object := &unstructured.Unstructured{Object: content}
		if object.GetAnnotations()["helm.sh/hook"] == "" || strings.HasPrefix(name, "Job ") {
			continue
		}
		Expect(api.Create(ctx, object)).To(Succeed())
		if object.GetNamespace() == "" {
			DeferCleanup(func(ctx context.Context) error { return api.Delete(ctx, object) })
		}
	}
	path := GinkgoT().TempDir() + "/kubeconfig"
	writeToken(ctx, "servicenet-cleanup", path)
	return path
}
