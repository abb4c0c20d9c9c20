// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// Fulfil takes the numbers of the plan by calls of take, which takes one number of a
// candidate and fails as the ledger does. It returns the places of plan.Takes.
//
// If numbers can't be had, it returns why, and for all that the Service names; if it
// could not be found out, the error that take returned; and if all that it takes is to
// wait, a *ledger.UnavailableError. The places are then those that were taken in vain.
func (p *Plan) Fulfil(take func(*Take, *Candidate) (ledger.Place, error)) ([]ledger.Place, field.ErrorList, error) {
	places := make([]ledger.Place, 0, len(p.Takes))
	var faults field.ErrorList
	var wait error
	given := map[*pool.Pool]int{}
	for i := range p.Takes {
		if (len(faults) > 0 || wait != nil) && !p.Takes[i].Named {
			break
		}
		a := attempt{Take: &p.Takes[i], plan: p}
		place, err := a.run(places, given, take)
		switch {
		case err != nil:
			return places, nil, err
		case a.done:
			places = append(places, place)
		case a.comesSoon():
			wait = p.notYet()
		case a.inFlight():
			wait = &ledger.UnavailableError{
				Reason: fmt.Sprintf("%s is %s", a.taken.Place, a.taken.By), RetryAfter: nextTry,
			}
		default:
			faults = append(faults, a.fault())
		}
	}
	if len(faults) > 0 {
		return places, faults, nil
	}
	return places, nil, wait
}

// nextTry is when to come again for a number that was given to a Service which has not
// been seen: clients come ten times, and after a minute it is known what became of it.
const nextTry = 5 * time.Second

// notYet says when it is worth asking again for an address.
func (p *Plan) notYet() error {
	return &ledger.UnavailableError{
		Reason: fmt.Sprintf("addresses that serve this Service are in a ServiceCIDR that has not been ready for %v", pool.SettleTime),
		// Nobody waits for longer, whatever the clocks say.
		RetryAfter: min(p.cluster.ClusterIPs.Until().Sub(p.cluster.Now), pool.SettleTime),
	}
}

// attempt is what was found on the way to a number.
type attempt struct {
	*Take
	plan *Plan
	done bool
	// limited and full are where there was none.
	limited, full []*pool.Pool
	// taken is the last one that belongs to another.
	taken *ledger.TakenError
	// source is that of the last candidate.
	source pool.Source
}

// run tries the candidates. The places are what the plan has got so far, given
// counts them by their pools.
func (a *attempt) run(
	places []ledger.Place, given map[*pool.Pool]int, take func(*Take, *Candidate) (ledger.Place, error),
) (ledger.Place, error) {
	for candidate := range a.candidates {
		a.source = candidate.Source
		if a.source == pool.Retained && slices.Contains(places, candidate.Place) {
			continue // the ledger would give it to the same Service again
		}
		if a.exceeds(candidate.Pool, given) {
			a.limited = append(a.limited, candidate.Pool)
			continue
		}
		place, err := take(a.Take, &candidate)
		if err == nil {
			given[candidate.Pool]++
			a.done = true
			return place, nil
		}
		if full := (*ledger.FullError)(nil); errors.As(err, &full) {
			a.full = append(a.full, candidate.Pool)
		} else if !errors.As(err, &a.taken) {
			return ledger.Place{}, err
		}
	}
	return ledger.Place{}, nil
}

// exceeds tells whether the namespace has all that it may have of a pool.
func (a *attempt) exceeds(p *pool.Pool, given map[*pool.Pool]int) bool {
	r := a.plan.request
	return p != nil && r.Used != nil && p.Limits(r.who()) && r.Used(p)+given[p] >= p.Limit
}

// comesSoon tells whether nothing but time is needed.
func (a *attempt) comesSoon() bool { return a.soon && a.taken == nil && len(a.limited) == 0 }

// inFlight tells whether the number was given to a request of which nobody knows yet what
// becomes of it: it may have failed, or its Service may have gone.
func (a *attempt) inFlight() bool {
	return a.taken != nil && a.taken.By == ledger.ByRequest && (a.source == pool.Named || a.source == pool.Reserved)
}

// fault says why there is no number.
func (a *attempt) fault() *field.Error {
	switch {
	case a.taken != nil && a.source == pool.Named:
		return field.Invalid(a.Path, a.taken.Place.String(), fmt.Sprintf("is %s; leave it out to get a free one", a.taken.By))
	case a.taken != nil && a.source == pool.Reserved:
		return field.Forbidden(a.Path, fmt.Sprintf("%s, which is reserved for this Service, is %s", a.taken.Place, a.taken.By))
	case a.source != pool.Automatic && len(a.limited) > 0:
		return field.Forbidden(a.Path, fmt.Sprintf(
			"the namespace has all %d numbers that it may have of the pool of this one; delete Services, or ask for a higher limit",
			a.limited[0].Limit))
	}
	return field.Forbidden(a.Path, a.exhausted())
}

// exhausted says what became of the pools that serve the Service.
func (a *attempt) exhausted() string {
	kind := "no node port"
	if a.Family != servicenetv1alpha1.NodePort {
		kind = fmt.Sprintf("no %s address", ipFamily(a.Family))
	}
	var parts []string
	for _, p := range a.full {
		parts = append(parts, fmt.Sprintf("%s is free in %s", kind, a.describe(p)))
	}
	for _, p := range a.limited {
		parts = append(parts, fmt.Sprintf("the namespace has all %d numbers that it may have of %s", p.Limit, a.describe(p)))
	}
	if len(parts) == 0 { // only those that are kept for it were left
		parts = []string{kind + " is free in what serves this Service"}
	}
	return strings.Join(parts, ", ") + "; delete Services that are not needed, or ask for more"
}

// describe names a pool that serves the Service, and its numbers.
func (a *attempt) describe(p *pool.Pool) string {
	numbers := a.plan.cluster.NodePorts.Describe(p)
	if a.Family != servicenetv1alpha1.NodePort {
		numbers = a.plan.cluster.ClusterIPs.Describe(p, ipFamily(a.Family))
	}
	if p == nil {
		return "the cluster outside of exclusive pools (" + numbers + ")"
	}
	return fmt.Sprintf("the pool %s (%s)", p.Name, numbers)
}
