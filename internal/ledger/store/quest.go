// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// quest is a Service's request for one number. It takes what step the state of
// the number asks for, until the number is given or is known to be another's.
type quest struct {
	s       *Store
	place   ledger.Place
	request Request
	// retained tells that the number is wanted only if it is held for the Service,
	// and was not given to another request for it.
	retained bool
	// asked tells that the number was asked for while another had it on loan.
	asked bool
	// until is how long another request that was given the number is waited for.
	until time.Time
	// pauses counts how often it waited for the API server's clean-up.
	pauses int
	// waiting says what for, and retry when it is worth coming again.
	waiting string
	retry   time.Duration
}

// unanswered is when to come again for a number whose holder does not answer. If it died,
// its Lease has to be stale first; clients come ten times, which is to last for that.
const unanswered = 5 * time.Second

// errGranted says that the Service has the number.
var errGranted = errors.New("the Service has the number")

// step does what can't be done under the lock. A nil step says that the number is
// given.
type step func(context.Context) error

func (s *Store) pursue(ctx context.Context, q *quest) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Patience)
	defer cancel()
	q.s, q.waiting, q.retry, q.until = s, "the ledger could not be read in time", time.Second, time.Now().Add(s.Timing.Recall)
	for {
		next, err := q.next()
		if err != nil || next == nil {
			return err
		}
		err = next(ctx)
		switch {
		case errors.Is(err, errGranted):
			return nil
		case err == nil || errors.Is(err, errMoved):
		case ctx.Err() != nil:
			return &ledger.UnavailableError{Reason: q.waiting, RetryAfter: q.retry, Err: err}
		default:
			return err
		}
	}
}

// next decides on the next step.
func (q *quest) next() (step, error) {
	s := q.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mayGive(q.request); err != nil {
		return nil, err
	}
	p := s.page(q.place.Key)
	if n := p.mine[q.place.Number]; n != nil {
		return q.mine(p, n)
	}
	if !p.known || p.broken != nil {
		return q.swap(func(*ledger.Block) error { return nil }, nil), nil
	}
	state := p.state(q.place.Number)
	switch {
	case state == ledger.Held:
		return q.held(p)
	case q.retained:
		return nil, &ledger.TakenError{Place: q.place, By: ledger.ByRequest}
	case state == ledger.Free:
		return q.free(), nil
	case state == ledger.Lent:
		return q.lent(p)
	default:
		return q.used(), nil
	}
}

// mine is for a number that this replica has on loan.
func (q *quest) mine(p *page, n *number) (step, error) {
	switch {
	case n.state == leaving:
		return q.await(p, "the number is just being returned"), nil
	case n.state == spare:
		return q.spare(n)
	case n.state == given && n.mayBeFor(q.request.Owner) && !q.retained:
		return q.again(n), nil
	case n.state == given && !q.retained && time.Now().Before(q.until):
		// The watch may only not have shown yet that its Service came and went.
		return q.pause, nil
	case n.state == given || q.retained:
		return nil, &ledger.TakenError{Place: q.place, Owner: n.owner, By: ledger.ByRequest}
	default:
		return q.used(), nil
	}
}

// spare is for a number that this replica gave to nobody.
func (q *quest) spare(n *number) (step, error) {
	if n.kept.Denies(q.subject()) {
		return nil, &ledger.TakenError{Place: q.place, By: ledger.ByRetained}
	}
	if q.s.usedByOthers(n) {
		return q.used(), nil
	}
	q.s.give(n, q.request)
	return nil, nil //nolint:nilnil // given
}

// again is for a number that was given to a Service of the same name: the request
// is repeated, or the Service is made anew right after it was deleted. The API
// server must have let go of the number then. Of Services whose names are yet to be
// generated, another may have become of the request that got the number.
func (q *quest) again(n *number) step {
	q.s.giveAgain(n)
	if !hasObjects(q.place.Family) {
		return func(context.Context) error { return errGranted }
	}
	return q.look(func(ctx context.Context, f Finding) error {
		switch {
		case f.Leftover:
			return q.pause(ctx)
		case f.Foreign || f.carried():
			return q.verdict(f)
		default:
			return errGranted
		}
	})
}

// free is for a number that nobody has, as far as the ledger knows.
func (q *quest) free() step {
	lend := q.swap(func(b *ledger.Block) error {
		return moved(b.Lend(q.place.Number, q.s.holder))
	}, q.take)
	if q.s.Seen(q.place).unused() {
		return lend
	}
	return q.look(func(ctx context.Context, f Finding) error {
		switch {
		case f.carried() || f.Foreign:
			return q.verdict(f)
		case f.Leftover:
			return q.pause(ctx)
		default:
			return lend(ctx)
		}
	})
}

// lent is for a number that another replica has on loan.
func (q *quest) lent(p *page) (step, error) {
	loan, _ := p.block.Loan(q.place.Number)
	_, asked := p.asked[q.place.Number]
	switch {
	case loan.Kept.Denies(q.subject()):
		return nil, &ledger.TakenError{Place: q.place, By: ledger.ByRetained}
	case loan.Recall != nil || asked:
		q.retry = unanswered
		return q.await(p, "the number is on loan to a replica that does not answer"), nil
	case q.asked && time.Now().Before(q.until):
		// The other's watch may only not have shown yet that its Service came and went.
		return q.awaitBriefly(p), nil
	case q.asked:
		return nil, &ledger.TakenError{Place: q.place, By: ledger.ByRequest}
	default:
		return q.ask(p), nil
	}
}

// ask asks the replica that has the number on loan. One request at a time may: the
// number may be in flight for the very Service that it is asked for.
func (q *quest) ask(p *page) step {
	number := q.place.Number
	p.asked[number] = asked{request: q.request, until: time.Now().Add(q.s.Timing.InFlight)}
	ask := q.swap(func(b *ledger.Block) error {
		return moved(b.Ask(number, q.s.holder, q.request.Owner.Applicant()))
	}, func() error {
		q.asked = true
		q.s.noteAsked(p, number)
		return nil
	})
	return func(ctx context.Context) error {
		err := ask(ctx)
		if errors.Is(err, errMoved) {
			q.s.unask(p, number)
		}
		return err
	}
}

// held is for a number that lost its Service.
func (q *quest) held(p *page) (step, error) {
	hold, _ := p.block.Hold(q.place.Number)
	if hold.Denies(q.subject()) && !q.isOver(hold) {
		return nil, &ledger.TakenError{Place: q.place, By: ledger.ByRetained}
	}
	wait := time.Until(p.watches[q.place.Number].since.Add(q.s.Timing.Release))
	return q.look(func(ctx context.Context, f Finding) error {
		switch {
		case f.carried():
			keep := q.swap(func(b *ledger.Block) error { return moved(b.Keep(q.place.Number, hold.Serial)) }, nil)
			if err := keep(ctx); err != nil {
				return err
			}
			return q.verdict(f)
		case f.Foreign:
			return q.verdict(f)
		case f.Leftover:
			return q.pause(ctx)
		case q.place.Family == servicenetv1alpha1.NodePort && wait > 0:
			q.waiting = "the API server may not have released the port yet"
			return sleep(ctx, wait)
		default:
			return q.claim(hold)(ctx)
		}
	}), nil
}

// claim takes a held number that nothing uses. Once its retention is over, whom it
// was kept for is of no account.
func (q *quest) claim(hold ledger.Hold) step {
	number, over := q.place.Number, q.isOver(hold)
	return q.swap(func(b *ledger.Block) error {
		if over {
			return moved(b.Clear(number, hold.Serial) && b.Lend(number, q.s.holder))
		}
		return moved(b.Claim(number, hold.Serial, q.s.holder))
	}, q.take)
}

// isOver tells whether the retention of a held number has ended.
func (q *quest) isOver(hold ledger.Hold) bool {
	return !hold.Until.IsZero() && !hold.Until.After(q.s.Now())
}

// used is for a number that a Service has, by the ledger. If none does, it is
// held, so that evidence for that can be trusted.
func (q *quest) used() step {
	return q.look(func(ctx context.Context, f Finding) error {
		if f.carried() || f.Foreign {
			return q.verdict(f)
		}
		return q.swap(func(b *ledger.Block) error {
			return moved(b.Release(q.place.Number, ledger.Retention{}))
		}, nil)(ctx)
	})
}

// subject is the Service that the number is for, by name.
func (q *quest) subject() ledger.Subject { return ledger.SubjectOf(q.request.Owner.NamespacedName) }

// verdict refuses the number that another has, and grants it to the Service that
// carries it already.
func (q *quest) verdict(f Finding) error {
	switch {
	case f.Foreign:
		return &ledger.TakenError{Place: q.place, By: ledger.ByObject}
	case f.Carrier.Same(q.request.Owner) && !q.retained:
		return errGranted
	default:
		return &ledger.TakenError{Place: q.place, Owner: f.Carrier, By: ledger.ByService}
	}
}

// take gives the number that was just put on loan.
func (q *quest) take() error {
	n := q.s.pages[q.place.Key].mine[q.place.Number]
	if n == nil || n.state != spare {
		return errMoved
	}
	q.s.give(n, q.request)
	return errGranted
}

// look asks the API server about the number.
func (q *quest) look(then func(context.Context, Finding) error) step {
	hint := q.s.Seen(q.place).Carrier
	return func(ctx context.Context) error {
		findings, err := q.s.Evidence.Look(ctx, []Question{{Place: q.place, Hint: hint}})
		if err != nil {
			return &ledger.UnavailableError{Reason: "the API server could not be asked about the number", RetryAfter: time.Second, Err: err}
		}
		return then(ctx, findings[0])
	}
}

// swap changes the block.
func (q *quest) swap(move func(*ledger.Block) error, landed func() error) step {
	return func(ctx context.Context) error { return q.s.swap(ctx, q.place.Key, move, landed) }
}

// await waits until the page changes.
func (q *quest) await(p *page, what string) step {
	q.waiting = what
	changed := p.changed
	return func(ctx context.Context) error {
		select {
		case <-changed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaitBriefly waits until the page changes or another request was waited for long
// enough.
func (q *quest) awaitBriefly(p *page) step {
	await := q.await(p, "the number is given to a Service that is being made")
	return func(ctx context.Context) error {
		brief, cancel := context.WithDeadline(ctx, q.until)
		defer cancel()
		_ = await(brief)
		return ctx.Err()
	}
}

// pause waits for what nobody tells of, such as the API server's clean-up, longer
// each time.
func (q *quest) pause(ctx context.Context) error {
	q.waiting = "the number is not released yet"
	q.pauses++
	return sleep(ctx, min(10*time.Millisecond<<min(q.pauses, 6), 500*time.Millisecond))
}

func moved(done bool) error {
	if !done {
		return errMoved
	}
	return nil
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hasObjects tells whether the API server has an object for each number of a
// family that it gave out.
func hasObjects(family servicenetv1alpha1.NumberFamily) bool {
	return family == servicenetv1alpha1.ClusterIPv4 || family == servicenetv1alpha1.ClusterIPv6
}
