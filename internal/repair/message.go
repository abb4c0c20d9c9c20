// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"fmt"
	"slices"
	"strings"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Message says what is wrong, and what to do or what is done. It names no Service
// of another namespace.
func (f *Finding) Message() string {
	switch f.Kind {
	case Invalid:
		return fmt.Sprintf("%q is no cluster IP; make the Service anew", f.Detail)
	case OutOfRange:
		return fmt.Sprintf("%s is outside of %s; make the Service anew, or widen the range", f.number(), f.ranges())
	case Duplicate:
		return fmt.Sprintf("%s is also that of %s; make one of them anew", f.number(), f.sharers())
	case NotAllocated:
		return f.number() + " was not in the ledger any more; it is put back"
	case NoObject:
		return fmt.Sprintf("%s has no IPAddress object of this Service (%s); kube-apiserver has not repaired it", f.number(), f.Detail)
	case Full:
		return fmt.Sprintf("%s was the last one of %s; widen the range to make more Services", f.number(), f.ranges())
	case ObjectNotAllocated, ObjectWrongReference:
		return fmt.Sprintf("%s, %s; kube-apiserver has not removed it", f.Place, f.Detail)
	case Leak:
		return f.number() + " is no Service's; it is freed"
	case BlockBroken, BlockNewer, BlockLost:
		return f.blockMessage()
	default:
		return fmt.Sprintf("%s could not be repaired: %s", f.number(), f.Detail)
	}
}

func (f *Finding) blockMessage() string {
	switch f.Kind {
	case BlockBroken:
		return "the block can't be read, and is made anew from the Services: " + f.Detail
	case BlockNewer:
		return "the block can't be read, and is left alone: " + f.Detail
	default:
		return "others deleted the block, or put an older one in its place; it is made anew from the Services"
	}
}

func (f *Finding) number() string {
	switch {
	case f.Place.Family == servicenetv1alpha1.NodePort:
		return "node port " + f.Place.String()
	case isClusterIP(f.Place.Family):
		return "cluster IP " + f.Place.String()
	default:
		return "address " + f.Place.String()
	}
}

func (f *Finding) ranges() string {
	if f.Place.Family == servicenetv1alpha1.NodePort {
		return "the range of node ports"
	}
	return "the ServiceCIDRs"
}

// sharers says which Services have the number too.
func (f *Finding) sharers() string {
	var names []string
	elsewhere := 0
	for _, other := range f.Others {
		if other.Namespace == f.Service.Namespace {
			names = append(names, other.Name)
		} else {
			elsewhere++
		}
	}
	slices.Sort(names)
	switch {
	case len(f.Others) == 0:
		return "another port of the Service"
	case elsewhere > 0:
		names = append(names, "Services of other namespaces")
	}
	return strings.Join(names, ", ")
}
