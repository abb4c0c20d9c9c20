// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package library tests servicenet as a library: controllers added to a manager
// in the test's own process, on a real API server. Because the process is the
// test's, so is the connection to the server, and faults can be put into it:
// requests that never arrive, answers that never come back.
package library
