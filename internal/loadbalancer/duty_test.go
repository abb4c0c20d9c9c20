// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func finalized(s *corev1.Service) {
	s.Finalizers = append(s.Finalizers, "example.com/other", servicenetv1alpha1.LoadBalancerFinalizer)
}

func terminating(s *corev1.Service) { s.DeletionTimestamp = new(metav1.NewTime(epoch())) }

func ofType(of corev1.ServiceType) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Type = of }
}

func TestDuty(t *testing.T) {
	t.Parallel()
	const ours, classless = "servicenet.dev/pool", ""
	tests := map[string]struct {
		byDefault bool
		class     string
		changes   []func(*corev1.Service)
		has       bool
		want      Duty
	}{
		"of our class":                                     {class: ours, want: Serve},
		"of our class, and we are the default":             {byDefault: true, class: ours, want: Serve},
		"without a class":                                  {class: classless, want: Nothing},
		"without a class, and we are the default":          {byDefault: true, class: classless, want: Serve},
		"of another class":                                 {byDefault: true, class: "example.com/cloud", want: Nothing},
		"of another type":                                  {byDefault: true, changes: []func(*corev1.Service){ofType(corev1.ServiceTypeNodePort)}, want: Nothing},
		"of another type that was ours":                    {changes: []func(*corev1.Service){ofType(corev1.ServiceTypeClusterIP), finalized}, want: CleanUp},
		"of another type whose finalizer somebody removed": {changes: []func(*corev1.Service){ofType(corev1.ServiceTypeClusterIP)}, has: true, want: CleanUp},
		"of another class with our finalizer":              {class: "example.com/cloud", changes: []func(*corev1.Service){finalized}, want: CleanUp},
		"classless since we are the default no more":       {class: classless, changes: []func(*corev1.Service){finalized}, want: CleanUp},
		"ours and terminating":                             {class: ours, changes: []func(*corev1.Service){finalized, terminating}, want: CleanUp},
		"terminating, and we never came to it":             {class: ours, changes: []func(*corev1.Service){terminating}, want: Nothing},
		"terminating, and somebody removed our finalizer":  {class: ours, changes: []func(*corev1.Service){terminating}, has: true, want: CleanUp},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := balanced("web", test.changes...)
			if test.class != "" {
				class(test.class)(service)
			}
			terms := Terms{Class: ours, Default: test.byDefault}
			if got := terms.Duty(service, test.has); got != test.want {
				t.Errorf("the duty is %d, want %d", got, test.want)
			}
		})
	}
}
