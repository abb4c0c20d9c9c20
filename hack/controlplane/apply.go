// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldOwner owns what Apply writes.
const fieldOwner = client.FieldOwner("servicenet-controlplane")

// Apply writes all objects of a YAML file, as `kubectl apply --server-side`
// does.
func (cp *ControlPlane) Apply(ctx context.Context, file string) error {
	objects, err := read(file)
	if err != nil {
		return err
	}
	clients, err := cp.client()
	if err != nil {
		return err
	}
	for _, object := range objects {
		configuration := client.ApplyConfigurationFromUnstructured(object)
		if err := clients.Apply(ctx, configuration, fieldOwner, client.ForceOwnership); err != nil {
			return fmt.Errorf("applying %s %s of %s: %w", object.GetKind(), object.GetName(), file, err)
		}
	}
	return nil
}

// read returns the objects of a YAML file.
func read(file string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading objects: %w", err)
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4<<10)
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", file, err)
		case len(object.Object) == 0: // only a comment between two "---"
			continue
		}
		objects = append(objects, object)
	}
}

func (cp *ControlPlane) client() (client.Client, error) {
	clients, err := client.New(cp.RESTConfig(), client.Options{})
	if err != nil {
		return nil, fmt.Errorf("client of the control plane: %w", err)
	}
	return clients, nil
}
