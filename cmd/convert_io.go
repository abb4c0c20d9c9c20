// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/convert"
)

// readObjects reads documents of YAML or JSON, and what is in lists.
func readObjects(from io.Reader) ([]unstructured.Unstructured, error) {
	const peek = 4096
	var objects []unstructured.Unstructured
	for decoder := utilyaml.NewYAMLOrJSONDecoder(from, peek); ; {
		content := map[string]any{}
		switch err := decoder.Decode(&content); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case len(content) == 0:
			continue
		}
		object := unstructured.Unstructured{Object: content}
		if !object.IsList() {
			objects = append(objects, object)
			continue
		}
		if err := object.EachListItem(func(item runtime.Object) error {
			one, _ := item.(*unstructured.Unstructured)
			objects = append(objects, *one)
			return nil
		}); err != nil {
			return nil, err
		}
	}
}

// readCluster reads what a conversion needs. namespace is where a tool's pools are; empty
// for where they usually are.
func readCluster(ctx context.Context, tool convert.Tool, namespace string) ([]unstructured.Unstructured, error) {
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the API server (--kubeconfig, $KUBECONFIG, ~/.kube/config; -f reads files): %w", err)
	}
	clients, err := client.New(restConfig, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("reaching the API server %s: %w", restConfig.Host, err)
	}
	var objects []unstructured.Unstructured
	for _, kind := range convert.Kinds(tool) {
		if kind.Namespace != "" {
			kind.Namespace = cmp.Or(namespace, kind.Namespace)
		}
		found, err := readKind(ctx, clients, kind)
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// readKind lists the objects of a kind, none if the API server does not have it.
func readKind(ctx context.Context, clients client.Client, kind convert.Kind) ([]unstructured.Unstructured, error) {
	for _, version := range kind.Versions {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: kind.Group, Version: version, Kind: kind.Kind + "List"})
		options := []client.ListOption{client.InNamespace(kind.Namespace)}
		if kind.Name != "" {
			options = append(options, client.MatchingFields{"metadata.name": kind.Name})
		}
		err := clients.List(ctx, list, options...)
		if err == nil {
			return list.Items, nil
		}
		if !apimeta.IsNoMatchError(err) {
			return nil, fmt.Errorf("listing %ss: %w", kind.Kind, err)
		}
	}
	return nil, nil
}

// writePools writes pools as documents of YAML.
func writePools(to io.Writer, pools []*servicenetv1alpha1.LoadBalancerPool) error {
	for _, pool := range pools {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pool)
		if err != nil {
			return fmt.Errorf("encoding pool %s: %w", pool.Name, err)
		}
		delete(content, "status")
		document, err := yaml.Marshal(content)
		if err != nil {
			return fmt.Errorf("encoding pool %s: %w", pool.Name, err)
		}
		if _, err := fmt.Fprintf(to, "---\n%s", document); err != nil {
			return err
		}
	}
	return nil
}

// writeCommands writes what gives Services their annotations and labels.
func writeCommands(to io.Writer, edits []convert.Edit) error {
	for i := range edits {
		for _, command := range []struct {
			verb  string
			words map[string]string
		}{{"annotate", edits[i].Annotations}, {"label", edits[i].Labels}} {
			if len(command.words) == 0 {
				continue
			}
			words := []string{"kubectl", command.verb, "--overwrite", "service", "-n", edits[i].Namespace, edits[i].Name}
			for _, key := range slices.Sorted(maps.Keys(command.words)) {
				words = append(words, quote(key+"="+command.words[key]))
			}
			if _, err := fmt.Fprintln(to, strings.Join(words, " ")); err != nil {
				return err
			}
		}
	}
	return nil
}

// quote writes a word so that a shell takes it as it is.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
