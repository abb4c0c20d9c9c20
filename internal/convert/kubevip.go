// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The ConfigMap of kube-vip's cloud provider, and the prefix of our pools' names.
const (
	kubeVIPConfigMap = "kubevip"
	kubeVIPPrefix    = "kube-vip-"
	kubeVIPGlobal    = "global"
	skipEnds         = "skip-end-ips-in-cidr"
)

func kubeVIPDialect() dialect {
	return dialect{
		kinds: []Kind{{
			Kind: "ConfigMap", Versions: []string{"v1"}, Namespace: metav1.NamespaceSystem, Name: kubeVIPConfigMap, Pools: true,
		}},
		read: readKubeVIP,
		// Its own annotation says what it gave, which the status says, too.
		asks: asks{},
	}
}

// readKubeVIP converts the ConfigMap: keys are of CIDRs and of ranges, of a namespace or
// global.
func readKubeVIP(w *work, object *unstructured.Unstructured) {
	if object.GetName() != kubeVIPConfigMap || object.GetNamespace() != metav1.NamespaceSystem {
		return
	}
	data, _, _ := unstructured.NestedStringMap(object.Object, "data")
	about := nameOf(object)
	var scopes []string
	for _, key := range slices.Sorted(maps.Keys(data)) {
		kind, scope, _ := strings.Cut(key, "-")
		switch {
		case kind == "cidr" || kind == "range":
			scopes = append(scopes, scope)
		case kind == "allow" && data[key] == "true":
			w.losef(about, "%s is left out: with us, Services share an address that have the same annotation "+
				"servicenet.dev/sharing-key, and different ports", key)
		case key != skipEnds:
			w.losef(about, "%s is left out", key)
		}
	}
	slices.Sort(scopes)
	for _, scope := range slices.Compact(scopes) {
		w.readScope(about, scope, data)
	}
}

// readScope makes a pool of what a namespace has, or all have.
func (w *work) readScope(about, scope string, data map[string]string) {
	cidrs, ranges := data["cidr-"+scope], data["range-"+scope]
	about += " (" + scope + ")"
	d := w.draft(about, kubeVIPPrefix+scope)
	if d == nil {
		return
	}
	if cidrs != "" && ranges != "" {
		w.losef(about, "the pool has what is in cidr-%s and in range-%s", scope, scope)
	}
	for _, text := range append(strings.Split(cidrs, ","), strings.Split(ranges, ",")...) {
		switch text = strings.TrimSpace(text); {
		case strings.HasPrefix(text, "0.0.0.0"):
			w.losef(about, "addresses from DHCP are nothing that a pool has")
		case text != "":
			w.addTexts(d, []string{text})
		}
	}
	d.Spec.AvoidNetworkAndBroadcast = data[skipEnds] == "true"
	if scope != kubeVIPGlobal {
		d.Spec.NamespaceSelector = new(pinned([]string{scope}))
		w.tellf(about, "when it is full, Services of the namespace get addresses of pools for all")
	}
}
