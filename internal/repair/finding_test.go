// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"errors"
	"fmt"
	"testing"

	"servicenet.dev/servicenet/internal/ledger"
)

// TestWhatIsTold has, for each kind, what the event is about, its reason and action,
// what is to be done, and the message.
func TestWhatIsTold(t *testing.T) {
	web := services(t, "shop/web")[0].Owner
	sharers := func(lines ...string) (owners []ledger.Owner) {
		for _, s := range services(t, lines...) {
			owners = append(owners, s.Owner)
		}
		return owners
	}
	address, port, shared := place(t, "10.96.0.9"), place(t, ":30080"), place(t, "lb:192.0.2.1")
	tests := map[string]struct {
		finding Finding
		want    string
	}{
		"no address": {
			Finding{Kind: Invalid, Detail: "10.96.0"},
			`Service ClusterIPNotValid ClusterIPValidation 0: "10.96.0" is no cluster IP; make the Service anew`,
		},
		"an address out of range": {
			Finding{Kind: OutOfRange, Place: address},
			"Service ClusterIPOutOfRange ClusterIPAllocation 0: cluster IP 10.96.0.9 is outside of the ServiceCIDRs; make the Service anew, or widen the range",
		},
		"a port out of range": {
			Finding{Kind: OutOfRange, Place: port},
			"Service PortOutOfRange PortAllocation 0: node port 30080 is outside of the range of node ports; make the Service anew, or widen the range",
		},
		"an address of two": {
			Finding{Kind: Duplicate, Place: address, Service: web, Others: sharers("shop/b", "shop/a")},
			"Service ClusterIPAlreadyAllocated ClusterIPAllocation 0: cluster IP 10.96.0.9 is also that of a, b; make one of them anew",
		},
		"a port of two, in different namespaces": {
			Finding{Kind: Duplicate, Place: port, Service: web, Others: sharers("team/b", "shop/a", "team/c")},
			"Service PortAlreadyAllocated PortAllocation 0: node port 30080 is also that of a, Services of other namespaces; make one of them anew",
		},
		"a port of another namespace": {
			Finding{Kind: Duplicate, Place: port, Service: web, Others: sharers("team/b")},
			"Service PortAlreadyAllocated PortAllocation 0: node port 30080 is also that of Services of other namespaces; make one of them anew",
		},
		"a port twice": {
			Finding{Kind: Duplicate, Place: port, Service: web},
			"Service PortAlreadyAllocated PortAllocation 0: node port 30080 is also that of another port of the Service; make one of them anew",
		},
		"a lost address": {
			Finding{Kind: NotAllocated, Place: address},
			"Service ClusterIPNotAllocated ClusterIPAllocation 0: cluster IP 10.96.0.9 was not in the ledger any more; it is put back",
		},
		"a lost port": {
			Finding{Kind: NotAllocated, Place: port},
			"Service PortNotAllocated PortAllocation 0: node port 30080 was not in the ledger any more; it is put back",
		},
		"no object": {
			Finding{Kind: NoObject, Place: address, Detail: "there is none"},
			"Service ClusterIPNotAllocated ClusterIPAllocation 0: cluster IP 10.96.0.9 has no IPAddress object of this Service (there is none); kube-apiserver has not repaired it",
		},
		"the last address": {
			Finding{Kind: Full, Place: address},
			"Service ServiceCIDRFull ClusterIPAllocation 0: cluster IP 10.96.0.9 was the last one of the ServiceCIDRs; widen the range to make more Services",
		},
		"the last port": {
			Finding{Kind: Full, Place: port},
			"Service PortRangeFull PortAllocation 0: node port 30080 was the last one of the range of node ports; widen the range to make more Services",
		},
		"a fault": {
			Failed(web, shared, errors.New("timeout")),
			"Service UnknownError ClusterIPAllocation 0: address 192.0.2.1 could not be repaired: timeout",
		},
		"an object of nobody": {
			Finding{Kind: ObjectNotAllocated, Place: address, Detail: "made for a Service, refers to none"},
			"IPAddress IPAddressNotAllocated IPAddressAllocation 0: 10.96.0.9, made for a Service, refers to none; kube-apiserver has not removed it",
		},
		"an object of the wrong Service": {
			Finding{Kind: ObjectWrongReference, Place: address, Detail: "made for the Service shop/web, is not its address"},
			"IPAddress IPAddressWrongReference IPAddressAllocation 0: 10.96.0.9, made for the Service shop/web, is not its address; kube-apiserver has not removed it",
		},
		"a leak": {
			Finding{Kind: Leak, Place: port},
			" UnknownError PortAllocation 1: node port 30080 is no Service's; it is freed",
		},
		"a broken block": {
			unreadable(address.Key, errors.New("cut off")),
			"AllocationBlock BlockUnreadable BlockAllocation 2: the block can't be read, and is made anew from the Services: cut off",
		},
		"a block of a newer release": {
			unreadable(address.Key, fmt.Errorf("block: %w", ledger.ErrNewer)),
			"AllocationBlock BlockUnreadable BlockAllocation 0: the block can't be read, and is left alone: block: " + ledger.ErrNewer.Error(),
		},
		"a lost block": {
			Finding{Kind: BlockLost, Place: address},
			"AllocationBlock BlockLost BlockAllocation 2: others deleted the block, or put an older one in its place; it is made anew from the Services",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := &test.finding
			got := fmt.Sprintf("%s %s %s %d: %s", f.Kind.Subject(), f.Reason(), f.Action(), f.Kind.Fix(), f.Message())
			if got != test.want {
				t.Errorf("told:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
	if f := Failed(web, port, errGarbage()); !f.New || f.Kind != Unknown || f.Service != web || f.Place != port {
		t.Errorf("a fault is %+v", f)
	}
}
