// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package alike is a table of what clients do with Services that are good, or nearly:
// each case is done twice, on an API server by itself and on one that calls the
// webhooks, and comes to the same, but for differences that are meant.
//
// Services that are refused have a table of their own, badinput.
package alike
