// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// Kind is what is wrong, as metrics call it.
type Kind string

// What can be wrong: first with a number of a Service, then with IPAddress objects,
// then with the ledger alone. doc.go has what follows.
const (
	// Invalid is a ClusterIP that is no address.
	Invalid Kind = "invalid"
	// OutOfRange is a number that the cluster does not give out.
	OutOfRange Kind = "out_of_range"
	// Duplicate is a number that several Services have, or one for two ports.
	Duplicate Kind = "duplicate"
	// NotAllocated is a number that the ledger had for a Service and has no more.
	NotAllocated Kind = "not_allocated"
	// NoObject is a ClusterIP without an IPAddress object of its Service.
	NoObject Kind = "no_object"
	// Full is a Service that has the last number there was.
	Full Kind = "full"
	// Unknown is a fault that kept something from being repaired.
	Unknown Kind = "unknown"

	// ObjectNotAllocated is an IPAddress object of the API server's that is no
	// Service's, or of a Service that does not exist.
	ObjectNotAllocated Kind = "object_not_allocated"
	// ObjectWrongReference is one whose Service has another address.
	ObjectWrongReference Kind = "object_wrong_reference"

	// Leak is a number of the ledger that nothing uses.
	Leak Kind = "leak"
	// BlockBroken is a block that can't be read.
	BlockBroken Kind = "block_broken"
	// BlockLost is a block that was deleted while in use, or replaced by an older one.
	BlockLost Kind = "block_lost"
	// BlockNewer is a block of a release too new to be read.
	BlockNewer Kind = "block_newer"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{
		Invalid, OutOfRange, Duplicate, NotAllocated, NoObject, Full, Unknown,
		ObjectNotAllocated, ObjectWrongReference,
		Leak, BlockBroken, BlockLost, BlockNewer,
	}
}

// Fix is what is to be done about a finding.
type Fix int

// A fix is to be tried at each look that finds it due.
const (
	// Nothing: a person or the API server has to act.
	Nothing Fix = iota
	// Release the number: it becomes free once the API server was asked.
	Release
	// RestoreBlock: Restore and the Store's Rebuild.
	RestoreBlock
)

// Finding is something that is wrong.
type Finding struct {
	Kind Kind
	// Place is the number. Of a block it is any; Invalid has none.
	Place ledger.Place
	// Service is whom it is about, or whose lost number shows that a block was lost.
	// If there is one, Confirmed is to be asked before anything is told or fixed.
	Service ledger.Owner
	// Others are Services that have the number too. They may be in other namespaces:
	// they are for logs, Message does not name those.
	Others []ledger.Owner
	// Detail is what else there is to say: the text that is no address, whom an
	// IPAddress object refers to, why a block can't be read.
	Detail string
	// Object is the UID of the IPAddress object.
	Object types.UID
	// New tells that it was not told yet, or not for a long time.
	New bool
}

// identity is the same for a finding as long as it lasts.
type identity struct {
	kind            Kind
	place           ledger.Place
	service, object types.UID
	text            string
}

func (f *Finding) identity() identity {
	id := identity{kind: f.Kind, place: f.Place, service: f.Service.UID, object: f.Object}
	switch {
	case f.Kind == Invalid:
		id.text = f.Detail
	case f.Kind.Subject() == AboutBlock:
		id = identity{kind: f.Kind, place: ledger.Place{Key: f.Place.Key}}
	}
	return id
}

const (
	// settles is how long something has to look wrong until it is: caches are not
	// equally old, and what is under way takes its time.
	settles = 10 * time.Second
	// serverTime is what the API server's own repair may take: it waits for 60 s
	// itself, and for its own caches.
	serverTime = 2 * time.Minute
)

// patience is how long a finding has to last until it counts.
func (f *Finding) patience() time.Duration {
	switch f.Kind {
	case NoObject, ObjectNotAllocated, ObjectWrongReference:
		return serverTime
	case BlockBroken:
		// No number of it is given out until it is repaired, and nothing but the
		// block itself was looked at.
		return 0
	case BlockLost:
		if f.Service.Name == "" {
			return 0 // it was seen to be deleted
		}
		return settles
	default:
		return settles
	}
}

// Fix returns what is to be done.
func (k Kind) Fix() Fix {
	switch k {
	case Leak:
		return Release
	case BlockBroken, BlockLost:
		return RestoreBlock
	default:
		return Nothing
	}
}

// Subject is the kind of the object that a finding is about.
type Subject string

// An event is to be about such an object.
const (
	// AboutService: Finding.Service.
	AboutService Subject = "Service"
	// AboutAddress: the IPAddress object that Finding.Place names.
	AboutAddress Subject = "IPAddress"
	// AboutBlock: the AllocationBlock that the key of Finding.Place names.
	AboutBlock Subject = "AllocationBlock"
	// AboutNothing: there is no event, only a count.
	AboutNothing Subject = ""
)

// Subject returns what kind of object the event is to be about.
func (k Kind) Subject() Subject {
	switch k {
	case Leak:
		return AboutNothing
	case ObjectNotAllocated, ObjectWrongReference:
		return AboutAddress
	case BlockBroken, BlockLost, BlockNewer:
		return AboutBlock
	default:
		return AboutService
	}
}

// Reason returns the reason of the event, which is that of kube-apiserver's for
// what kube-apiserver tells of.
func (f *Finding) Reason() string {
	number := "ClusterIP"
	if f.Place.Family == servicenetv1alpha1.NodePort {
		number = "Port"
	}
	switch f.Kind {
	case Invalid:
		return number + "NotValid"
	case OutOfRange:
		return number + "OutOfRange"
	case Duplicate:
		return number + "AlreadyAllocated"
	case NotAllocated, NoObject:
		return number + "NotAllocated"
	case Full:
		return map[string]string{"ClusterIP": "ServiceCIDRFull", "Port": "PortRangeFull"}[number]
	case ObjectNotAllocated:
		return "IPAddressNotAllocated"
	case ObjectWrongReference:
		return "IPAddressWrongReference"
	case BlockBroken, BlockNewer:
		return "BlockUnreadable"
	case BlockLost:
		return "BlockLost"
	default:
		return "UnknownError"
	}
}

// Action returns what was being done, as events name it and kube-apiserver does.
func (f *Finding) Action() string {
	switch {
	case f.Kind == Invalid:
		return "ClusterIPValidation"
	case f.Kind.Subject() == AboutAddress:
		return "IPAddressAllocation"
	case f.Kind.Subject() == AboutBlock:
		return "BlockAllocation"
	case f.Place.Family == servicenetv1alpha1.NodePort:
		return "PortAllocation"
	default:
		return "ClusterIPAllocation"
	}
}

// Confirmed tells whether a finding that has a Service may still be so, with the
// Service as the API server has it now, nil if it is gone. A block of which a number
// seems lost may only be ahead of a cache of Services that stands still.
func (f *Finding) Confirmed(live *Service) bool {
	switch {
	case live == nil || live.UID != f.Service.UID:
		return false
	case f.Kind == Invalid:
		return slices.Contains(live.Invalid, f.Detail)
	default:
		return slices.Contains(live.Numbers, f.Place)
	}
}

// Failed returns the finding that a fault kept a Service's number from being
// repaired.
func Failed(service ledger.Owner, place ledger.Place, err error) Finding {
	return Finding{Kind: Unknown, Place: place, Service: service, Detail: fmt.Sprint(err), New: true}
}
