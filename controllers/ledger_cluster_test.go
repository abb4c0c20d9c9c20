// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func TestMissingKindsAreNamed(t *testing.T) {
	all := []schema.GroupVersionKind{
		servicenetv1alpha1.GroupVersion.WithKind("AllocationBlock"), servicenetv1alpha1.GroupVersion.WithKind("ClusterIPPool"),
		servicenetv1alpha1.GroupVersion.WithKind("NodePortPool"), servicenetv1alpha1.GroupVersion.WithKind("LoadBalancerPool"),
		networkingv1.SchemeGroupVersion.WithKind("IPAddress"), networkingv1.SchemeGroupVersion.WithKind("ServiceCIDR"),
	}
	for name, test := range map[string]struct {
		controllers []string
		kinds       []schema.GroupVersionKind
		want        []string // parts of the message; none means no error
	}{
		"all there":                             {[]string{"*"}, all, nil},
		"none there":                            {[]string{"*"}, nil, []string{"AllocationBlock.servicenet.dev/v1alpha1", "NodePortPool", "ServiceCIDR", "LoadBalancerPool", "-clusterip,-nodeport,-loadbalancer"}},
		"ports need no addresses":               {[]string{"nodeport"}, []schema.GroupVersionKind{all[0], all[2]}, nil},
		"addresses need no pool of ports":       {[]string{"clusterip"}, []schema.GroupVersionKind{all[0], all[1], all[4], all[5]}, nil},
		"load balancers need their pools alone": {[]string{"loadbalancer"}, []schema.GroupVersionKind{all[0], all[3]}, nil},
		"and need them":                         {[]string{"loadbalancer"}, all[:3], []string{"LoadBalancerPool"}},
		"an API server that is too old":         {[]string{"clusterip"}, all[:3], []string{"IPAddress.networking.k8s.io/v1", "1.33"}},
	} {
		t.Run(name, func(t *testing.T) {
			mapper := apimeta.NewDefaultRESTMapper(nil)
			for _, kind := range test.kinds {
				mapper.Add(kind, apimeta.RESTScopeRoot)
			}
			err := haveLedgerKinds(mapper, Options{Controllers: test.controllers})
			if (err == nil) != (len(test.want) == 0) {
				t.Fatalf("error is %v, want one: %v", err, len(test.want) > 0)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}
