// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"iter"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// Values of annotations that are either.
const (
	yes = "true"
	no  = "false"
)

// Review is what is to be said about a pool.
type Review struct {
	Warnings []string
	Faults   field.ErrorList
}

// Usage is what Services have of a pool before a change.
type Usage[N any] struct {
	// Numbers are those that Services have, each once.
	Numbers iter.Seq[N]
	// ByNamespace counts what counts for the limit.
	ByNamespace map[string]int
}

func (r *Review) warnf(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

func (r *Review) refuse(faults ...*field.Error) { r.Faults = append(r.Faults, faults...) }

// refuseUnlessForced refuses what harms Services that exist; of what is forced, it
// warns.
func (r *Review) refuseUnlessForced(meta *metav1.ObjectMeta, path *field.Path, what string) {
	if meta.Annotations[servicenetv1alpha1.ForceAnnotation] == yes {
		r.warnf("%s: %s", path, what)
		return
	}
	r.refuse(field.Forbidden(path, fmt.Sprintf("%s; to do it all the same, set the annotation %s to true: Services keep what they have",
		what, servicenetv1alpha1.ForceAnnotation)))
}

// reviewForce judges the annotation by itself.
func (r *Review) reviewForce(meta *metav1.ObjectMeta) {
	value, set := meta.Annotations[servicenetv1alpha1.ForceAnnotation]
	if set && value != yes && value != no {
		r.refuse(field.NotSupported(pathAnnotation(servicenetv1alpha1.ForceAnnotation), value, []string{yes, no}))
	}
}

// reviewLoss refuses to leave numbers outside that Services have.
func (r *Review) reviewLoss(meta *metav1.ObjectMeta, path *field.Path, lost int, kind string) {
	if lost > 0 {
		r.refuseUnlessForced(meta, path,
			fmt.Sprintf("%d %s that Services have would be outside of the pool (kubectl get services -A shows them)", lost, kind))
	}
}

// reviewLimit refuses a limit that is lower than before and than what namespaces have.
func (r *Review) reviewLimit(meta *metav1.ObjectMeta, limit, before *int32, byNamespace map[string]int) {
	if limit == nil || before != nil && *limit >= *before {
		return
	}
	above, most := 0, 0
	for _, count := range byNamespace {
		if count > int(*limit) {
			above++
			most = max(most, count)
		}
	}
	if above > 0 {
		r.refuseUnlessForced(meta, pathSpec().Child("limitPerNamespace"),
			fmt.Sprintf("%d namespaces have more numbers of the pool than that, up to %d", above, most))
	}
}

// reviewRest refuses what no other rule found, and the pool says of itself.
func (r *Review) reviewRest(p *pool.Pool) {
	if len(r.Faults) > 0 {
		return
	}
	for _, fault := range p.Faults {
		where, what, _ := strings.Cut(fault, ": ")
		r.refuse(field.Invalid(pathSpec().Child(where), field.OmitValueType{}, what))
	}
}

// reviewVerdict warns of what keeps a pool from being ready.
func (r *Review) reviewVerdict(v pool.Verdict) {
	if !v.Ready {
		r.warnf("the pool will not be Ready: %s: %s", v.Reason, v.Message)
	}
}

// lost counts the numbers that were in a pool and will not be.
func lost[N any](numbers iter.Seq[N], before, after func(N) bool) int {
	count := 0
	if numbers == nil {
		return 0
	}
	for n := range numbers {
		if before(n) && !after(n) {
			count++
		}
	}
	return count
}
