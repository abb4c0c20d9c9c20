// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// serveWebhooks returns the arguments that have a manager serve its webhooks on a
// free port, and notes where. They do not outlive the manager's readiness: nothing
// here sends requests to another one.
func (cp *ControlPlane) serveWebhooks(ctx context.Context, manager *Manager) ([]string, error) {
	port, err := FreePort(ctx)
	if err != nil {
		return nil, err
	}
	manager.WebhookURL = loopbackURL("https", port)
	return []string{
		"--enable-webhooks",
		"--webhook-bind-address=" + loopback,
		"--webhook-port=" + strconv.Itoa(port),
		"--webhook-cert-dir=" + filepath.Dir(cp.pki.path(servingFile)),
		"--webhook-cert-name=" + servingFile,
		"--webhook-key-name=" + servingKeyFile,
		"--webhook-drain-period=0s",
	}, nil
}

// RegisterWebhooks writes the webhook configurations of some files, such as those of
// config/webhook. What they say to be a Service of the cluster is then at the given
// root, of a server on the loopback interface that has a certificate of the cluster's
// authority.
func (cp *ControlPlane) RegisterWebhooks(ctx context.Context, root string, files ...string) error {
	clients, err := cp.client()
	if err != nil {
		return err
	}
	objects, err := cp.webhookConfigurations(root, files)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := clients.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership); err != nil {
			return fmt.Errorf("registering webhooks: %w", err)
		}
	}
	return nil
}

// UnregisterWebhooks removes what RegisterWebhooks has written.
func (cp *ControlPlane) UnregisterWebhooks(ctx context.Context, files ...string) error {
	clients, err := cp.client()
	if err != nil {
		return err
	}
	objects, err := cp.webhookConfigurations("", files)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := client.IgnoreNotFound(clients.Delete(ctx, object)); err != nil {
			return fmt.Errorf("removing webhooks: %w", err)
		}
	}
	return nil
}

// webhookConfigurations reads files, and has their webhooks served at a root.
func (cp *ControlPlane) webhookConfigurations(root string, files []string) ([]*unstructured.Unstructured, error) {
	ca, err := os.ReadFile(cp.pki.path(clusterCAFile))
	if err != nil {
		return nil, fmt.Errorf("certificate of the cluster's authority: %w", err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		objects, err := read(file)
		if err != nil {
			return nil, err
		}
		for _, object := range objects {
			if err := serveAt(object, root, ca); err != nil {
				return nil, fmt.Errorf("webhooks of %s: %w", file, err)
			}
		}
		all = append(all, objects...)
	}
	return all, nil
}

// serveAt has the webhooks of a configuration served at a root, at the paths that
// they have in a cluster.
func serveAt(object *unstructured.Unstructured, root string, ca []byte) error {
	hooks, _, err := unstructured.NestedSlice(object.Object, "webhooks")
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		fields, ok := hook.(map[string]any)
		if !ok {
			return fmt.Errorf("%v is no webhook", hook)
		}
		path, _, err := unstructured.NestedString(fields, "clientConfig", "service", "path")
		if err != nil {
			return err
		}
		fields["clientConfig"] = map[string]any{"url": root + path, "caBundle": base64.StdEncoding.EncodeToString(ca)}
	}
	return unstructured.SetNestedSlice(object.Object, hooks, "webhooks")
}
