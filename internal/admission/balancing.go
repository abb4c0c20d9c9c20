// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// Balancing is what Services of type LoadBalancer get. The zero value is nothing: they
// are the matter of somebody else. Their addresses are not given here: a Service can
// wait for one, and a webhook can't.
type Balancing struct {
	Pools *pool.LoadBalancers
	// Class is the loadBalancerClass of those that get addresses of the pools; with
	// Default, Services without a class get some, too.
	Class   string
	Default bool
}

// owns tells whether a Service gets addresses of the pools.
func (b *Balancing) owns(s *corev1.Service) bool {
	switch {
	case b.Pools == nil || s.Spec.Type != corev1.ServiceTypeLoadBalancer:
		return false
	case s.Spec.LoadBalancerClass == nil:
		return b.Default
	default:
		return *s.Spec.LoadBalancerClass == b.Class
	}
}

func hasFinalizer(s *corev1.Service) bool {
	return s.DeletionTimestamp != nil || slices.Contains(s.Finalizers, servicenetv1alpha1.LoadBalancerFinalizer)
}

// isBalancing tells whether an annotation is for load balancers.
func isBalancing(key string) bool {
	switch key {
	case servicenetv1alpha1.LoadBalancerIPsAnnotation, servicenetv1alpha1.LoadBalancerPoolKey, servicenetv1alpha1.SharingKeyAnnotation,
		servicenetv1alpha1.SharingCrossNamespaceAnnotation, servicenetv1alpha1.IPModeAnnotation:
		return true
	default:
		return false
	}
}

// wish is what a Service says of the addresses that it wants of pools.
type wish struct {
	// one is spec.loadBalancerIP, several is the annotation that takes its place.
	one, several string
	// pool and label name a pool.
	pool, label           string
	mode, crossNamespaces string
	setsMode, setsCross   bool
}

func wishOf(s *corev1.Service) wish {
	w := wish{
		one: s.Spec.LoadBalancerIP, several: s.Annotations[servicenetv1alpha1.LoadBalancerIPsAnnotation],
		pool: s.Annotations[servicenetv1alpha1.LoadBalancerPoolKey], label: s.Labels[servicenetv1alpha1.LoadBalancerPoolKey],
	}
	w.mode, w.setsMode = s.Annotations[servicenetv1alpha1.IPModeAnnotation]
	w.crossNamespaces, w.setsCross = s.Annotations[servicenetv1alpha1.SharingCrossNamespaceAnnotation]
	return w
}

// named is an address that a Service wants, and where it says so.
type named struct {
	netip.Addr

	path *field.Path
}

// checkBalancing judges what a Service says of the addresses that it wants of pools,
// unless the stored one has said the same.
func (p *Plan) checkBalancing() field.ErrorList {
	balancing := &p.cluster.Balancing
	if !balancing.owns(p.request.Service) {
		return nil
	}
	w := wishOf(p.request.Service)
	if p.request.Old != nil && balancing.owns(p.request.Old) && w == wishOf(p.request.Old) {
		return nil
	}
	addresses, faults := w.addresses(p.families)
	faults = append(faults, w.check()...)
	if len(faults) > 0 {
		return faults
	}
	for _, of := range addresses {
		need := pool.Need{Family: familyOf(of.Addr), Address: of.Addr}
		refusal := balancing.Pools.Choose(p.request.who(), w.poolName(), []pool.Need{need}, nil)[0].Refusal
		switch {
		case refusal == nil:
		case refusal.Reason == pool.RefusedOutsidePools || refusal.Reason == pool.RefusedNotPermitted:
			faults = append(faults, field.Invalid(of.path, of.String(), refusal.Message+"; leave it out to get a free one"))
		default: // there may be such a pool soon
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s: %s; the Service waits until one does", of.path, refusal.Message))
		}
	}
	return faults
}

// poolName returns the name of the pool that the Service asks for, "" for any.
func (w *wish) poolName() string {
	if w.pool != "" {
		return w.pool
	}
	return w.label
}

// addresses returns those that the Service names. families are those that it will
// have; none if that is not known.
func (w *wish) addresses(families []corev1.IPFamily) ([]named, field.ErrorList) {
	var list []named
	var faults field.ErrorList
	read := func(path *field.Path, text string) {
		address, what := readAddress(text)
		switch {
		case what != "":
			faults = append(faults, field.Invalid(path, text, what))
		case len(families) > 0 && !slices.Contains(families, familyOf(address)):
			faults = append(faults, field.Invalid(path, text, fmt.Sprintf("is an %s address, and the Service has none: its families are %s",
				familyOf(address), join(families))))
		default:
			list = append(list, named{address, path})
		}
	}
	path := pathAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation)
	for part := range strings.SplitSeq(w.several, ",") {
		if part = strings.TrimSpace(part); part != "" {
			read(path, part)
		}
	}
	if w.one == "" {
		return list, faults
	}
	several := slices.Clone(list)
	read(pathSpec().Child("loadBalancerIP"), w.one)
	if len(faults) == 0 && w.several != "" {
		one := list[len(list)-1]
		list = several
		if !slices.ContainsFunc(several, func(n named) bool { return n.Addr == one.Addr }) {
			faults = append(faults, field.Invalid(one.path, w.one, "is none of the addresses that the annotation "+
				servicenetv1alpha1.LoadBalancerIPsAnnotation+" names; leave one of them out"))
		}
	}
	return list, faults
}

// check judges what the other annotations say.
func (w *wish) check() field.ErrorList {
	var faults field.ErrorList
	path := pathAnnotation(servicenetv1alpha1.LoadBalancerPoolKey)
	switch {
	case w.pool != "" && w.label != "" && w.pool != w.label:
		faults = append(faults, field.Invalid(path, w.pool, fmt.Sprintf("the label of this name says %s; leave one of them out", w.label)))
	case w.poolName() != "" && len(validation.IsDNS1123Subdomain(w.poolName())) > 0:
		faults = append(faults, field.Invalid(path, w.poolName(), "is no name that a pool can have"))
	}
	if w.setsMode && w.mode != string(corev1.LoadBalancerIPModeVIP) && w.mode != string(corev1.LoadBalancerIPModeProxy) {
		faults = append(faults, field.NotSupported(pathAnnotation(servicenetv1alpha1.IPModeAnnotation), w.mode,
			[]corev1.LoadBalancerIPMode{corev1.LoadBalancerIPModeVIP, corev1.LoadBalancerIPModeProxy}))
	}
	if w.setsCross && w.crossNamespaces != yes && w.crossNamespaces != no {
		faults = append(faults, field.NotSupported(pathAnnotation(servicenetv1alpha1.SharingCrossNamespaceAnnotation), w.crossNamespaces,
			[]string{yes, no}))
	}
	return faults
}

func familyOf(address netip.Addr) corev1.IPFamily {
	if address.Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

func join(families []corev1.IPFamily) string {
	words := make([]string, len(families))
	for i, family := range families {
		words[i] = string(family)
	}
	return strings.Join(words, ", ")
}
