// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package alike

import (
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/test/badinput"
)

// replaceCases are about PUT.
func replaceCases() []Case {
	labelled := func(s *corev1.Service) { s.Labels = map[string]string{"a": "b"} }
	return []Case{
		{Name: "replaced without numbers", Steps: always(
			create(web(loadBalancer, badinput.Local(0))), put(web(loadBalancer, badinput.Local(0), labelled)))},
		{Name: "replaced without numbers, whatever is there", Steps: always(create(web(nodePort)), blind(web(nodePort, labelled)))},
		{Name: "replaced, not being there", Steps: always(blind(web(nodePort)))},
		{Name: "replaced, with a port more, not being there any more", Steps: always(
			create(web(nodePort)), Step{Verb: Stale, Service: web(nodePort, badinput.HTTP(0), badinput.Port("https", 443, tcp, 0))},
			put(web(nodePort, badinput.HTTP(0), badinput.Port("https", 443, tcp, 0))))},
		{Name: "replaced with another address", Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.IPs(n.One("1")))), put(web(clusterIP, badinput.IPs(n.One("2"))))}
		}},
	}
}

// patchCases are about patches of all kinds.
func patchCases() []Case {
	manifest := func(options ...badinput.Option) *corev1.Service {
		service := web(nodePort, options...)
		service.APIVersion, service.Kind = "v1", "Service"
		return service
	}
	return []Case{
		{Name: "a label patched", Steps: always(create(web(nodePort)), merge(`{"metadata":{"labels":{"a":"b"}}}`))},
		{Name: "an annotation patched", Steps: always(create(web(nodePort)), merge(`{"metadata":{"annotations":{"a":"b"}}}`))},
		{Name: "a port added by a strategic patch", Steps: always(
			create(web(nodePort)), patched(Strategic, `{"spec":{"ports":[{"name":"https","port":443}]}}`))},
		{Name: "a port added by a JSON patch", Steps: always(
			create(web(nodePort)),
			patched(JSON, `[{"op":"add","path":"/spec/ports/-","value":{"name":"https","port":443,"nodePort":$C}}]`))},
		{Name: "the type changed by a JSON patch", Steps: always(
			create(web(clusterIP)), patched(JSON, `[{"op":"replace","path":"/spec/type","value":"NodePort"}]`))},
		{Name: "applied, then with a port more, then with one less", Steps: always(
			apply(manifest()), apply(manifest(badinput.HTTP(0), badinput.Port("https", 443, tcp, 0))),
			apply(manifest(badinput.Port("https", 443, tcp, 0))))},
		{Name: "the status patched", Steps: always(
			create(web(loadBalancer)),
			Step{Verb: Status, Service: web(loadBalancer), Type: Merge,
				Patch: `{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}}`})},
		{Name: "what is not there patched", Steps: always(merge(`{"spec":{"type":"NodePort"}}`))},
	}
}

// lifeCases are about what comes, stays and goes.
func lifeCases() []Case {
	finalized := func(s *corev1.Service) { s.Finalizers = []string{"servicenet.dev/test"} }
	generated := func(s *corev1.Service) { s.Name, s.GenerateName = "", "web-" }
	wrong := func(s *corev1.Service) { s.Spec.SessionAffinity = "Sometimes" }
	return []Case{
		{Name: "a name that exists", Steps: always(
			create(web(nodePort)), create(web(nodePort)), create(web(nodePort, badinput.HTTP(portA))))},
		{Name: "a name that is generated", Steps: always(create(web(nodePort, generated)), create(web(nodePort, generated)))},
		{Name: "a finalizer holds the numbers", Steps: func(n *Net) []Step {
			numbers := []badinput.Option{badinput.Singular(n.One("1")), badinput.HTTP(portA)}
			another := web(nodePort, append(numbers, other)...)
			return []Step{
				create(web(nodePort, append(numbers, finalized)...)), remove(), create(web(nodePort)), create(another),
				merge(`{"metadata":{"finalizers":null}}`), create(another),
			}
		}, Differs: &Difference{
			Step: 3, Stock: "422 Invalid FieldValueInvalid at spec.clusterIPs",
			Ours: "422 Invalid FieldValueInvalid at spec.clusterIPs, FieldValueInvalid at spec.ports[0].nodePort",
			Why:  "all that is wrong comes in one answer",
		}},
		{Name: "refused later on, then right, with the same numbers", Steps: func(n *Net) []Step {
			numbers := []badinput.Option{badinput.Singular(n.One("1")), badinput.HTTP(portA)}
			return []Step{create(web(nodePort, append(numbers, wrong)...)), create(web(nodePort, numbers...))}
		}},
		{Name: "deleted, not being there", Steps: always(remove())},
	}
}

// dryCases are about requests that are only tried.
func dryCases() []Case {
	return []Case{
		{Name: "a dry run without numbers", Steps: always(dry(create(web(loadBalancer, badinput.Local(0)))), create(web(nodePort)))},
		{Name: "a dry run with an address", Steps: func(n *Net) []Step {
			of := web(clusterIP, badinput.IPs(n.One("1")))
			return []Step{dry(create(of)), dry(create(of)), create(of)}
		}},
		{Name: "a dry run with an address that is taken", Steps: func(n *Net) []Step {
			return []Step{create(web(clusterIP, badinput.IPs(n.One("1")))), dry(create(web(clusterIP, badinput.IPs(n.One("1")), other)))}
		}},
		{Name: "a dry run with a node port that is taken", Steps: always(
			create(web(nodePort, badinput.HTTP(portA))), dry(create(web(nodePort, badinput.HTTP(portA), other))))},
		{Name: "a dry run with a node port outside of the range", Steps: always(dry(create(web(nodePort, badinput.HTTP(29999))))),
			Differs: &Difference{
				Step: 0, Stock: "ok NodePort", Ours: "422 Invalid FieldValueInvalid at spec.ports[0].nodePort",
				Why: "a dry run says what the request would come to",
			}},
		{Name: "a dry run of changes", Steps: always(
			create(web(clusterIP)), dry(put(web(nodePort))), dry(put(web(externalName))), put(web(nodePort)), dry(put(web(clusterIP))))},
	}
}
