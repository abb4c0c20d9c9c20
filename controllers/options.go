// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/mirroring"
)

// Defaults and limits of the options, as kube-controller-manager has them.
const (
	DefaultConcurrentSyncs             = 5
	DefaultConcurrentServiceSyncs      = 32
	MaxConcurrentSyncs                 = 50
	DefaultMaxEndpointsPerSlice        = endpointslice.DefaultMaxEndpoints
	MaxMaxEndpointsPerSlice            = endpointslice.MaxMaxEndpoints
	DefaultMirroringEndpointsPerSubset = mirroring.DefaultMaxEndpointsPerSubset
	MaxMirroringMaxEndpointsPerSubset  = mirroring.MaxMaxEndpointsPerSubset
	DefaultMinResyncPeriod             = 12 * time.Hour
	ShortestMinResyncPeriod            = time.Minute
	DefaultEndpointsCheckPeriod        = 10 * time.Minute
	ShortestEndpointsCheckPeriod       = time.Second
	LongestUpdatesBatchPeriod          = time.Minute
	DefaultMaxUpdatesGatherPeriod      = time.Second
	DefaultSliceMergeRate              = 20
	MaxSliceMergeRate                  = 1000
	DefaultNamespace                   = "kube-system"
	DefaultEndpointsQuietPeriod        = time.Minute
	ShortestEndpointsQuietPeriod       = time.Second
	DefaultKubeControllerManagerLease  = "kube-system/kube-controller-manager"
	DefaultRepairInterval              = 3 * time.Minute
	ShortestRepairInterval             = time.Second
	DefaultFirstNodePort               = 30000
	DefaultLastNodePort                = 32767
	LongestWebhookDrainPeriod          = time.Minute
)

// EndpointsMode tells whether the endpoint controllers act.
type EndpointsMode string

const (
	// EndpointsOn makes them act: nobody else writes endpoints in this cluster.
	EndpointsOn EndpointsMode = "on"
	// EndpointsOff makes them stand by, for a cluster whose
	// kube-controller-manager runs its own.
	EndpointsOff EndpointsMode = "off"
	// EndpointsAuto makes each of them act while nobody else does the same.
	EndpointsAuto EndpointsMode = "auto"
)

// Options are the settings of the controllers. The zero value works and means
// the default of each.
type Options struct {
	// Controllers selects which to run, as kube-controller-manager's flag of
	// that name does: "*" for all, "name" for one, "-name" to leave one out.
	// The first entry that names a controller decides. Default: all whose kinds
	// the cluster has; with "*" it is an error if it has not.
	Controllers []string

	// EndpointsMode is On by default.
	EndpointsMode EndpointsMode

	// EndpointsQuietPeriod is, with EndpointsMode Auto, for how long nobody else must
	// have been seen to write endpoints before ours are. One second and more, default
	// one minute.
	EndpointsQuietPeriod time.Duration

	// KubeControllerManagerLeases are the Leases, as namespace/name, by which
	// kube-controller-manager chooses a leader: with EndpointsMode Auto nothing begins
	// to act while one of them is renewed. Default: kube-system/kube-controller-manager.
	KubeControllerManagerLeases []string

	// ConcurrentServiceEndpointSyncs, ConcurrentEndpointSyncs and
	// MirroringConcurrentServiceEndpointSyncs are how many Services the
	// EndpointSlice, Endpoints and mirroring controllers work on at a time: 1 to
	// 50, default 5.
	ConcurrentServiceEndpointSyncs          int
	ConcurrentEndpointSyncs                 int
	MirroringConcurrentServiceEndpointSyncs int

	// MaxEndpointsPerSlice is how many endpoints go into one EndpointSlice: 1
	// to 1000, default 100. More make fewer, larger objects.
	MaxEndpointsPerSlice int

	// MirroringMaxEndpointsPerSubset is how many addresses of one subset of
	// Endpoints are mirrored: 1 to 1000, default 1000.
	MirroringMaxEndpointsPerSubset int

	// EndpointSliceUpdatesBatchPeriod, EndpointUpdatesBatchPeriod and
	// MirroringEndpointSliceUpdatesBatchPeriod are for how long the controllers
	// gather changes of pods, or for mirroring changes of slices, before they act
	// on them. Changes of Services are never put off. Default: 0, at once.
	EndpointSliceUpdatesBatchPeriod          time.Duration
	EndpointUpdatesBatchPeriod               time.Duration
	MirroringEndpointSliceUpdatesBatchPeriod time.Duration

	// MaxUpdatesGatherPeriod is for how long the EndpointSlice and Endpoints
	// controllers gather changes of a Service's pods at most when they come in a
	// burst. The first is published at once, and one that takes an endpoint away
	// within 100 ms. A batch period, if there is one, takes the place of this.
	// Default: 1 s.
	MaxUpdatesGatherPeriod time.Duration

	// SliceMergeRate is how many writes a second may be made to merge sparse
	// EndpointSlices of Services at rest, of all Services together: 1 to 1000,
	// default 20.
	SliceMergeRate int

	// MinResyncPeriod is how long it takes at least until a Service is looked at
	// again without a reason, by the cache alone: one to two times this, default
	// 12 hours. It finds nothing unless an event got lost.
	MinResyncPeriod time.Duration

	// EndpointsCheckPeriod is how often what the EndpointSlice and Endpoints
	// controllers know of a Service is compared with what the API server holds. A
	// difference is counted, logged and put right. One second and more, default 10
	// minutes.
	EndpointsCheckPeriod time.Duration

	// KeepOrphanedEndpoints leaves EndpointSlices and Endpoints where they are
	// when their Service loses its selector or becomes an ExternalName, as the
	// stock controllers do. Otherwise they are deleted, unless somebody else has
	// written to them.
	KeepOrphanedEndpoints bool

	// NoAdmissionPolicy removes the ValidatingAdmissionPolicies that otherwise say what
	// exclusive pools, reservations and the range of node ports keep to themselves, so
	// that the API server keeps to it while no manager runs.
	NoAdmissionPolicy bool

	// Namespace is where each replica keeps the Lease that the numbers it has on
	// loan belong to, and where the Services are that ask who writes endpoints. All
	// replicas must have the same. Default: kube-system.
	Namespace string

	// ServiceNodePortRange is the range of node ports of the API server, whose
	// flag of this name it must equal. Default: 30000-32767.
	ServiceNodePortRange PortRange

	// RepairInterval is how often the ledger is compared with all Services without
	// a reason. One second and more, default 3 minutes.
	RepairInterval time.Duration

	// EnableWebhooks serves the admission webhooks, which give Services their numbers
	// and refuse those that are at fault. It needs the controllers of ClusterIPs and
	// of node ports. The API server must be told of them; until then nobody calls.
	EnableWebhooks bool

	// WebhookDrainPeriod is for how long the webhooks go on as before when the manager
	// is told to stop: until all API servers know that this replica is not ready any
	// more. 0 to one minute, default 0.
	WebhookDrainPeriod time.Duration

	// AllowedExternalIPs are the CIDRs that the external IPs of Services must be in.
	// Whoever may name any can take over traffic that is meant for others
	// (CVE-2020-8554). "none" alone allows none, "*" alone, the default, all of them,
	// with a warning.
	AllowedExternalIPs []string

	// ConcurrentServiceSyncs is how many Services of type LoadBalancer are written at a
	// time: 1 to 50, default 32. Sixteen times as many are worked on, which share writes of
	// the ledger.
	ConcurrentServiceSyncs int

	// LoadBalancerClass is the class of the Services of type LoadBalancer that get
	// addresses of LoadBalancerPools. Default: servicenet.dev/pool.
	LoadBalancerClass string

	// LoadBalancerDefault lets those without a class get some, too. Nobody else must
	// then look after them: a cloud controller would.
	LoadBalancerDefault bool

	// Cloud is the cloud provider whose load balancers Services get that have no class,
	// or the one it names. Nil, the default, is none.
	Cloud *Cloud

	// KubeAPIQPS and KubeAPIBurst limit the requests a second to the API
	// server. With 0 QPS, the default, the client does not limit itself and the
	// server's Priority and Fairness paces it. Burst is 1.5 times QPS by
	// default, as kube-controller-manager's 30 are to its 20.
	KubeAPIQPS   float32
	KubeAPIBurst int
}

// PortRange is ports, both ends included.
type PortRange struct {
	First, Last int
}

// String returns the range as flags have it.
func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.First, r.Last) }

// DefaultOptions returns the zero value with every default filled in.
func DefaultOptions() Options { return Options{}.withDefaults() }

// withDefaults returns the options with every zero value replaced.
func (o Options) withDefaults() Options {
	if len(o.Controllers) == 0 {
		o.Controllers = []string{AllControllers}
	}
	if o.EndpointsMode == "" {
		o.EndpointsMode = EndpointsOn
	}
	o.ConcurrentServiceEndpointSyncs = cmp.Or(o.ConcurrentServiceEndpointSyncs, DefaultConcurrentSyncs)
	o.ConcurrentEndpointSyncs = cmp.Or(o.ConcurrentEndpointSyncs, DefaultConcurrentSyncs)
	o.MirroringConcurrentServiceEndpointSyncs = cmp.Or(o.MirroringConcurrentServiceEndpointSyncs, DefaultConcurrentSyncs)
	o.MaxEndpointsPerSlice = cmp.Or(o.MaxEndpointsPerSlice, DefaultMaxEndpointsPerSlice)
	o.MirroringMaxEndpointsPerSubset = cmp.Or(o.MirroringMaxEndpointsPerSubset, DefaultMirroringEndpointsPerSubset)
	o.MaxUpdatesGatherPeriod = cmp.Or(o.MaxUpdatesGatherPeriod, DefaultMaxUpdatesGatherPeriod)
	o.SliceMergeRate = cmp.Or(o.SliceMergeRate, DefaultSliceMergeRate)
	o.EndpointsCheckPeriod = cmp.Or(o.EndpointsCheckPeriod, DefaultEndpointsCheckPeriod)
	o.MinResyncPeriod = cmp.Or(o.MinResyncPeriod, DefaultMinResyncPeriod)
	o.Namespace = cmp.Or(o.Namespace, DefaultNamespace)
	o.EndpointsQuietPeriod = cmp.Or(o.EndpointsQuietPeriod, DefaultEndpointsQuietPeriod)
	if len(o.KubeControllerManagerLeases) == 0 {
		o.KubeControllerManagerLeases = []string{DefaultKubeControllerManagerLease}
	}
	o.ServiceNodePortRange = cmp.Or(o.ServiceNodePortRange, PortRange{DefaultFirstNodePort, DefaultLastNodePort})
	o.RepairInterval = cmp.Or(o.RepairInterval, DefaultRepairInterval)
	o.ConcurrentServiceSyncs = cmp.Or(o.ConcurrentServiceSyncs, DefaultConcurrentServiceSyncs)
	o.LoadBalancerClass = cmp.Or(o.LoadBalancerClass, servicenetv1alpha1.LoadBalancerClass)
	o.Cloud = o.Cloud.withDefaults()
	if len(o.AllowedExternalIPs) == 0 {
		o.AllowedExternalIPs = []string{AnyExternalIPs}
	}
	if o.KubeAPIQPS > 0 && o.KubeAPIBurst == 0 {
		o.KubeAPIBurst = int(math.Ceil(1.5 * float64(o.KubeAPIQPS)))
	}
	return o
}

// runs tells whether a controller is selected.
func (o Options) runs(name string) bool { return selected(name, o.Controllers) }

// Validate reports every setting that is out of its range, with the range. Zero
// values are valid.
func (o Options) Validate() error {
	o = o.withDefaults()
	errs := []error{ValidateControllers(o.Controllers), o.validateMode()}
	errs = append(errs,
		inRange("ConcurrentServiceEndpointSyncs", o.ConcurrentServiceEndpointSyncs, MaxConcurrentSyncs),
		inRange("ConcurrentEndpointSyncs", o.ConcurrentEndpointSyncs, MaxConcurrentSyncs),
		inRange("MirroringConcurrentServiceEndpointSyncs", o.MirroringConcurrentServiceEndpointSyncs, MaxConcurrentSyncs),
		inRange("ConcurrentServiceSyncs", o.ConcurrentServiceSyncs, MaxConcurrentSyncs),
		inRange("MaxEndpointsPerSlice", o.MaxEndpointsPerSlice, MaxMaxEndpointsPerSlice),
		inRange("MirroringMaxEndpointsPerSubset", o.MirroringMaxEndpointsPerSubset, MaxMirroringMaxEndpointsPerSubset),
		inRange("SliceMergeRate", o.SliceMergeRate, MaxSliceMergeRate),
		noLonger("MaxUpdatesGatherPeriod", o.MaxUpdatesGatherPeriod),
		noLonger("EndpointSliceUpdatesBatchPeriod", o.EndpointSliceUpdatesBatchPeriod),
		noLonger("EndpointUpdatesBatchPeriod", o.EndpointUpdatesBatchPeriod),
		noLonger("MirroringEndpointSliceUpdatesBatchPeriod", o.MirroringEndpointSliceUpdatesBatchPeriod),
		noShorter("MinResyncPeriod", o.MinResyncPeriod, ShortestMinResyncPeriod),
		noShorter("EndpointsCheckPeriod", o.EndpointsCheckPeriod, ShortestEndpointsCheckPeriod),
		noShorter("EndpointsQuietPeriod", o.EndpointsQuietPeriod, ShortestEndpointsQuietPeriod),
		noShorter("RepairInterval", o.RepairInterval, ShortestRepairInterval))
	if _, err := allocator.Ports(o.ServiceNodePortRange.First, o.ServiceNodePortRange.Last); err != nil {
		errs = append(errs, fmt.Errorf("ServiceNodePortRange is %s: %w", o.ServiceNodePortRange, err))
	}
	errs = append(append(errs, o.validateWebhooks()...), ValidateLoadBalancerClass(o.LoadBalancerClass), o.validateCloud())
	if o.KubeAPIQPS < 0 || o.KubeAPIBurst < 0 {
		errs = append(errs, fmt.Errorf("KubeAPIQPS is %v and KubeAPIBurst %d: neither may be negative", o.KubeAPIQPS, o.KubeAPIBurst))
	}
	return errors.Join(errs...)
}

func (o Options) validateMode() error {
	var err error
	if !slices.Contains(EndpointsModes(), o.EndpointsMode) {
		err = fmt.Errorf("EndpointsMode is %q: allowed are %q", o.EndpointsMode, EndpointsModes())
	}
	return errors.Join(err, ValidateLeases(o.KubeControllerManagerLeases))
}

// EndpointsModes returns the modes there are.
func EndpointsModes() []EndpointsMode {
	return []EndpointsMode{EndpointsOn, EndpointsOff, EndpointsAuto}
}

// ValidateLeases reports the names that are none of Leases, as namespace/name.
func ValidateLeases(names []string) error {
	var errs []error
	for _, text := range names {
		namespace, name, _ := strings.Cut(text, "/")
		if len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0 {
			errs = append(errs, fmt.Errorf("%q is no Lease: allowed are namespace/name, such as %s",
				text, DefaultKubeControllerManagerLease))
		}
	}
	return errors.Join(errs...)
}

// ValidateLoadBalancerClass reports what is wrong with a class of load balancers: the
// API server takes none that is no qualified name.
func ValidateLoadBalancerClass(class string) error {
	if len(validation.IsQualifiedName(class)) > 0 {
		return fmt.Errorf("LoadBalancerClass is %q: allowed are names such as %s", class, servicenetv1alpha1.LoadBalancerClass)
	}
	return nil
}

func noLonger(option string, value time.Duration) error {
	if value < 0 || value > LongestUpdatesBatchPeriod {
		return fmt.Errorf("%s is %s: allowed are 0s to %s", option, value, LongestUpdatesBatchPeriod)
	}
	return nil
}

func noShorter(option string, value, shortest time.Duration) error {
	if value < shortest {
		return fmt.Errorf("%s is %s: allowed are %s and more, and 0 for the default", option, value, shortest)
	}
	return nil
}

func inRange(option string, value, highest int) error {
	if value < 1 || value > highest {
		return fmt.Errorf("%s is %d: allowed are 1 to %d, and 0 for the default", option, value, highest)
	}
	return nil
}
