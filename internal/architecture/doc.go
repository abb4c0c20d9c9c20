// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package architecture holds the test that keeps the packages of this module
// on their side of the walls: what decides knows nothing of how it is read or
// written, and arrows between parts run one way.
//
// The linter checks what a file imports itself (depguard in .golangci.yml).
// The test here checks what a package reaches through others, which no linter
// sees. It reads the import graph from the go command and has no code to offer
// to other packages.
package architecture
