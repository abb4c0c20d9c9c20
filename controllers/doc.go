// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers holds servicenet's reconcilers and is its door as a
// library: [Add] adds them to any controller-runtime manager, in a product or in
// a test suite.
//
//	mgr, err := ctrl.NewManager(config, ctrl.Options{})
//	...
//	err = controllers.Add(mgr, controllers.Options{})
//
// The manager's own cache and client are not used: Add builds its own, so that
// objects stripped to what the controllers read never reach the host's code.
//
// A reconciler here reads, calls the package that decides (under internal/), and
// writes. Nothing is decided in this package.
package controllers
