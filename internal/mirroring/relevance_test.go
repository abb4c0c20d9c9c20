// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const leader = "control-plane.alpha.kubernetes.io/leader"

func TestMirrored(t *testing.T) {
	for name, test := range map[string]struct {
		endpoints *corev1.Endpoints
		service   *corev1.Service
		want      bool
	}{
		"service without a selector":      {makeEndpoints(), makeService(), true},
		"service with an empty selector":  {makeEndpoints(), makeService(func(s *corev1.Service) { s.Spec.Selector = map[string]string{} }), true},
		"service with a selector":         {makeEndpoints(), makeService(withSelector), false},
		"no service":                      {makeEndpoints(), nil, false},
		"no endpoints":                    {nil, makeService(), false},
		"external name":                   {makeEndpoints(), makeService(func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }), true},
		"asked to skip":                   {makeEndpoints(withLabels(map[string]string{discoveryv1.LabelSkipMirror: "true"})), makeService(), false},
		"asked not to skip":               {makeEndpoints(withLabels(map[string]string{discoveryv1.LabelSkipMirror: "false"})), makeService(), true},
		"asked to skip in another way":    {makeEndpoints(withLabels(map[string]string{discoveryv1.LabelSkipMirror: "True"})), makeService(), true},
		"lock of a leader election":       {makeEndpoints(withAnnotations(map[string]string{leader: "{}"})), makeService(), false},
		"lock that nobody holds, emptied": {makeEndpoints(withAnnotations(map[string]string{leader: ""})), makeService(), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Mirrored(test.endpoints, test.service); got != test.want {
				t.Fatalf("got %v, want %v", got, test.want)
			}
			w := mirrored(t, withSubset(tcp(80), 1, 2, firstIPv6))
			in := Input{Endpoints: test.endpoints, Service: test.service}
			if changes := w.plan(in); !test.want && (len(w.slices) != 0 || changes.Stats.Removed != 3 || changes.Stats.Slices != 0) {
				t.Errorf("left %v, and said that %d endpoints were removed and %d slices left", w.contents(), changes.Stats.Removed, changes.Stats.Slices)
			}
		})
	}
}

func TestMatters(t *testing.T) {
	base := func(options ...endpointsOption) *corev1.Endpoints {
		return makeEndpoints(append([]endpointsOption{withSubset(tcp(80), 1)}, options...)...)
	}
	lock := map[string]string{leader: "{}"}
	for name, test := range map[string]struct {
		before, after *corev1.Endpoints
		want          bool
	}{
		"nothing":               {base(), base(func(e *corev1.Endpoints) { e.ResourceVersion = "7" }), false},
		"empty for no labels":   {base(), base(withLabels(map[string]string{})), false},
		"another address":       {base(), base(withSubset(tcp(80), 2)), true},
		"readiness":             {makeEndpoints(withSubset(tcp(80), 1)), makeEndpoints(withSubset(tcp(80), -1)), true},
		"label":                 {base(), base(withLabels(map[string]string{"a": "b"})), true},
		"annotation":            {base(), base(withAnnotations(map[string]string{"a": "b"})), true},
		"trigger time":          {base(), base(withAnnotations(map[string]string{corev1.EndpointsLastChangeTriggerTime: "x"})), false},
		"last applied":          {base(), base(withAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: "x"})), false},
		"made anew":             {base(), base(withUID("next")), true},
		"deletion begins":       {base(), base(deleting), true},
		"deletion goes on":      {base(deleting), base(func(e *corev1.Endpoints) { e.DeletionTimestamp = &metav1.Time{Time: time.Unix(9, 0)} }), false},
		"becomes a lock":        {base(), base(withAnnotations(lock)), true},
		"is no lock any more":   {base(withAnnotations(lock)), base(), true},
		"change while a lock":   {base(withAnnotations(lock)), makeEndpoints(withAnnotations(lock), withUID("next")), false},
		"change while left out": {base(withLabels(map[string]string{discoveryv1.LabelSkipMirror: "true"})), makeEndpoints(withAnnotations(lock)), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Matters(test.before, test.after); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestServiceMatters(t *testing.T) {
	for name, test := range map[string]struct {
		before, after *corev1.Service
		want          bool
	}{
		"nothing":          {makeService(), makeService(), false},
		"selector set":     {makeService(), makeService(withSelector), true},
		"selector removed": {makeService(withSelector), makeService(), true},
		"selector changed": {makeService(withSelector), makeService(func(s *corev1.Service) { s.Spec.Selector = map[string]string{"a": "b"} }), false},
		"type, port, label": {makeService(), makeService(func(s *corev1.Service) {
			s.Spec.Type, s.Spec.Ports, s.Labels = "NodePort", nil, map[string]string{"a": "b"}
		}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ServiceMatters(test.before, test.after); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
