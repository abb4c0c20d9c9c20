// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package standby

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// histories is how many random ones are played.
const histories = 1000

// world is a cluster in which kube-controller-manager comes, goes, pauses and takes its
// time, and replicas of ours look, lead, end and begin.
type world struct {
	rand *rand.Rand
	now  time.Time

	runs, writes bool // kube-controller-manager, and its endpoint controllers
	elects       bool // it has a Lease
	lease        int
	question     int // 0 is none
	record       bool
	answer       string // the version of what it wrote, and the question that bears
	answerTo     int
	version      int

	replicas []*replica
}

// replica is one of ours, with all it has ever seen.
type replica struct {
	observer *Observer
	seen     []Look
}

func (w *world) newReplica() *replica {
	return &replica{observer: NewObserver(Settings{Quiet: quiet, Blind: blind})}
}

func (w *world) look() Look {
	look := Look{At: w.now, Leases: map[string]Lease{}, Traces: map[string]Trace{}}
	version := ""
	if w.lease > 0 {
		version = strconv.Itoa(w.lease)
	}
	look.Leases[lease] = Lease{Version: version, Duration: 15 * time.Second}
	trace := Trace{Acted: w.record}
	if w.question > 0 {
		trace.Question = strconv.Itoa(w.question)
	}
	if w.answer != "" {
		trace.Versions, trace.Answered = []string{w.answer}, w.answerTo == w.question
	}
	look.Traces[ours] = trace
	return look
}

// step lets some time pass, and what happens in it.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(1+w.rand.IntN(8)) * time.Second)
	if w.runs && w.elects {
		w.lease++
	}
	if w.runs && w.writes && w.answerTo != w.question && w.question > 0 && w.rand.IntN(3) > 0 {
		w.write(w.question)
	}
	switch w.rand.IntN(60) {
	case 0:
		w.runs = !w.runs
	case 1:
		w.writes = !w.writes
	case 2:
		w.elects = !w.elects
	case 3: // a write that comes late
		w.write(max(0, w.question-1))
	case 4: // somebody removes what it wrote
		w.answer, w.answerTo = "", 0
	case 5: // somebody removes what asks, and with it the record
		w.question, w.record, w.answer, w.answerTo = 0, false, "", 0
	case 6: // the leader ends
		w.replicas = append(w.replicas[1:], w.newReplica())
	case 7: // nobody can look for a while
		w.now = w.now.Add(time.Duration(w.rand.IntN(100)) * time.Second)
	}
}

func (w *world) write(answerTo int) {
	w.version++
	w.answer, w.answerTo = "v"+strconv.Itoa(w.version), answerTo
}

// TestHistories looks for a replica that begins to act without having seen silence for
// long enough, or goes on where somebody has answered; and for one that does not, though
// it has.
func TestHistories(t *testing.T) {
	began, ended := 0, 0
	for seed := range uint64(histories) {
		w := &world{rand: rand.New(rand.NewPCG(seed, 1)), now: at(0), runs: seed%2 == 0, writes: seed%3 == 0, elects: seed%5 < 3}
		w.replicas = []*replica{w.newReplica(), w.newReplica()}
		asked := 0
		for range 300 {
			w.step()
			for i, r := range w.replicas {
				if i > 0 && w.rand.IntN(10) == 0 {
					continue // it looks seldom
				}
				look := w.look()
				acted := r.observer.Decide(ours).Acts
				r.observer.See(&look)
				r.seen = append(r.seen, look)
				acts := r.observer.Decide(ours).Acts
				if fault := r.fault(acted, acts); fault != "" {
					t.Fatalf("seed %d, replica %d, second %.0f: %s", seed, i, w.now.Sub(at(0)).Seconds(), fault)
				}
				switch {
				case acts && !acted:
					began++
				case acted && !acts:
					ended++
				}
			}
			// The leader records and asks.
			leader := w.replicas[0].observer
			w.record = leader.Decide(ours).Acts
			if leader.AskAgain() {
				asked++
				w.question = max(w.question, asked) + 1
			}
		}
	}
	if began < histories || ended < histories/2 {
		t.Errorf("%d times one began to act, and %d times it ended: the histories are too dull", began, ended)
	}
}

// fault says what is wrong with a decision, by all that a replica has seen.
func (r *replica) fault(acted, acts bool) string {
	last := r.seen[len(r.seen)-1]
	trace := last.Traces[ours]
	switch {
	case acts && trace.Answered:
		return "acts though somebody has answered"
	case acts && r.heardNow():
		return "acts though somebody was heard just now"
	case acts && !acted && !r.silence() && (!trace.Acted || trace.Question == ""):
		return "begins without silence"
	case !acts && r.silence():
		return "does not begin in silence"
	case acted && !acts && !trace.Answered && !r.heardNow():
		return fmt.Sprintf("ends for no reason: %+v", trace)
	}
	return ""
}

// heardNow tells whether the last look found something new.
func (r *replica) heardNow() bool {
	n := len(r.seen)
	if n < 2 {
		return false
	}
	before := r.seen[n-2].Traces[ours].Versions
	return slices.ContainsFunc(r.seen[n-1].Traces[ours].Versions, func(version string) bool { return !slices.Contains(before, version) })
}

// silence tells whether in the time that ends with the last look, and is long enough, a
// question was open, nothing new was found, no Lease was renewed, and no look was missed.
func (r *replica) silence() bool {
	last := r.seen[len(r.seen)-1]
	for i, look := range slices.Backward(r.seen) {
		trace := look.Traces[ours]
		if trace.Question == "" || trace.Answered || look.Leases[lease].Version != last.Leases[lease].Version {
			return false
		}
		if i == 0 || last.At.Sub(look.At) >= quiet {
			return last.At.Sub(look.At) >= quiet
		}
		before := r.seen[i-1]
		for _, version := range trace.Versions {
			if !slices.Contains(before.Traces[ours].Versions, version) {
				return false
			}
		}
		if look.At.Sub(before.At) > blind {
			return false
		}
	}
	return false
}
