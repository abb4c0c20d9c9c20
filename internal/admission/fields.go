// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// checkSourceRanges judges the addresses that a load balancer takes traffic from, in
// the field or, without it, in the annotation. What the Service has had is good.
func checkSourceRanges(r *Request) field.ErrorList {
	if len(r.Service.Spec.LoadBalancerSourceRanges) > 0 {
		return checkSourceField(r)
	}
	text, set := r.Service.Annotations[corev1.AnnotationLoadBalancerSourceRangesKey]
	if !set {
		return nil
	}
	path := pathAnnotation(corev1.AnnotationLoadBalancerSourceRangesKey)
	faults := checkBalanced(r, path)
	if r.Old != nil && r.Old.Annotations[corev1.AnnotationLoadBalancerSourceRangesKey] == text || strings.TrimSpace(text) == "" {
		return faults
	}
	for part := range strings.SplitSeq(text, ",") {
		faults = append(faults, checkCIDR(path, part, nil)...)
	}
	return faults
}

func checkSourceField(r *Request) field.ErrorList {
	path := pathSpec().Child("LoadBalancerSourceRanges") // as the API server spells it
	faults := checkBalanced(r, path)
	var old []string
	if r.Old != nil {
		for _, text := range r.Old.Spec.LoadBalancerSourceRanges {
			old = append(old, strings.TrimSpace(text))
		}
	}
	for i, text := range r.Service.Spec.LoadBalancerSourceRanges {
		faults = append(faults, checkCIDR(path.Index(i), text, old)...)
	}
	return faults
}

func checkBalanced(r *Request, path *field.Path) field.ErrorList {
	if r.Service.Spec.Type == corev1.ServiceTypeLoadBalancer {
		return nil
	}
	return field.ErrorList{field.Forbidden(path, "only a Service of type LoadBalancer has source ranges")}
}

func checkCIDR(path *field.Path, text string, old []string) field.ErrorList {
	return validation.IsValidCIDRForLegacyField(path, strings.TrimSpace(text), true, old)
}

// warnOfAnnotations warns of annotations of ours that a Service can't have.
func (p *Plan) warnOfAnnotations() {
	var old map[string]string
	if p.request.Old != nil {
		old = p.request.Old.Annotations
	}
	for _, key := range slices.Sorted(maps.Keys(p.request.Service.Annotations)) {
		_, had := old[key]
		switch {
		case had || !strings.HasPrefix(key, servicenetv1alpha1.GroupVersion.Group+"/"):
		case !isBalancing(key):
			p.Warnings = append(p.Warnings, fmt.Sprintf("metadata.annotations[%s]: no annotation of Services has this name", key))
		case !p.cluster.Balancing.owns(p.request.Service):
			p.Warnings = append(p.Warnings, fmt.Sprintf(
				"metadata.annotations[%s]: is for Services that get addresses of a LoadBalancerPool, which this one does not", key))
		}
	}
}

func pathAnnotation(key string) *field.Path { return field.NewPath("metadata", "annotations").Key(key) }
