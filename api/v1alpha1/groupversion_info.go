// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the kinds in this package.
var GroupVersion = schema.GroupVersion{Group: "servicenet.dev", Version: "v1alpha1"}

// AddToScheme makes the kinds of this package known to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&AllocationBlock{}, &AllocationBlockList{},
		&ClusterIPPool{}, &ClusterIPPoolList{},
		&LoadBalancerPool{}, &LoadBalancerPoolList{},
		&NodePortPool{}, &NodePortPoolList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
