// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func pathSpec() *field.Path     { return field.NewPath("spec") }
func pathIPs() *field.Path      { return pathSpec().Child("clusterIPs") }
func pathFamilies() *field.Path { return pathSpec().Child("ipFamilies") }

func (d *decision) policyFault(what string) *field.Error {
	return field.Invalid(pathSpec().Child("ipFamilyPolicy"), d.policy, what)
}

// checkExternalName refuses addresses and families of an ExternalName. What the
// Service had under another type, and was not changed, goes by itself.
func (d *decision) checkExternalName() field.ErrorList {
	var was corev1.ServiceSpec
	if d.old != nil && !d.old.external() {
		was = d.old.service.Spec
	}
	sameIPs := d.ip == was.ClusterIP && slices.Equal(d.ips, was.ClusterIPs)
	samePolicy := d.policy == nil || was.IPFamilyPolicy != nil && *d.policy == *was.IPFamilyPolicy
	var faults field.ErrorList
	refuse := func(name string) {
		faults = append(faults, field.Forbidden(pathSpec().Child(name), "an ExternalName has none"))
	}
	// The server overlooks a clusterIP that is changed alone, and stores an address
	// that nobody allocated.
	if (d.ip != "" || len(d.ips) > 0) && !sameIPs {
		refuse("clusterIPs")
	}
	if len(d.families) > 0 && !slices.Equal(d.families, was.IPFamilies) {
		refuse("ipFamilies")
	}
	if !samePolicy {
		refuse("ipFamilyPolicy")
	}
	return faults
}

// checkFields looks at each field by itself, and whether they agree.
func (d *decision) checkFields() field.ErrorList {
	faults := slices.Concat(d.checkMirrors(), d.checkFamilies(), d.checkPolicy())
	malformed := d.checkAddresses()
	faults = append(faults, malformed...)
	if len(d.ips) > 2 {
		faults = append(faults, field.Invalid(pathIPs(), d.ips, "there can be two addresses at most"))
	}
	if len(malformed) > 0 || d.headless {
		return faults
	}
	return append(faults, d.checkMatch()...)
}

func (d *decision) checkPolicy() field.ErrorList {
	policies := []corev1.IPFamilyPolicy{
		corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack, corev1.IPFamilyPolicySingleStack,
	}
	if slices.Contains(policies, *d.policy) {
		return nil
	}
	return field.ErrorList{field.NotSupported(pathSpec().Child("ipFamilyPolicy"), *d.policy, policies)}
}

func (d *decision) checkMirrors() field.ErrorList {
	switch {
	case d.ip == "" && len(d.ips) > 0:
		return field.ErrorList{field.Invalid(pathIPs(), d.ips, "must be empty when clusterIP is")}
	case d.ip != "" && d.ips[0] != d.ip:
		return field.ErrorList{field.Invalid(pathIPs(), d.ips, "the first one must be that of clusterIP")}
	}
	return nil
}

func (d *decision) checkFamilies() field.ErrorList {
	var faults field.ErrorList
	for i, family := range d.families {
		if !isFamily(family) {
			faults = append(faults, field.NotSupported(pathFamilies().Index(i), family,
				[]corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}))
		}
		if slices.Contains(d.families[:i], family) {
			faults = append(faults, field.Duplicate(pathFamilies().Index(i), family))
		}
	}
	return faults
}

// checkAddresses looks at each address by itself. Those that the Service has had
// are good, however they are written.
func (d *decision) checkAddresses() field.ErrorList {
	var faults field.ErrorList
	for i, ip := range d.ips {
		if i == 0 && ip == corev1.ClusterIPNone {
			if len(d.ips) > 1 {
				faults = append(faults, field.Invalid(pathIPs(), d.ips, "None must be the only value"))
			}
			continue
		}
		if d.old != nil && slices.Contains(d.old.ips, ip) {
			continue
		}
		if _, err := parseAddress(ip); err != nil {
			faults = append(faults, field.Invalid(pathIPs().Index(i), ip, "must be an address, such as 10.96.0.10 or fd00:10:96::a"))
		}
	}
	return faults
}

// checkMatch compares addresses with each other and with the families.
func (d *decision) checkMatch() field.ErrorList {
	var faults field.ErrorList
	families := make([]corev1.IPFamily, len(d.ips))
	for i, ip := range d.ips {
		families[i] = familyOfText(ip)
		if i < len(d.families) && families[i] == otherFamily(d.families[i]) && isFamily(d.families[i]) {
			faults = append(faults, field.Invalid(pathIPs().Index(i), ip,
				fmt.Sprintf("must be of family %s, as ipFamilies[%d] says", d.families[i], i)))
		}
	}
	if len(families) > 1 && (len(families) > 2 || families[0] == families[1]) {
		faults = append(faults, field.Invalid(pathIPs(), d.ips, "there can be one address of each family at most"))
	}
	return faults
}

func isFamily(family corev1.IPFamily) bool {
	return family == corev1.IPv4Protocol || family == corev1.IPv6Protocol
}

// checkCluster refuses what the cluster does not have.
func (d *decision) checkCluster() field.ErrorList {
	var faults field.ErrorList
	if *d.policy == corev1.IPFamilyPolicyRequireDualStack && !d.cluster.DualStack {
		faults = append(faults, d.policyFault("the cluster has one family only"))
	}
	for i, family := range d.families {
		if !d.has(family) {
			faults = append(faults, field.Invalid(pathFamilies().Index(i), family, "is not configured on this cluster"))
		}
	}
	return faults
}

// checkChanges refuses changes of what must not change.
func (d *decision) checkChanges() field.ErrorList {
	if d.old == nil || d.old.external() || d.old.headless && d.headless {
		return nil
	}
	var faults field.ErrorList
	for i := range min(len(d.ips), len(d.old.ips)) {
		if d.ips[i] != d.old.ips[i] {
			faults = append(faults, field.Invalid(pathIPs().Index(i), d.ips, "must not change"))
		}
	}
	if d.old.headless || d.headless {
		return faults
	}
	for i := range min(len(d.families), len(d.old.families)) {
		if d.families[i] != d.old.families[i] {
			faults = append(faults, field.Invalid(pathFamilies().Index(0), d.families, "must not change"))
		}
	}
	return faults
}

// checkHeadless refuses None for Services that are reached from outside.
func (d *decision) checkHeadless() field.ErrorList {
	if !d.headless || d.service.Spec.Type != corev1.ServiceTypeNodePort && d.service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return nil
	}
	return field.ErrorList{field.Invalid(pathIPs().Index(0), d.ips, fmt.Sprintf("a %s Service cannot be headless", d.service.Spec.Type))}
}
