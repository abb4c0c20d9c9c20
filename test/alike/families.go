// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package alike

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/test/badinput"
)

// familyCases are about addresses and families.
func familyCases() []Case {
	return append(append(anyServerCases(), bothFamilyCases()...), growthCases()...)
}

func anyServerCases() []Case {
	var cases []Case
	for _, policy := range []corev1.IPFamilyPolicy{single, prefer, require} {
		of := badinput.Policy(policy)
		cases = append(cases,
			Case{Name: string(policy), Steps: always(create(web(nodePort, of)), put(web(nodePort)))},
			Case{Name: string(policy) + ", headless", Steps: always(create(web(clusterIP, of, badinput.IPs(corev1.ClusterIPNone))))},
			Case{Name: string(policy) + ", naming an address", Steps: func(n *Net) []Step {
				return []Step{create(web(clusterIP, of, badinput.Singular(n.One("1"))))}
			}},
			Case{Name: string(policy) + ", naming the family", Steps: func(n *Net) []Step {
				return []Step{create(web(clusterIP, of, badinput.Families(n.Primary)))}
			}},
		)
	}
	return append(cases,
		Case{Name: "an address by both fields", Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.IPs(n.One("1"))))}
		}},
		Case{Name: "an address that a deleted Service had", Steps: func(n *Net) []Step {
			of := web(clusterIP, badinput.Singular(n.One("1")))
			return []Step{create(of), remove(), create(of), remove(), create(web(clusterIP, badinput.Singular(n.One("1")), other))}
		}},
		Case{Name: "an address that another has", Steps: func(n *Net) []Step {
			of := badinput.Singular(n.One("1"))
			return []Step{create(web(clusterIP, of)), create(web(clusterIP, of, other)), remove(), create(web(clusterIP, of, other))}
		}},
		Case{Name: "the singular field cleared", Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.IPs(n.One("1")))), put(web(clusterIP, badinput.Plural(n.One("1"))))}
		}},
		Case{Name: "the plural field cleared", Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.IPs(n.One("1")))), put(web(clusterIP, badinput.Singular(n.One("1"))))}
		}},
	)
}

// bothFamilyCases need an API server with both families.
func bothFamilyCases() []Case {
	return []Case{
		{Name: "the other family", For: Dual, Steps: func(n *Net) []Step {
			return []Step{create(web(nodePort, badinput.Families(n.Secondary))), put(web(clusterIP))}
		}},
		{Name: "an address of the other family", For: Dual, Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.Singular(n.Two("1"))))}
		}},
		{Name: "both families, the other one first", For: Dual, Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.Policy(require), badinput.Families(n.Secondary, n.Primary)))}
		}},
		{Name: "the other family, if possible both", For: Dual, Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.Policy(prefer), badinput.Families(n.Secondary)))}
		}},
		{Name: "both addresses named", For: Dual, Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.Policy(prefer), badinput.IPs(n.One("1"), n.Two("1"))))}
		}},
		{Name: "both addresses named, without a policy", For: Dual, Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.IPs(n.One("1"), n.Two("1"))))}
		}},
		{Name: "both families, naming the first address", For: Dual, Steps: func(n *Net) []Step {
			return []Step{
				create(web(clusterIP, badinput.Policy(require), badinput.Families(n.Primary, n.Secondary), badinput.IPs(n.One("1")))),
			}
		}},
		{Name: "both families, headless", For: Dual, Steps: func(n *Net) []Step {
			return []Step{
				create(web(clusterIP, badinput.Families(n.Secondary, n.Primary), badinput.Policy(prefer),
					badinput.IPs(corev1.ClusterIPNone))),
			}
		}},
		{Name: "both families of an ExternalName that becomes one", For: Dual, Steps: always(
			create(web(externalName)), put(web(nodePort, badinput.Policy(require))))},
	}
}

// growthCases are about a second address that comes or goes.
func growthCases() []Case {
	patch := func(policy corev1.IPFamilyPolicy) Step {
		return merge(fmt.Sprintf(`{"spec":{"ipFamilyPolicy":%q}}`, policy))
	}
	return []Case{
		{Name: "from one family to both, and back", Steps: always(
			create(web(clusterIP)), patch(require), patch(prefer), patch(single), patch(prefer))},
		{Name: "from one family to both, by replacement", For: Dual, Steps: always(
			create(web(clusterIP)), put(web(clusterIP, badinput.Policy(require))), put(web(clusterIP, badinput.Policy(single))))},
		{Name: "a second address that is named", For: Dual, Steps: func(n *Net) []Step {
			more := badinput.IPs(n.One("1"), n.Two("2"))
			return []Step{
				create(web(clusterIP, badinput.IPs(n.One("1")))), put(web(clusterIP, badinput.Policy(require), more)),
				put(web(clusterIP, badinput.Policy(single), badinput.IPs(n.One("1")))),
				create(web(clusterIP, badinput.Singular(n.Two("2")), other)),
			}
		}},
		{Name: "a second family that is named", For: Dual, Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP)), put(web(clusterIP, badinput.Policy(prefer), badinput.Families(n.Primary, n.Secondary)))}
		}},
		{Name: "the first address given up", For: Dual, Steps: func(n *Net) []Step {
			return []Step{
				create(web(clusterIP, badinput.Policy(require), badinput.IPs(n.One("1"), n.Two("1")))),
				put(web(clusterIP, badinput.Policy(single), badinput.IPs(n.Two("1")))),
			}
		}},
		{Name: "a headless one to both families, and back", For: Dual, Steps: always(
			create(web(clusterIP, badinput.IPs(corev1.ClusterIPNone))), patch(require), patch(single))},
	}
}
