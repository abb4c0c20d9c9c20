// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// judgeObjects compares IPAddress objects with the Services that they refer to.
func (c *comparison) judgeObjects() {
	for _, claim := range c.misled {
		// A number that several Services have is told as that.
		if !c.page(claim.Place.Key).twice.Has(claim.Place.Number) {
			c.find(Finding{Kind: NoObject, Place: claim.Place, Service: claim.Service, Detail: "it refers to something else"})
		}
	}
	var exist map[types.NamespacedName]bool
	for i := range c.Addresses {
		a := &c.Addresses[i]
		if c.matched[i] || !a.Managed || c.tally(a.place().Family) == nil {
			continue
		}
		if exist == nil {
			exist = c.names()
		}
		c.find(a.orphaned(exist[a.Service]))
	}
}

// names returns the names of all Services.
func (c *comparison) names() map[types.NamespacedName]bool {
	names := make(map[types.NamespacedName]bool, len(c.Services))
	for i := range c.Services {
		names[c.Services[i].NamespacedName] = true
	}
	return names
}

// orphaned returns what is wrong with an object of the API server's whose Service,
// if it exists, does not have the address.
func (a *Address) orphaned(exists bool) Finding {
	f := Finding{Kind: ObjectNotAllocated, Place: a.place(), Object: a.UID}
	switch {
	case a.Service.Name == "":
		f.Detail = "made for a Service, refers to none"
	case exists:
		f.Kind = ObjectWrongReference
		f.Detail = fmt.Sprintf("made for the Service %s, is not its address", a.Service)
	default:
		f.Detail = fmt.Sprintf("made for the Service %s, which does not exist", a.Service)
	}
	return f
}
