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
	clients, err := cp.client()
	if err != nil {
		return err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("applying a file: %w", err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4<<10)
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading %s: %w", file, err)
		case len(object.Object) == 0: // only a comment between two "---"
			continue
		}
		configuration := client.ApplyConfigurationFromUnstructured(object)
		if err := clients.Apply(ctx, configuration, fieldOwner, client.ForceOwnership); err != nil {
			return fmt.Errorf("applying %s %s of %s: %w", object.GetKind(), object.GetName(), file, err)
		}
	}
}

func (cp *ControlPlane) client() (client.Client, error) {
	clients, err := client.New(cp.RESTConfig(), client.Options{})
	if err != nil {
		return nil, fmt.Errorf("client of the control plane: %w", err)
	}
	return clients, nil
}
