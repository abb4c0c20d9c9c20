// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package standby

import (
	"slices"
	"time"
)

// Settings are those of all observers of a cluster.
type Settings struct {
	// Quiet is for how long nobody else must have been seen before a controller acts.
	Quiet time.Duration
	// Blind is after how long without a look what happened meanwhile is not known. It is
	// less than Quiet.
	Blind time.Duration
}

// Lease is one of kube-controller-manager, as a look found it.
type Lease struct {
	// Version changes with every renewal. It is empty if there is no such Lease.
	Version string
	// Duration is for how long its holder claims it with each renewal.
	Duration time.Duration
}

// Trace is what a look found of the work of one controller.
type Trace struct {
	// Question is the word that was asked last, empty if none was.
	Question string
	// Answered tells that something bears that word which somebody else wrote.
	Answered bool
	// Versions are of all that somebody else wrote, answer or not. A version of one
	// object is never that of another.
	Versions []string
	// Acted tells that a leader has recorded, beside the question, that ours acts.
	Acted bool
}

// Look is what one look at the cluster found.
type Look struct {
	// At is when it began, by the clock of the observer.
	At     time.Time
	Leases map[string]Lease // by name
	Traces map[string]Trace // by controller
}

// Observer is what one replica has seen. It is not safe for concurrent use.
type Observer struct {
	settings Settings
	last     time.Time // of the last look
	leases   map[string]*leaseSeen
	traces   map[string]*traceSeen
}

// leaseSeen is what an observer knows of a Lease.
type leaseSeen struct {
	lease   Lease
	since   time.Time // for how long it is known to have been so
	renewed time.Time // when a change of it was seen, zero, which is long ago, if none was
}

// traceSeen is what an observer knows of a controller.
type traceSeen struct {
	question string
	answered bool
	versions []string
	// since is when the question was answered or, if it is not, since when there is silence.
	since time.Time
	// heard is the question during which somebody else was heard last.
	heard string
	acts  bool
}

// NewObserver returns an observer that has seen nothing.
func NewObserver(settings Settings) *Observer {
	return &Observer{settings: settings, leases: map[string]*leaseSeen{}, traces: map[string]*traceSeen{}}
}

// See takes notice of a look. All looks of an observer are at the same controllers and
// Leases, and each is later than the one before.
func (o *Observer) See(look *Look) {
	blind := o.last.IsZero() || look.At.Sub(o.last) > o.settings.Blind
	o.last = look.At
	for name, lease := range look.Leases {
		o.leases[name] = o.leases[name].next(lease, look.At, blind)
	}
	for controller, trace := range look.Traces {
		seen := o.traces[controller]
		if seen == nil {
			seen = &traceSeen{}
			o.traces[controller] = seen
		}
		seen.next(&trace, look.At, blind)
		if seen.silent() && look.At.Sub(seen.since) >= o.settings.Quiet && o.claimed() == "" {
			seen.acts = true
		}
	}
}

// next returns what is known of a Lease after a look.
func (s *leaseSeen) next(lease Lease, at time.Time, blind bool) *leaseSeen {
	switch {
	case s == nil:
		return &leaseSeen{lease: lease, since: at}
	case s.lease.Version != lease.Version:
		return &leaseSeen{lease: lease, since: at, renewed: at}
	case blind:
		return &leaseSeen{lease: lease, since: at}
	default:
		return s
	}
}

// next takes notice of what a look found.
func (s *traceSeen) next(trace *Trace, at time.Time, blind bool) {
	heard := trace.Answered && !s.answered || s.isNews(trace.Versions)
	opened := !trace.Answered && (s.answered || s.question == "")
	if heard || opened || blind {
		s.since = at
	}
	if heard {
		s.heard, s.acts = trace.Question, false
	}
	s.question, s.answered, s.versions = trace.Question, trace.Answered, trace.Versions
	if trace.Acted && s.silent() && s.heard != s.question {
		s.acts = true
	}
}

// isNews tells whether somebody has written something since the last look. Before the
// first one it is not known what is new.
func (s *traceSeen) isNews(versions []string) bool {
	return !s.since.IsZero() && slices.ContainsFunc(versions, func(version string) bool { return !slices.Contains(s.versions, version) })
}

// silent tells whether a question is open.
func (s *traceSeen) silent() bool { return s.question != "" && !s.answered }

// claimed returns the name of a Lease that may be somebody's, empty if none is: one that
// was renewed, or is watched for too short a time to say.
func (o *Observer) claimed() string {
	var names []string
	for name, seen := range o.leases {
		if o.last.Sub(seen.since) < max(o.settings.Quiet, 2*seen.lease.Duration) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return append(names, "")[0]
}

// renewed tells whether a Lease was seen to be renewed a short time ago.
func (o *Observer) renewed() bool {
	for _, seen := range o.leases {
		if o.last.Sub(seen.renewed) < max(o.settings.Quiet/2, seen.lease.Duration) {
			return true
		}
	}
	return false
}

// While a Lease is renewed, asking again only shows to people whether somebody else
// still writes; without one, it is what decides.
const (
	asksInQuiet   = 2
	quietsBetween = 10
)

// AskAgain tells whether a leader should ask with a new word: nobody has been asked, or
// there was an answer some time ago and it is not known who is still there.
func (o *Observer) AskAgain() bool {
	patience := o.settings.Quiet / asksInQuiet
	if o.renewed() {
		patience = o.settings.Quiet * quietsBetween
	}
	for _, seen := range o.traces {
		if seen.question == "" || seen.answered && o.last.Sub(seen.since) >= patience {
			return true
		}
	}
	return false
}
