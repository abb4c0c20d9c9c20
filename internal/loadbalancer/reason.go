// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

// Reasons of the condition servicenet.dev/AddressAllocated, and of events. Those of
// True come first.
const (
	// Allocated says that the Service has all addresses that it asks for.
	Allocated = "Allocated"
	// Rehoming says that an address of the Service is in no pool any more that serves
	// it, and is replaced by another as soon as one is free. Until then it keeps it.
	Rehoming = "Rehoming"

	// Malformed says that the Service asks for something that can't be understood, or
	// that contradicts itself.
	Malformed = "Malformed"
	// NoPool says that no pool serves the Service.
	NoPool = "NoPool"
	// PoolNotFound says that the pool that it names does not exist.
	PoolNotFound = "PoolNotFound"
	// NotPermitted says that the pool or the address that it names is not for it.
	NotPermitted = "NotPermitted"
	// AddressOutsidePools says that the address that it names is in no pool that
	// serves it.
	AddressOutsidePools = "AddressOutsidePools"
	// AddressInUse says that another Service has the address that it names, or is
	// still kept for one.
	AddressInUse = "AddressInUse"
	// SharingRefused says that another Service has the address, with the same sharing
	// key, and that both can't have it.
	SharingRefused = "SharingRefused"
	// LimitReached says that its namespace has as many addresses of the pool as it may.
	LimitReached = "LimitReached"
	// PoolExhausted says that the pools that serve the Service have no free address.
	PoolExhausted = "PoolExhausted"
	// NoNodes says that no node of the pool is ready and has an address of the family.
	NoNodes = "NoNodes"
)

// Reasons of events that are none of the condition.
const (
	// EventAllocated tells of addresses that a Service got.
	EventAllocated = "AddressAllocated"
	// EventReleased tells of addresses that it has no more.
	EventReleased = "AddressReleased"
	// EventFailed tells that it did not get what it asks for; the condition has why.
	EventFailed = "AllocationFailed"
	// EventRestored tells that somebody else had changed its status.
	EventRestored = "StatusRestored"
)

// PortInUse is the error of a port, and the reason of the condition
// LoadBalancerPortsError, where another Service has the port on an address.
const (
	PortInUse       = "PortInUse"
	PortInUseStatus = "servicenet.dev/" + PortInUse
)
