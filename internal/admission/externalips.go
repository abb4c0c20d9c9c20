// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ExternalIPs says which addresses may be added to spec.externalIPs of a Service.
// Nodes take traffic to them for their own, so whoever may add any address may take
// over that of others (CVE-2020-8554). The zero value allows all, with a warning.
type ExternalIPs struct {
	Mode ExternalIPMode
	// CIDRs are the allowed ones of the mode ListedExternalIPs.
	CIDRs []netip.Prefix
}

// ExternalIPMode says how spec.externalIPs are judged.
type ExternalIPMode string

const (
	// WarnOfExternalIPs allows all and warns.
	WarnOfExternalIPs ExternalIPMode = ""
	// NoExternalIPs allows none.
	NoExternalIPs ExternalIPMode = "Deny"
	// ListedExternalIPs allows those of some CIDRs.
	ListedExternalIPs ExternalIPMode = "Listed"
)

// checkExternalIPs judges the external IPs that a Service does not have yet, as the
// API server's admission plugin DenyServiceExternalIPs does.
func (p *Plan) checkExternalIPs() field.ErrorList {
	var old []string
	if p.request.Old != nil {
		old = p.request.Old.Spec.ExternalIPs
	}
	var faults field.ErrorList
	added := false
	for i, text := range p.request.Service.Spec.ExternalIPs {
		if slices.Contains(old, text) {
			continue
		}
		added = true
		if fault := p.cluster.ExternalIPs.judge(text, pathSpec().Child("externalIPs").Index(i)); fault != nil {
			faults = append(faults, fault)
		}
	}
	if added && p.cluster.ExternalIPs.Mode == WarnOfExternalIPs {
		p.Warnings = append(p.Warnings, "spec.externalIPs: nodes take traffic to these addresses, whoever they belong to;"+
			" a Service of type LoadBalancer gets an address of its own")
	}
	return faults
}

func (e *ExternalIPs) judge(text string, path *field.Path) *field.Error {
	address, err := netip.ParseAddr(text)
	switch {
	case err != nil || address.Zone() != "":
		return field.Invalid(path, text, "must be an address, such as 192.0.2.10 or 2001:db8::10")
	case e.Mode == NoExternalIPs:
		return field.Forbidden(path, "external IPs are not allowed in this cluster; use a Service of type LoadBalancer")
	case e.Mode == ListedExternalIPs && !slices.ContainsFunc(e.CIDRs, func(cidr netip.Prefix) bool { return cidr.Contains(address) }):
		return field.Forbidden(path, "external IPs of this cluster must be in "+e.list())
	}
	return nil
}

func (e *ExternalIPs) list() string {
	if len(e.CIDRs) == 0 {
		return "a list that is empty"
	}
	return strings.Trim(fmt.Sprint(e.CIDRs), "[]")
}
