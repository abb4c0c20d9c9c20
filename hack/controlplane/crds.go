// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
)

// servedTimeout bounds the wait for a kind to be served. It takes well under a
// second; the rest is for a busy machine.
const servedTimeout = time.Minute

// InstallCRDs writes the CustomResourceDefinitions of a folder, such as the
// generated config/crd/bases, and waits until the API server serves their kinds.
func (cp *ControlPlane) InstallCRDs(ctx context.Context, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return fmt.Errorf("looking for CRDs: %w", err)
	}
	if len(files) == 0 {
		return fmt.Errorf("no CRDs in %s: `make manifests` generates them", folder)
	}
	discover, err := discovery.NewDiscoveryClientForConfig(cp.RESTConfig())
	if err != nil {
		return fmt.Errorf("client of the control plane: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, servedTimeout)
	defer cancel()
	for _, file := range files {
		if err := cp.Apply(ctx, file); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := awaitServed(ctx, discover, file); err != nil {
			return fmt.Errorf("waiting for the kinds of %s: %w", file, err)
		}
	}
	return nil
}

// definition is what has to be known of a CustomResourceDefinition to wait for it.
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Plural string `json:"plural"`
		} `json:"names"`
		Versions []struct {
			Name string `json:"name"`
		} `json:"versions"`
	} `json:"spec"`
}

// awaitServed waits until the kinds of a file are served. Their condition
// Established is written before the server itself knows; what discovery lists can
// be used.
func awaitServed(ctx context.Context, discover discovery.DiscoveryInterfaceWithContext, file string) error {
	objects, err := read(file)
	if err != nil {
		return err
	}
	for _, object := range objects {
		var d definition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &d); err != nil {
			return err
		}
		for _, version := range d.Spec.Versions {
			group := schema.GroupVersion{Group: d.Spec.Group, Version: version.Name}
			served := func(ctx context.Context) (bool, error) { return serves(ctx, discover, group, d.Spec.Names.Plural), nil }
			if err := wait.PollUntilContextCancel(ctx, readyInterval, true, served); err != nil {
				return err
			}
		}
	}
	return nil
}

// serves tells whether discovery lists a resource. That it can't be asked, or knows
// nothing of the group, is a reason to wait like any other.
func serves(ctx context.Context, discover discovery.DiscoveryInterfaceWithContext, group schema.GroupVersion, plural string) bool {
	list, err := discover.ServerResourcesForGroupVersionWithContext(ctx, group.String())
	return err == nil && slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == plural })
}
