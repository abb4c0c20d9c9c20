// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Refusal is why a Service can't have an address, whatever is free.
type Refusal struct {
	// Reason is one of those below.
	Reason string
	// Message is for people: of an address that is named, what is wrong with it. It
	// names nothing that belongs to others: neither their Services, nor pools that
	// do not serve the Service in question.
	Message string
}

// Reasons of refusals.
const (
	// RefusedNoPool says that no pool that serves the Service has addresses of the
	// family to give out unasked.
	RefusedNoPool = "NoPool"
	// RefusedNoNodes says that the pools which serve the Service have the addresses of
	// nodes, and that no node has one of the family.
	RefusedNoNodes = "NoNodes"
	// RefusedPoolNotFound says that no pool of the name that the Service asks for
	// serves it.
	RefusedPoolNotFound = "PoolNotFound"
	// RefusedOutsidePools says that no pool that serves the Service has the address.
	RefusedOutsidePools = "AddressOutsidePools"
	// RefusedNotPermitted says that the address is for others.
	RefusedNotPermitted = "NotPermitted"
)

func refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// refuseAddress says why the Service can't have an address that no pool has which
// serves it.
func (v *view) refuseAddress(address netip.Addr) *Refusal {
	if refusal := v.refusePools(); refusal != nil {
		return refusal
	}
	r := v.realm(familyOf(address))
	var has []set[netip.Addr]
	var names []string
	for _, i := range v.serving {
		h := r.holdings[i]
		if h.excluded.has(address) {
			return refuse(RefusedOutsidePools, "is excluded in the pool %s", h.pool.Name)
		}
		has, names = append(has, h.own), append(names, h.pool.Name)
	}
	return refuse(RefusedOutsidePools, "is in no pool that serves this Service (%s): they have %s",
		enumerate(names), union(has...).or(fmt.Sprintf("no %s addresses that can be named", familyOf(address))))
}

// refuseAny says why the Service can't have any address of a family.
func (v *view) refuseAny(family corev1.IPFamily) *Refusal {
	if refusal := v.refusePools(); refusal != nil {
		return refusal
	}
	giving := v.serving
	if v.named == "" {
		giving = slices.DeleteFunc(slices.Clone(giving), func(i int) bool { return !v.pools[i].AutoAssign })
	}
	switch {
	case len(giving) == 0:
		return refuse(RefusedNoPool, "the pools that serve this Service (%s) give out addresses on request only", enumerate(v.names()))
	case !slices.ContainsFunc(giving, func(i int) bool { return !v.pools[i].OfNodes() }):
		return refuse(RefusedNoNodes, "no node of the pools that serve this Service (%s) is ready, takes traffic of load balancers,"+
			" and has an %s address", enumerate(v.names()), family)
	}
	return refuse(RefusedNoPool, "the pools that serve this Service (%s) have no %s addresses to give out", enumerate(v.names()), family)
}

// refusePools refuses a Service that no pool serves, or none of the name that it asks
// for.
func (v *view) refusePools() *Refusal {
	switch {
	case len(v.serving) > 0:
		return nil
	case v.named == "":
		return refuse(RefusedNoPool, "no pool serves this Service")
	default:
		all := &view{LoadBalancers: v.LoadBalancers, serving: v.directory.serving(v.who)}
		names := "none"
		if len(all.serving) > 0 {
			names = enumerate(all.names())
		}
		return refuse(RefusedPoolNotFound, "no pool %s serves this Service; those that do: %s", v.named, names)
	}
}

// names returns those of the pools that serve the Service.
func (v *view) names() []string {
	names := make([]string, len(v.serving))
	for i, pool := range v.serving {
		names[i] = v.pools[pool].Name
	}
	return names
}
