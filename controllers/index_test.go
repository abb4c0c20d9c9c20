// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestIndexKeys(t *testing.T) {
	selecting := corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}
	external := corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Type: corev1.ServiceTypeExternalName}
	annotated := func(key, value string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Annotations: map[string]string{key: value}}
	}
	const newer, older = corev1.AnnotationTopologyMode, corev1.DeprecatedAnnotationTopologyAwareHints
	ofService := metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelServiceName: "web"}}
	for name, test := range map[string]struct {
		keys   client.IndexerFunc
		object client.Object
		want   []string
	}{
		"Auto topology":                 {topology, &corev1.Service{ObjectMeta: annotated(newer, "Auto"), Spec: selecting}, []string{"auto"}},
		"Auto topology by older name":   {topology, &corev1.Service{ObjectMeta: annotated(older, "auto"), Spec: selecting}, []string{"auto"}},
		"no topology":                   {topology, &corev1.Service{Spec: selecting}, nil},
		"Auto topology, ExternalName":   {topology, &corev1.Service{ObjectMeta: annotated(newer, "Auto"), Spec: external}, nil},
		"Auto topology, no selector":    {topology, &corev1.Service{ObjectMeta: annotated(newer, "Auto")}, nil},
		"Auto topology on a node":       {topology, &corev1.Node{ObjectMeta: annotated(newer, "Auto")}, nil},
		"node of a pod":                 {nodeName, &corev1.Pod{Spec: corev1.PodSpec{NodeName: "node-a"}}, []string{"node-a"}},
		"a pod on no node":              {nodeName, &corev1.Pod{}, nil},
		"a Service on no node":          {nodeName, &corev1.Service{}, nil},
		"Service of a slice":            {serviceName, &discoveryv1.EndpointSlice{ObjectMeta: ofService}, []string{"web"}},
		"a slice of no Service":         {serviceName, &discoveryv1.EndpointSlice{}, nil},
		"a slice with an empty label":   {serviceName, &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelServiceName: ""}}}, nil},
		"a slice with some other label": {serviceName, &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.keys(test.object)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// added is a field indexer that remembers what it was told.
type added struct {
	names []string
	err   error
}

func (a *added) IndexField(_ context.Context, object client.Object, field string, _ client.IndexerFunc) error {
	a.names = append(a.names, fmt.Sprintf("%T %s", object, field))
	return a.err
}

func TestOnlyIndexesThatAreUsedAreAdded(t *testing.T) {
	const auto, owners = "*v1.Service topology", "*v1.EndpointSlice label-of-owner"
	const labels, nodes = "*v1.Pod label-pair", "*v1.Pod spec.nodeName"
	for selection, want := range map[string][]string{
		"*":                               {auto, labels, nodes, owners},
		EndpointSliceName:                 {auto, labels, nodes, owners},
		EndpointsName:                     {labels},
		EndpointSliceMirroringName:        {owners},
		"*,-" + EndpointSliceName:         {labels, owners},
		"-*":                              nil,
		EndpointsName + ",-endpointslice": {labels},
	} {
		var got added
		if err := addIndexes(t.Context(), &got, strings.Split(selection, ",")); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got.names); diff != "" {
			t.Errorf("indexes for %s (-want +got):\n%s", selection, diff)
		}
	}
	broken := added{err: errors.New("no such kind")}
	err := addIndexes(t.Context(), &broken, []string{"*"})
	if !errors.Is(err, broken.err) || !strings.Contains(err.Error(), `"topology" of *v1.Service`) {
		t.Errorf("got %v, want an error that names the index", err)
	}
}
