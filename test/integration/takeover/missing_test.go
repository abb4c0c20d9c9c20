// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
)

// feature is something the stock controllers do, or leave undone, that specs
// here depend on.
type feature string

const (
	slicesController    feature = "the endpointslice controller"
	endpointsController feature = "the endpoints controller"
	mirroringController feature = "the endpointslicemirroring controller"
	autoHints           feature = "hints of topology-mode Auto"
	leftovers           feature = "removing what a Service without selector left behind"
)

// missing returns what the manager cannot do yet. What depends on it is left out
// of the specs; take a feature out of this list to have it tested.
func missing() []feature {
	return []feature{endpointsController, mirroringController, autoHints, leftovers}
}

// controllers are the three that are taken over.
func controllers() []feature {
	return []feature{slicesController, endpointsController, mirroringController}
}

func (f feature) present() bool { return !slices.Contains(missing(), f) }

// require skips the spec if the manager lacks a feature.
func require(features ...feature) {
	GinkgoHelper()
	for _, f := range features {
		if !f.present() {
			Skip("the manager lacks " + string(f))
		}
	}
}
