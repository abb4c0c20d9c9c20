// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
)

// Client reads and writes blocks and Leases in the API server itself: a cache
// won't do.
type Client interface {
	client.Reader
	Create(ctx context.Context, object client.Object, options ...client.CreateOption) error
	Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error
	Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error
}

// Evidence says what the API server itself has of numbers, apart from the ledger.
type Evidence interface {
	// Look answers questions as of a moment after it was called, in their order.
	Look(ctx context.Context, questions []Question) ([]Finding, error)
}

// Question asks what a number is used for.
type Question struct {
	ledger.Place
	// Hint is a Service that may carry the number, if one is known.
	Hint ledger.Owner
}

// Finding is what a number is used for.
type Finding struct {
	// Carrier is the Service that carries the number, if one does.
	Carrier ledger.Owner
	// Leftover tells that no Service carries the number, but that the API server
	// has not let go of it: its IPAddress object exists.
	Leftover bool
	// Foreign tells that something else uses the number: an IPAddress object that
	// is not a Service's.
	Foreign bool
}

// unused tells that nothing has the number.
func (f Finding) unused() bool { return f == Finding{} }

// carried tells that a Service has the number.
func (f Finding) carried() bool { return f.Carrier != ledger.Owner{} }

// Options says what a Store works with. Client, Evidence, Seen, Namespace, Holder
// and Seed must be set.
type Options struct {
	Client   Client
	Evidence Evidence
	// Seen says, from caches of Services and of IPAddress objects, what a number is
	// used for. What it finds is not given out; that it finds nothing is no proof.
	// The Store is locked while it runs: it must neither wait nor call back.
	Seen func(ledger.Place) Finding
	// Namespace is where the Leases of replicas are.
	Namespace string
	// Holder is what this replica is called in the ledger, chosen by chance at each
	// start.
	Holder ledger.Holder
	// Identity names the replica to people, such as its Pod.
	Identity string
	// Seed is where chance starts from.
	Seed uint64
	// Now is the time of day, for how long numbers are retained. time.Now if nil.
	Now func() time.Time
	// TenantsChanged is told of each load-balancer address whose tenants change, and of
	// each that is free again, whoever did it. May be nil. The Store is locked while it
	// runs: it must neither wait nor call back.
	TenantsChanged func(TenantNews)
	// Metrics counts what happens. May be nil.
	Metrics *Metrics
	// Logger is told of what is odd. May be the zero Logger.
	Logger logr.Logger
	// InFlightPerNamespace bounds how many numbers a namespace may have been given
	// by this replica for Services that were not seen yet. 1,024 if 0.
	InFlightPerNamespace int
	// Timing is Defaults() if zero.
	Timing Timing
}

// Timing is how long a Store waits for what. The defaults follow from the 34 s
// that a request may live in the API server at most.
type Timing struct {
	// Renew is how often the Lease is renewed.
	Renew time.Duration
	// Distrust is for how long after the last renewal numbers are given out.
	Distrust time.Duration
	// Stale is for how long a Lease must not have changed, by the observer's own
	// clock, until its numbers are taken back. More than Distrust and the life of
	// a request together.
	Stale time.Duration
	// InFlight is for how long a number waits for its Service to be seen, until
	// the API server is asked. More than the life of a request.
	InFlight time.Duration
	// Settle is how long numbers that are seen with a Service may wait for a write
	// that takes them along.
	Settle time.Duration
	// Gather is how long numbers of which nobody waits to be told may wait for others
	// when they are released and freed.
	Gather time.Duration
	// Quarantine is for how long a port stays held after its Service is gone: the
	// API server lets go of a port some time later, and shows it nowhere. A busy one was
	// seen to take more than 5 s.
	Quarantine time.Duration
	// Release is for how long a port stays held that is asked for by number.
	Release time.Duration
	// Patience is how long a Take without a deadline of its own waits at most.
	Patience time.Duration
	// Recall is how long another replica may take to answer for a number on loan.
	Recall time.Duration
	// Call bounds one call of the API server.
	Call time.Duration
	// Idle is for how long a magazine is left alone until numbers are returned.
	Idle time.Duration
	// Tick is how often what is due is looked for.
	Tick time.Duration
}

// Defaults returns the timing of a manager.
func Defaults() Timing {
	return Timing{
		Renew:      5 * time.Second,
		Distrust:   20 * time.Second,
		Stale:      60 * time.Second,
		InFlight:   60 * time.Second,
		Settle:     2 * time.Second,
		Gather:     250 * time.Millisecond,
		Quarantine: 10 * time.Second,
		Release:    time.Second,
		Patience:   8 * time.Second,
		Recall:     3 * time.Second,
		Call:       5 * time.Second,
		Idle:       5 * time.Minute,
		Tick:       time.Second,
	}
}

func (o Options) withDefaults() Options {
	if o.Timing == (Timing{}) {
		o.Timing = Defaults()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.InFlightPerNamespace == 0 {
		o.InFlightPerNamespace = 1024
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	return o
}
