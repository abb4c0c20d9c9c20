// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"slices"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// Operation is one of a JSON patch (RFC 6902). It is always "add", which sets a
// member whether it is there or not.
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Patch returns what sets the numbers at the places of plan.Takes that the Service
// does not name itself, and the finalizer that it needs, and changes nothing else.
func (p *Plan) Patch(places []ledger.Place) []Operation {
	operations := p.patchNumbers(places)
	if p.finalizes {
		finalizers := append(slices.Clone(p.request.Service.Finalizers), servicenetv1alpha1.LoadBalancerFinalizer)
		operations = append(operations, add("/metadata/finalizers", finalizers))
	}
	return operations
}

func (p *Plan) patchNumbers(places []ledger.Place) []Operation {
	var operations []Operation
	var chosen [2]string
	for i := range p.Takes {
		take := &p.Takes[i]
		switch {
		case take.Named:
		case !places[i].Block.IsPorts():
			chosen[take.index] = places[i].String()
		case take.index == noPort:
			operations = append(operations, add("/spec/healthCheckNodePort", places[i].Block.Port(places[i].Number)))
		default:
			operations = append(operations, add(fmt.Sprintf("/spec/ports/%d/nodePort", take.index), places[i].Block.Port(places[i].Number)))
		}
	}
	if chosen == [2]string{} {
		return operations
	}
	return append(p.patchAddresses(chosen), operations...)
}

// patchAddresses sets addresses by their index. The API server completes clusterIPs
// from a clusterIP that is alone in a new Service, so that is left to it; where there
// are two, or a Service exists, it wants both fields.
func (p *Plan) patchAddresses(chosen [2]string) []Operation {
	spec := &p.request.Service.Spec
	addresses := p.addresses(chosen)
	var operations []Operation
	if spec.ClusterIP != addresses[0] {
		operations = append(operations, add("/spec/clusterIP", addresses[0]))
	}
	alone := p.request.Old == nil && len(addresses) == 1 && len(spec.ClusterIPs) == 0
	if !alone && !slices.Equal(spec.ClusterIPs, addresses) {
		operations = append(operations, add("/spec/clusterIPs", addresses))
	}
	return operations
}

// addresses returns all addresses that the Service is to have, of which one is
// chosen. A second one is not named where the first one is chosen.
func (p *Plan) addresses(chosen [2]string) []string {
	had := addressesOf(p.request.old())
	var addresses []string
	for i, address := range chosen {
		switch {
		case address != "":
		case i < len(had):
			address = had[i]
		case i == 0:
			address = p.request.Service.Spec.ClusterIP
		default:
			continue
		}
		addresses = append(addresses, address)
	}
	return addresses
}

func add(path string, value any) Operation { return Operation{Op: "add", Path: path, Value: value} }
