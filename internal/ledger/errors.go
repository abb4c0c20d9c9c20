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
