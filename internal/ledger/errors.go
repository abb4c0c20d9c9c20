// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"fmt"
	"time"
)

// ErrLost says that a block was deleted while its numbers were not all free.
var ErrLost = errors.New("others deleted it while it was in use")

// ErrNoRoom says that a block has so many tenants, or such as take so much room,
// that it can't have another. The caller answers as if its numbers were all taken.
var ErrNoRoom = errors.New("the record of the block has no room for another tenant")

// TakenError says that a number belongs to another. The caller answers 422.
type TakenError struct {
	Place Place
	// Owner is who has the number, as far as it is known. It may be in another
	// namespace than whoever asked: it is for logs, not for answers.
	Owner Owner
	// By says how: used, given to a Service that is being made, kept for its last
	// owner, or used by something that is no Service.
	By Tenure
}

// Tenure says how a number is taken.
type Tenure string

// The ways to have a number.
const (
	ByService  Tenure = "used by a Service"
	ByRequest  Tenure = "given to a Service that is being made"
	ByRetained Tenure = "kept for a Service that had it"
	ByObject   Tenure = "used by an object that is no Service"
)

func (e *TakenError) Error() string { return fmt.Sprintf("%s is %s", e.Place, e.By) }

// SharingError says that a Service can't have a load-balancer address, alone or
// beside those that have it.
type SharingError struct {
	Place  Place
	Reason Refusal
	// With is who has the address, or for whom it is kept, as far as that is known.
	// It may be in another namespace than whoever asked: it is for logs, not for
	// answers.
	With Subject
	// Socket is which one is taken, if that is the reason.
	Socket Socket
}

// Refusal says why Services can't share an address.
type Refusal string

// The reasons not to share.
const (
	NoKey          Refusal = "used by another Service, and this one has no sharing key"
	Alone          Refusal = "used by a Service that has no sharing key"
	OtherKey       Refusal = "used by a Service with another sharing key"
	OtherNamespace Refusal = "used by a Service of another namespace, and not both of them share across namespaces"
	OtherSelector  Refusal = "used by a Service with another selector or externalTrafficPolicy"
	PortTaken      Refusal = "used by a Service that has the same port"
	Retained       Refusal = "kept for a Service that had it"
	OnLoan         Refusal = "not known to be unused yet"
)

func (e *SharingError) Error() string {
	what := "the address"
	if e.Place != (Place{}) {
		what = e.Place.String()
	}
	if e.Reason == PortTaken {
		return fmt.Sprintf("%s is %s, %s", what, e.Reason, e.Socket)
	}
	return fmt.Sprintf("%s is %s", what, e.Reason)
}

// FullError says that no number of a range is free. The caller answers 422.
type FullError struct{}

func (e *FullError) Error() string { return "no number is free" }

// UnavailableError says that it could not be found out in time whether a number
// can be had. Nothing is wrong with the request. The caller answers 503.
type UnavailableError struct {
	// Reason says what was waited for.
	Reason string
	// RetryAfter is when it is worth trying again.
	RetryAfter time.Duration
	// Err is the fault, if there was one.
	Err error
}

func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return fmt.Sprintf("%s: %v", e.Reason, e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }
