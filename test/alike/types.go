// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package alike

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/test/badinput"
)

// typeCases are about what a type has, and what becomes of it when it changes.
func typeCases() []Case {
	var cases []Case
	for _, kind := range types() {
		cases = append(cases, Case{Name: "a new " + string(kind), Steps: always(create(web(kind)))})
		for _, other := range types() {
			if other == kind {
				continue
			}
			cases = append(cases, Case{
				Name:  fmt.Sprintf("a %s that is replaced by a %s", kind, other),
				Steps: always(create(web(kind)), put(web(other))),
			})
		}
	}
	none := badinput.IPs(corev1.ClusterIPNone)
	return append(cases,
		Case{Name: "a headless one", Steps: always(create(web(clusterIP, none)))},
		Case{Name: "a headless one, by the singular field", Steps: always(
			create(web(clusterIP, badinput.Singular(corev1.ClusterIPNone))))},
		Case{Name: "a headless one without a selector", Steps: always(create(web(clusterIP, none, selectorless)))},
		Case{Name: "one without a selector", Steps: always(create(web(clusterIP, selectorless)))},
		Case{Name: "a headless one that is to have addresses", Steps: always(
			create(web(clusterIP, none)), merge(`{"spec":{"clusterIP":null,"clusterIPs":null}}`))},
		Case{Name: "a headless one that is replaced without addresses", Steps: always(
			create(web(clusterIP, none)), put(web(clusterIP)))},
		Case{Name: "a headless one that becomes an ExternalName, and back", Steps: always(
			create(web(clusterIP, none)), put(web(externalName)), put(web(clusterIP, none)))},
		Case{Name: "an ExternalName that becomes one with an address of its choice", Steps: func(n *Net) []Step {
			return []Step{create(web(externalName)), put(web(clusterIP, badinput.IPs(n.One("1")))), put(web(externalName))}
		}},
		Case{Name: "an ExternalName that is headless", Steps: always(create(web(externalName, none)))},
	)
}

// patchedTypeCases are about clients that change the type and nothing else.
func patchedTypeCases() []Case {
	var cases []Case
	for _, kind := range types() {
		for _, other := range types() {
			if other != kind {
				cases = append(cases, Case{
					Name:  fmt.Sprintf("a %s that is patched to a %s, and back", kind, other),
					Steps: always(create(web(kind)), merge(typePatch(kind, other)), merge(typePatch(other, kind))),
				})
			}
		}
	}
	return cases
}

func selectorless(s *corev1.Service) { s.Spec.Selector = nil }

// typePatch is what a client sends that knows of the type alone.
func typePatch(from, to corev1.ServiceType) string {
	switch externalName {
	case to:
		return `{"spec":{"type":"ExternalName","externalName":"example.com"}}`
	case from:
		return fmt.Sprintf(`{"spec":{"type":%q,"ports":[{"name":"http","port":80}]}}`, to)
	default:
		return fmt.Sprintf(`{"spec":{"type":%q}}`, to)
	}
}
