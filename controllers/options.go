// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"math"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// Limits of the options, as kube-controller-manager has them.
const (
	DefaultConcurrentServiceEndpointSyncs = 5
	MaxConcurrentServiceEndpointSyncs     = 50
	DefaultMaxEndpointsPerSlice           = endpointslice.DefaultMaxEndpoints
	MaxMaxEndpointsPerSlice               = endpointslice.MaxMaxEndpoints
)

// EndpointsMode tells whether the endpoint controllers act.
type EndpointsMode string

const (
	// EndpointsOn makes them act: nobody else writes endpoints in this cluster.
	EndpointsOn EndpointsMode = "on"
	// EndpointsOff makes them stand by, for a cluster whose
	// kube-controller-manager runs its own.
	EndpointsOff EndpointsMode = "off"
)

// Options are the settings of the controllers. The zero value works and means
// the default of each.
type Options struct {
	// Controllers selects which to run, as kube-controller-manager's flag of
	// that name does: "*" for all, "name" for one, "-name" to leave one out.
	// The first entry that names a controller decides. Default: "*".
	Controllers []string

	// EndpointsMode is On by default.
	EndpointsMode EndpointsMode

	// ConcurrentServiceEndpointSyncs is how many Services are worked on at a
	// time: 1 to 50, default 5.
	ConcurrentServiceEndpointSyncs int

	// MaxEndpointsPerSlice is how many endpoints go into one EndpointSlice: 1
	// to 1000, default 100. More make fewer, larger objects.
	MaxEndpointsPerSlice int

	// KubeAPIQPS and KubeAPIBurst limit the requests a second to the API
	// server. With 0 QPS, the default, the client does not limit itself and the
	// server's Priority and Fairness paces it. Burst is 1.5 times QPS by
	// default, as kube-controller-manager's 30 are to its 20.
	KubeAPIQPS   float32
	KubeAPIBurst int
}

// withDefaults returns the options with every zero value replaced.
func (o Options) withDefaults() Options {
	if len(o.Controllers) == 0 {
		o.Controllers = []string{AllControllers}
	}
	if o.EndpointsMode == "" {
		o.EndpointsMode = EndpointsOn
	}
	if o.ConcurrentServiceEndpointSyncs == 0 {
		o.ConcurrentServiceEndpointSyncs = DefaultConcurrentServiceEndpointSyncs
	}
	if o.MaxEndpointsPerSlice == 0 {
		o.MaxEndpointsPerSlice = DefaultMaxEndpointsPerSlice
	}
	if o.KubeAPIQPS > 0 && o.KubeAPIBurst == 0 {
		o.KubeAPIBurst = int(math.Ceil(1.5 * float64(o.KubeAPIQPS)))
	}
	return o
}

// Validate reports every setting that is out of its range, with the range. Zero
// values are valid.
func (o Options) Validate() error {
	o = o.withDefaults()
	errs := []error{ValidateControllers(o.Controllers)}
	if o.EndpointsMode != EndpointsOn && o.EndpointsMode != EndpointsOff {
		errs = append(errs, fmt.Errorf("EndpointsMode is %q: allowed are %q and %q", o.EndpointsMode, EndpointsOn, EndpointsOff))
	}
	errs = append(errs,
		inRange("ConcurrentServiceEndpointSyncs", o.ConcurrentServiceEndpointSyncs, MaxConcurrentServiceEndpointSyncs),
		inRange("MaxEndpointsPerSlice", o.MaxEndpointsPerSlice, MaxMaxEndpointsPerSlice))
	if o.KubeAPIQPS < 0 || o.KubeAPIBurst < 0 {
		errs = append(errs, fmt.Errorf("KubeAPIQPS is %v and KubeAPIBurst %d: neither may be negative", o.KubeAPIQPS, o.KubeAPIBurst))
	}
	return errors.Join(errs...)
}

func inRange(option string, value, highest int) error {
	if value < 1 || value > highest {
		return fmt.Errorf("%s is %d: allowed are 1 to %d, and 0 for the default", option, value, highest)
	}
	return nil
}
