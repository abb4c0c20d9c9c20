// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const samplesFolder = "../../config/samples"

// applySample does what `kubectl apply --server-side -f config/samples/<file>`
// does. A field that the API server doesn't know is an error.
func (in space) applySample(ctx context.Context, file string) {
	GinkgoHelper()
	in.applyFile(ctx, filepath.Join(samplesFolder, file))
}

// applyFile applies all objects of a YAML file, in this namespace whatever
// theirs is.
func (in space) applyFile(ctx context.Context, file string) {
	GinkgoHelper()
	for _, object := range decodeFile(file) {
		object.SetNamespace(string(in))
		configuration := client.ApplyConfigurationFromUnstructured(object)
		Expect(api.Apply(ctx, configuration, client.FieldOwner("integration"))).To(Succeed(),
			"%s %s of %s", object.GetKind(), object.GetName(), file)
	}
}

func decodeFile(file string) (objects []*unstructured.Unstructured) {
	GinkgoHelper()
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4<<10)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		Expect(err).NotTo(HaveOccurred(), file)
		objects = append(objects, object)
	}
}

var _ = Describe("Samples", func() {
	It("are all listed for kubectl apply -k", func() {
		files, err := filepath.Glob(filepath.Join(samplesFolder, "*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		var samples []any
		for _, file := range files {
			if name := filepath.Base(file); name != "kustomization.yaml" {
				samples = append(samples, name)
			}
		}
		listed, found, err := unstructured.NestedSlice(decodeFile(filepath.Join(samplesFolder, "kustomization.yaml"))[0].Object, "resources")
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeTrue())
		Expect(listed).To(ConsistOf(samples...))
	})
})
