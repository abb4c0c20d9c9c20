// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bitmap is a set of numbers of a fixed size.
package bitmap
