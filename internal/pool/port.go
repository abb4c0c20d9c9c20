// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"cmp"
	"strconv"
)

// Port is the number of a port.
type Port int32

// Compare orders ports by their numbers.
func (p Port) Compare(other Port) int { return cmp.Compare(p, other) }

// Next returns the port after this one.
func (p Port) Next() Port { return p + 1 }

// Prev returns the port before this one.
func (p Port) Prev() Port { return p - 1 }

func (p Port) String() string { return strconv.Itoa(int(p)) }
