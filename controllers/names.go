// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// AllControllers selects every controller there is.
const AllControllers = "*"

// Names of the controllers.
const (
	// EndpointSliceName is the controller of the EndpointSlices of Services
	// with a selector.
	EndpointSliceName = "endpointslice"
	// EndpointsName is the controller of the Endpoints of Services with a
	// selector.
	EndpointsName = "endpoints"
	// EndpointSliceMirroringName is the controller of the EndpointSlices that
	// mirror Endpoints which somebody made for a Service without a selector.
	EndpointSliceMirroringName = "endpointslicemirroring"
	// ClusterIPName keeps the ledger of ClusterIPs, the status of ClusterIPPools,
	// and the ServiceCIDRs that pools own.
	ClusterIPName = "clusterip"
	// NodePortName keeps the ledger of NodePorts and the status of NodePortPools.
	NodePortName = "nodeport"
	// LoadBalancerName gives addresses of LoadBalancerPools to Services of type
	// LoadBalancer, and keeps the ledger of these and the status of the pools.
	LoadBalancerName = "loadbalancer"
	// CloudLoadBalancerName has a cloud provider make the load balancers of Services. It
	// runs where Options.Cloud is given.
	CloudLoadBalancerName = "cloudloadbalancer"
)

// Names returns the controllers of this build, in the order they are added.
func Names() []string {
	return append(append(endpointNames(), ledgerNames()...), CloudLoadBalancerName)
}

// endpointNames returns the controllers of what Services lead to.
func endpointNames() []string {
	return []string{EndpointSliceName, EndpointsName, EndpointSliceMirroringName}
}

// ledgerNames returns the controllers of the numbers that Services have.
func ledgerNames() []string { return []string{ClusterIPName, NodePortName, LoadBalancerName} }

// ValidateControllers reports the entries of a selection that name no
// controller. The grammar is that of kube-controller-manager's --controllers.
func ValidateControllers(selection []string) error {
	var errs []error
	for _, entry := range selection {
		name := strings.TrimPrefix(entry, "-")
		if entry != AllControllers && !slices.Contains(Names(), name) {
			errs = append(errs, fmt.Errorf("%q is not a controller: allowed are %s", entry, allowedSelections()))
		}
	}
	return errors.Join(errs...)
}

func allowedSelections() string {
	allowed := []string{strconv.Quote(AllControllers)}
	for _, name := range Names() {
		allowed = append(allowed, strconv.Quote(name), strconv.Quote("-"+name))
	}
	return strings.Join(allowed, ", ")
}

// selected tells whether a controller is to run. An entry that names it decides,
// the first one if there are several; otherwise "*" anywhere selects it.
func selected(name string, selection []string) bool {
	for _, entry := range selection {
		switch entry {
		case name:
			return true
		case "-" + name:
			return false
		}
	}
	return slices.Contains(selection, AllControllers)
}
