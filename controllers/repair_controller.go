// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/repair"
)

const (
	// repairPause is what lies between two looks at least, and between two while
	// the ledger still takes something over.
	repairPause = time.Second
	// repairShare bounds which part of the time is spent looking: one in so many.
	repairShare = 20
	// longestPause is after how long there is another look, however long the last
	// one had to wait for the API server.
	longestPause = 10 * time.Second
	// readyAnyway is for how long the manager is not ready while the ledger takes
	// something over: where that is impossible, all else goes on.
	readyAnyway = time.Minute
	// mostAsked bounds of how many findings a look asks the API server whether they
	// are so.
	mostAsked = 100
)

// repairs keep the ledger what the Services say. They work on the leader.
type repairs struct {
	*replica

	memory   repair.Memory
	findings *prometheus.CounterVec
	clock    clock.WithTicker
	// agreed is closed once the ledger was found to be what the Services say.
	agreed chan struct{}
}

func newRepairs(r *replica, registry prometheus.Registerer) (*repairs, error) {
	counters := &registrar{registry: registry, subsystem: "servicenet_repair"}
	findings := counters.counter("findings_total", "What was found wrong with numbers and their ledger, by kind", "kind")
	for _, kind := range repair.Kinds() {
		findings.WithLabelValues(string(kind)) // a count that begins with one is no increase to who watches it
	}
	return &repairs{replica: r, findings: findings, clock: clock.RealClock{}, agreed: make(chan struct{})}, counters.failed()
}

// run looks at once, on news, when something may turn out to last, and now and then
// without a reason, until the context ends.
func (r *repairs) run(ctx context.Context) error {
	begun := r.clock.Now()
	for {
		from := r.clock.Now()
		look, err := r.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // what is left to do, the next leader does
		case err != nil:
			log.FromContext(ctx).Error(err, "Could not repair all of the ledger")
		}
		settled := err == nil && len(look.Adopt) == 0
		if settled || r.clock.Since(begun) > readyAnyway {
			r.agree()
		}
		pause := min(max(repairPause, repairShare*r.clock.Since(from)), longestPause)
		if !r.rest(ctx, pause, !settled, look.Next) {
			return nil
		}
	}
}

func (r *repairs) agree() {
	select {
	case <-r.agreed:
	default:
		close(r.agreed)
	}
}

// rest waits for a time, and then, unless it is pressing, for what comes first:
// news, the next look that is due, or the end of the interval. It returns false when
// the context ends.
func (r *repairs) rest(ctx context.Context, pause time.Duration, pressing bool, next time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-r.clock.After(pause):
	}
	if pressing {
		return true
	}
	longest := r.options.RepairInterval
	if until := next.Sub(r.clock.Now()); !next.IsZero() {
		longest = min(longest, until)
	}
	select {
	case <-ctx.Done():
		return false
	case <-r.clock.After(longest):
	case <-r.news.repair:
	}
	return true
}

// look compares the ledger with all Services, and does what is to be done. A fault
// with one finding keeps no other from being looked after.
func (r *repairs) look(ctx context.Context) (repair.Look, error) {
	w, err := r.world()
	if err != nil {
		return repair.Look{}, err
	}
	look := r.memory.Look(w, r.clock.Now())
	r.adopt(look.Adopt)
	var errs []error
	asked := 0
	for i := range look.Due {
		finding := &look.Due[i]
		asks := finding.Service.Name != "" || finding.Kind.Subject() == repair.AboutAddress
		if asks && (asked == mostAsked || !finding.New && finding.Kind.Fix() == repair.Nothing) {
			continue
		}
		if asks {
			asked++
		}
		errs = append(errs, r.act(ctx, w, finding))
	}
	return look, errors.Join(errs...)
}

// act tells and fixes a finding, if the API server itself says that it is still so:
// the cache may lag.
func (r *repairs) act(ctx context.Context, w *repair.World, finding *repair.Finding) error {
	confirmed, err := r.confirm(ctx, finding)
	if err != nil || !confirmed {
		return err
	}
	if finding.New {
		r.tell(ctx, finding)
	}
	err = r.fix(ctx, w, finding)
	if err != nil && finding.New && finding.Service.Name != "" && ctx.Err() == nil {
		failed := repair.Failed(finding.Service, finding.Place, err)
		r.tell(ctx, &failed)
	}
	return err
}

// adopt has the ledger take over numbers.
func (r *repairs) adopt(claims []repair.Claim) {
	for _, claim := range claims {
		version := ""
		if service := r.carriers.carrier(claim.Place); service != nil {
			version = service.version
		}
		r.store.Carried(claim.Place, claim.Service, version)
	}
}

// fix does what is to be done about a finding.
func (r *repairs) fix(ctx context.Context, w *repair.World, finding *repair.Finding) error {
	switch finding.Kind.Fix() {
	case repair.Release:
		r.store.Release(finding.Place)
	case repair.RestoreBlock:
		key := finding.Place.Key
		last, carried := r.memory.Last(key), w.Carried(key)
		err := r.store.Rebuild(ctx, key, func(block *ledger.Block, absent ledger.Holder) {
			repair.Restore(block, last, carried, absent)
		})
		if err != nil && !errors.Is(err, ledger.ErrNewer) && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("rebuilding block %s: %w", key, err)
		}
	case repair.Nothing:
	}
	return nil
}

// tell counts a finding and makes an event of it.
func (r *repairs) tell(ctx context.Context, finding *repair.Finding) {
	r.findings.WithLabelValues(string(finding.Kind)).Inc()
	r.memory.Told(finding, r.clock.Now())
	if regarding := referenceToFinding(finding); regarding != nil {
		r.recorder.Eventf(regarding, nil, corev1.EventTypeWarning, finding.Reason(), finding.Action(), "%s", finding.Message())
	}
	logger := log.FromContext(ctx)
	if finding.Kind.Subject() == repair.AboutNothing {
		logger = logger.V(1) // there may be thousands
	}
	logger.Info("Found something wrong with a number", "kind", finding.Kind, "number", finding.Place.String(),
		"service", finding.Service.NamespacedName, "others", finding.Others, "detail", finding.Detail)
}
