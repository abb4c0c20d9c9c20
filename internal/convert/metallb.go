// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"math"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// metalLBPool is the spec of an IPAddressPool, and of an AddressPool, which came before
// it (metallb.io/v1beta1).
type metalLBPool struct {
	Addresses         []string           `json:"addresses"`
	AutoAssign        *bool              `json:"autoAssign"`
	AvoidBuggyIPs     bool               `json:"avoidBuggyIPs"`
	ServiceAllocation *metalLBAllocation `json:"serviceAllocation"`

	Protocol          string `json:"protocol"`
	BGPAdvertisements []any  `json:"bgpAdvertisements"`
}

type metalLBAllocation struct {
	Priority           int                    `json:"priority"`
	Namespaces         []string               `json:"namespaces"`
	NamespaceSelectors []metav1.LabelSelector `json:"namespaceSelectors"`
	ServiceSelectors   []metav1.LabelSelector `json:"serviceSelectors"`
}

// metalLBNamespace is where MetalLB's manifests put it: it reads the pools there alone.
const metalLBNamespace = "metallb-system"

func metalLBDialect() dialect {
	const group = "metallb.io"
	both := func(name string) []string { return []string{"metallb.io/" + name, "metallb.universe.tf/" + name} }
	return dialect{
		kinds: []Kind{
			{Group: group, Kind: "IPAddressPool", Versions: []string{"v1beta1"}, Namespace: metalLBNamespace, Pools: true},
			{Group: group, Kind: "AddressPool", Versions: []string{"v1beta1"}, Namespace: metalLBNamespace, Pools: true},
		},
		read: readMetalLB,
		asks: asks{
			addresses: both("loadBalancerIPs"), pool: both("address-pool"), sharing: both("allow-shared-ip"),
			sharesAnywhere: true,
		},
	}
}

// readMetalLB converts a pool. Its selectors are of Services that it serves, each of
// which is enough; of those that serve one, pools with a serviceAllocation go first, the
// lowest priority ahead of all, and 0, which is none, last.
func readMetalLB(w *work, object *unstructured.Unstructured) {
	var spec metalLBPool
	if !w.decode(object, object.Object["spec"], &spec) {
		return
	}
	d := w.draft(nameOf(object), object.GetName())
	if d == nil {
		return
	}
	w.addTexts(d, spec.Addresses)
	if spec.AutoAssign != nil && !*spec.AutoAssign {
		d.Spec.AutoAssign = spec.AutoAssign
	}
	if spec.AvoidBuggyIPs {
		w.avoidConfusing(d)
	}
	if spec.Protocol != "" || len(spec.BGPAdvertisements) > 0 {
		w.tellf(d.about, "how its addresses are announced is a matter of MetalLB's speaker, which goes on reading that here")
	}
	if allocation := spec.ServiceAllocation; allocation != nil {
		d.rank = math.MinInt + 1
		if allocation.Priority > 0 {
			d.rank = -allocation.Priority
		}
		w.serveEither(d, allocation.Namespaces, allocation.NamespaceSelectors)
		w.serveServices(d, allocation.ServiceSelectors, true, func(s *corev1.Service) map[string]string { return s.Labels })
	} else {
		d.rank = math.MinInt
	}
	w.rankAll()
}
