// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ciliumPool is the spec of a CiliumLoadBalancerIPPool (cilium.io/v2 and v2alpha1, whose
// first versions had cidrs instead of blocks).
type ciliumPool struct {
	Blocks            []ciliumBlock         `json:"blocks"`
	CIDRs             []ciliumBlock         `json:"cidrs"`
	ServiceSelector   *metav1.LabelSelector `json:"serviceSelector"`
	AllowFirstLastIPs string                `json:"allowFirstLastIPs"`
	Disabled          bool                  `json:"disabled"`
}

type ciliumBlock struct {
	CIDR  string `json:"cidr"`
	Start string `json:"start"`
	Stop  string `json:"stop"`
}

// What selectors of Cilium see of a Service besides its labels.
const (
	ciliumNamespace = "io.kubernetes.service.namespace"
	ciliumName      = "io.kubernetes.service.name"
)

func ciliumDialect() dialect {
	return dialect{
		kinds: []Kind{{Group: "cilium.io", Kind: "CiliumLoadBalancerIPPool", Versions: []string{"v2", "v2alpha1"}, Pools: true}},
		read:  readCilium,
		asks: asks{
			addresses: []string{"lbipam.cilium.io/ips", "io.cilium/lb-ipam-ips"},
			sharing:   []string{"lbipam.cilium.io/sharing-key", "io.cilium/lb-ipam-sharing-key"},
			across:    []string{"lbipam.cilium.io/sharing-cross-namespace", "io.cilium/lb-ipam-sharing-cross-namespace"},
		},
	}
}

// readCilium converts a pool.
func readCilium(w *work, object *unstructured.Unstructured) {
	var spec ciliumPool
	if !w.decode(object, object.Object["spec"], &spec) {
		return
	}
	d := w.draft(nameOf(object), object.GetName())
	if d == nil {
		return
	}
	for _, block := range slices.Concat(spec.Blocks, spec.CIDRs) {
		s, err := block.read()
		if err != nil {
			w.losef(d.about, "%v: it is left out", err)
			continue
		}
		w.add(d, s)
		if spec.AllowFirstLastIPs == "No" {
			d.spare(s)
		}
	}
	if spec.Disabled {
		d.Spec.AutoAssign = new(false)
		w.tellf(d.about, "is disabled: Services that name it, or an address of it, get one from us, and no others")
	}
	if spec.ServiceSelector != nil {
		w.serveCilium(d, spec.ServiceSelector)
	}
}

func (b ciliumBlock) read() (stretch, error) {
	if b.CIDR != "" {
		return parseStretch(b.CIDR)
	}
	return parseRange(b.Start, cmp.Or(b.Stop, b.Start))
}

// spare has a pool not give out the first and the last address of a CIDR.
func (d *draft) spare(s stretch) {
	edges := s.edges()
	if len(edges) > 0 && edges[0].Is4() {
		d.Spec.AvoidNetworkAndBroadcast = true
		return
	}
	for _, edge := range edges {
		if slices.ContainsFunc(d.addresses, func(has stretch) bool { return has.Contains(edge) }) {
			d.exclude = append(d.exclude, stretch{IPRange: rangeOf(edge)})
		}
	}
}

func rangeOf(address netip.Addr) netipx.IPRange { return netipx.IPRangeFrom(address, address) }

// serveCilium has a pool serve what a selector picks. What that says of the namespace
// is for our selector of namespaces; names of Services no selector of ours sees.
func (w *work) serveCilium(d *draft, selector *metav1.LabelSelector) {
	var namespaces, services []requirement
	sayable := true
	for _, r := range requirements(selector) {
		switch r.Key {
		case ciliumNamespace:
			r.Key = corev1.LabelMetadataName
			namespaces = append(namespaces, r)
		case ciliumName:
			sayable = false
			services = append(services, r)
		default:
			services = append(services, r)
		}
	}
	if len(namespaces) > 0 {
		d.Spec.NamespaceSelector = written(namespaces)
	}
	if len(services) > 0 {
		w.serveServices(d, []metav1.LabelSelector{*written(services)}, sayable, ciliumSees)
	}
}

// ciliumSees returns what selectors see of a Service.
func ciliumSees(service *corev1.Service) map[string]string {
	sees := maps.Clone(service.Labels)
	if sees == nil {
		sees = map[string]string{}
	}
	sees[ciliumNamespace], sees[ciliumName] = service.Namespace, service.Name
	return sees
}
