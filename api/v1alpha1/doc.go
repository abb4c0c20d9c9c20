// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds servicenet's own API kinds, group servicenet.dev. It
// depends on apimachinery alone, so that a client of the kinds needs nothing
// else.
//
// +kubebuilder:object:generate=true
// +groupName=servicenet.dev
package v1alpha1
