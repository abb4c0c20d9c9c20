// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	discoveryv1 "k8s.io/api/discovery/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// listing is what consumers find in a slice: an address, and the address with
// one port. The first has empty ports.
type listing struct {
	address string
	port    endpointslice.PortsKey
}

// inOrder arranges updates so that what moves from one slice to another is
// written to its new slice before it leaves the old one: it may be listed twice
// for a moment, never not at all. Where slices exchange something no order does
// that; swapped then holds updates to be replaced by a create, which comes
// before all updates, and a delete, which comes after them.
func inOrder(edits []*edit) (ordered, swapped []*edit) {
	left := updates(edits)
	if len(left) < 2 {
		return left, nil // nothing moves between slices
	}
	return endpointslice.Arrange(left, waitsFor(edits))
}

func updates(edits []*edit) []*edit {
	var found []*edit
	for _, e := range edits {
		if e.isUpdate() {
			found = append(found, e)
		}
	}
	return found
}

// waitsFor returns for each update one that must come first, for each listing
// it drops that would otherwise be nowhere until then.
func waitsFor(edits []*edit) map[*edit][]*edit {
	steady, gains := movements(edits)
	waits := map[*edit][]*edit{}
	for _, e := range edits {
		if !e.isUpdate() {
			continue
		}
		for was := range e.listedBefore() {
			if from := gains[was]; from != nil && !steady[was] {
				waits[e] = append(waits[e], from)
			}
		}
	}
	return waits
}

// movements returns what is listed somewhere all the time while updates are
// written, and for the rest the update that brings it. Slices to create are
// written before all updates, slices to delete are there until after.
func movements(edits []*edit) (steady map[listing]bool, gains map[listing]*edit) {
	steady, gains = map[listing]bool{}, map[listing]*edit{}
	for _, e := range edits {
		if e.want == nil {
			for is := range e.listedBefore() {
				steady[is] = true
			}
			continue
		}
		before := e.listedBefore()
		for is := range e.listedAfter() {
			if e.current == nil || before[is] {
				steady[is] = true
			} else {
				gains[is] = e
			}
		}
	}
	return steady, gains
}

func (e *edit) listedBefore() map[listing]bool {
	if e.current == nil {
		return nil
	}
	return listings(e.current.Endpoints, e.current.Ports)
}

func (e *edit) listedAfter() map[listing]bool {
	return listings(e.endpoints, e.want.portList)
}

func listings(endpoints []discoveryv1.Endpoint, ports []discoveryv1.EndpointPort) map[listing]bool {
	keys := []endpointslice.PortsKey{endpointslice.KeyOfPorts(nil)}
	for i := range ports {
		keys = append(keys, endpointslice.KeyOfPorts(ports[i:i+1]))
	}
	set := make(map[listing]bool, len(endpoints)*len(keys))
	for i := range endpoints {
		for _, address := range endpoints[i].Addresses {
			for _, key := range keys {
				set[listing{address, key}] = true
			}
		}
	}
	return set
}
