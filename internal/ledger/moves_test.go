// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"servicenet.dev/servicenet/internal/allocator"
)

// at is the number that the tables are about. Its neighbours have states of
// their own, which no move of it may change.
const at = 7

// retained is for whom numbers are kept here.
func retained() Retention { return Retention{Until: later(), For: subject("team", "web")} }

// scenes are the states a number may be in, with all that a move may ask for.
func scenes() map[string]func(b *Block) []bool {
	used := func(b *Block) bool { return b.Adopt(at) }
	claimed := func(b *Block) []bool { return []bool{used(b), b.Release(at, retained()), b.Claim(at, 12, replicaA)} }
	return map[string]func(b *Block) []bool{
		"free": func(*Block) []bool { return nil },
		"lent": func(b *Block) []bool { return []bool{b.Lend(at, replicaA)} },
		"asked for": func(b *Block) []bool {
			return []bool{b.Lend(at, replicaA), b.Ask(at, replicaB, subject("team", "web"))}
		},
		"kept": claimed,
		"kept and asked for": func(b *Block) []bool {
			return append(claimed(b), b.Ask(at, replicaB, subject("team", "web")))
		},
		"used": func(b *Block) []bool { return []bool{used(b)} },
		"held": func(b *Block) []bool { return []bool{used(b), b.Release(at, retained())} },
		"held again": func(b *Block) []bool {
			return []bool{used(b), b.Release(at, retained()), b.Keep(at, 12), b.Release(at, Retention{})}
		},
	}
}

// scene returns a block with the number in a state. The first hold made on the
// number has the serial 12, a second one 13; 11 is that of a neighbour.
func scene(t *testing.T, prepare func(b *Block) []bool) *Block {
	t.Helper()
	b := NewBlock(10)
	must(t, b.Lend(at-1, replicaA), b.Ask(at-1, replicaB, Subject{}), b.Lend(at+2, replicaA))
	must(t, b.Adopt(at+1), b.Release(at+1, Retention{Until: later(), For: subject("team", "db")}), b.Adopt(at+3))
	must(t, prepare(b)...)
	return b
}

// describe says all of a number.
func describe(b *Block, number int) string {
	text := b.State(number).String()
	if loan, lent := b.Loan(number); lent {
		text += " to " + letter(loan.Holder)
		if loan.Recall != nil {
			text += fmt.Sprintf(", %s asks for %v", letter(loan.Recall.By), loan.Recall.For)
		}
		if loan.Kept != nil {
			text += ", kept" + retention(*loan.Kept)
		}
	}
	if hold, held := b.Hold(number); held {
		text += fmt.Sprintf(" %d", hold.Serial) + retention(hold.Retention)
	}
	return text
}

func retention(then Retention) string {
	text := fmt.Sprintf(" for %v", then.For)
	if then.Slot != 0 {
		text += fmt.Sprintf("'s %x", then.Slot)
	}
	if !then.Until.IsZero() {
		text += fmt.Sprintf(" until %d", then.Until.Unix())
	}
	return text
}

func letter(holder Holder) string {
	return map[Holder]string{replicaA: "A", replicaB: "B", replicaC: "C"}[holder]
}

// move is one of the ways to change a number, and what becomes of it in each
// scene. A scene that is not named refuses the move.
type move struct {
	do   func(b *Block, number int) bool
	want map[string]string
}

// lent says what becomes of a number on loan, and of one that is kept besides.
func lent(plain, kept string) map[string]string {
	return map[string]string{"lent": plain, "asked for": plain, "kept": kept, "kept and asked for": kept}
}

// asked says what a number becomes that somebody asks for.
func asked(by string) map[string]string {
	return map[string]string{"lent": "lent to A, " + by, "kept": "lent to A, " + by + ", kept for team/web until 1893456000"}
}

// answered says what a number becomes that was asked for.
func answered(want string) map[string]string {
	return map[string]string{"asked for": want, "kept and asked for": want + ", kept for team/web until 1893456000"}
}

// loanMoves are the moves of numbers on loan.
func loanMoves() map[string]move {
	return map[string]move{
		"lend to A":     {func(b *Block, n int) bool { return b.Lend(n, replicaA) }, map[string]string{"free": "lent to A"}},
		"lend to B":     {func(b *Block, n int) bool { return b.Lend(n, replicaB) }, map[string]string{"free": "lent to B"}},
		"return by A":   {func(b *Block, n int) bool { return b.Return(n, replicaA) }, lent("free", "held 13 for team/web until 1893456000")},
		"return by B":   {func(b *Block, n int) bool { return b.Return(n, replicaB) }, nil},
		"return by 0":   {func(b *Block, n int) bool { return b.Return(n, 0) }, nil},
		"settle by A":   {func(b *Block, n int) bool { return b.Settle(n, replicaA) }, lent("used", "used")},
		"settle by B":   {func(b *Block, n int) bool { return b.Settle(n, replicaB) }, nil},
		"settle by 0":   {func(b *Block, n int) bool { return b.Settle(n, 0) }, nil},
		"reclaim of A":  {func(b *Block, n int) bool { return b.Reclaim(n, replicaA) }, lent("held 12 for nobody", "held 13 for team/web until 1893456000")},
		"reclaim of B":  {func(b *Block, n int) bool { return b.Reclaim(n, replicaB) }, nil},
		"reclaim of 0":  {func(b *Block, n int) bool { return b.Reclaim(n, 0) }, nil},
		"hand over, A":  {func(b *Block, n int) bool { return b.HandOver(n, replicaA) }, answered("lent to B")},
		"hand over, B":  {func(b *Block, n int) bool { return b.HandOver(n, replicaB) }, nil},
		"hand over, 0":  {func(b *Block, n int) bool { return b.HandOver(n, 0) }, nil},
		"refuse, by A":  {func(b *Block, n int) bool { return b.Refuse(n, replicaA) }, answered("lent to A")},
		"refuse, by B":  {func(b *Block, n int) bool { return b.Refuse(n, replicaB) }, nil},
		"refuse, by 0":  {func(b *Block, n int) bool { return b.Refuse(n, 0) }, nil},
		"ask, by A":     {func(b *Block, n int) bool { return b.Ask(n, replicaA, subject("team", "web")) }, nil},
		"ask, by B":     {func(b *Block, n int) bool { return b.Ask(n, replicaB, subject("team", "api")) }, asked("B asks for team/api")},
		"ask, by C":     {func(b *Block, n int) bool { return b.Ask(n, replicaC, Subject{}) }, asked("C asks for nobody")},
		"ask, by 0":     {func(b *Block, n int) bool { return b.Ask(n, 0, Subject{}) }, asked(" asks for nobody")},
		"lend to none":  {func(b *Block, n int) bool { return b.Lend(n, 0) }, map[string]string{"free": "lent to "}},
		"reclaim all B": {func(b *Block, _ int) bool { return b.ReclaimAll(replicaB) }, nil},
	}
}

// holdMoves are the moves of numbers that Services have or had.
func holdMoves() map[string]move {
	moves := map[string]move{
		"adopt": {
			func(b *Block, n int) bool { return b.Adopt(n) },
			map[string]string{"free": "used"},
		},
		"release": {
			func(b *Block, n int) bool { return b.Release(n, Retention{}) },
			map[string]string{"used": "held 12 for nobody"},
		},
		"release for a Service": {
			func(b *Block, n int) bool {
				return b.Release(n, Retention{Until: later().Add(time.Second - 1), For: subject("team", "web")})
			},
			map[string]string{"used": "held 12 for team/web until 1893456000"},
		},
	}
	kept := map[string]string{"held": ", kept for team/web until 1893456000"}
	for serial, held := range map[uint32]string{12: "held", 13: "held again", 0: "none", 10: "none", 11: "none", 14: "none"} {
		for name, end := range map[string]struct {
			do   func(b *Block, n int) bool
			want string
		}{
			"clear":    {func(b *Block, n int) bool { return b.Clear(n, serial) }, "free"},
			"keep":     {func(b *Block, n int) bool { return b.Keep(n, serial) }, "used"},
			"claim, A": {func(b *Block, n int) bool { return b.Claim(n, serial, replicaA) }, "lent to A" + kept[held]},
			"claim, B": {func(b *Block, n int) bool { return b.Claim(n, serial, replicaB) }, "lent to B" + kept[held]},
		} {
			moves[fmt.Sprintf("%s %d", name, serial)] = move{end.do, map[string]string{held: end.want}}
		}
	}
	return moves
}

// checkMove makes a move twice, and checks what it says and what it changes.
func checkMove(t *testing.T, before *Block, m move, want string, moves bool) {
	t.Helper()
	encoded, was := encode(t, before), describe(before, at)
	if !moves {
		want = was
	}
	after := before.Clone()
	if moved := m.do(after, at); moved != moves {
		t.Errorf("changed: %t, want %t", moved, moves)
	}
	if got := describe(after, at); got != want {
		t.Errorf("%s became %s, want %s", was, got, want)
	}
	if !moves && !bytes.Equal(encode(t, after), encoded) {
		t.Errorf("a move that was refused changed the block:\n%s", diff(snapshotOf(before), snapshotOf(after)))
	}
	if diff := diff(snapshotOf(before).without(at), snapshotOf(after).without(at)); diff != "" {
		t.Errorf("other numbers changed (-before +after):\n%s", diff)
	}
	if diff := diff(snapshotOf(after), snapshotOf(decode(t, encode(t, after)))); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	once := encode(t, after)
	if m.do(after, at) || !bytes.Equal(encode(t, after), once) {
		t.Errorf("the move made again changed the block: %s", describe(after, at))
	}
	if !bytes.Equal(encode(t, before), encoded) {
		t.Error("a move of the clone changed the block")
	}
}

func TestMovesChangeWhatTheySay(t *testing.T) {
	for kind, moves := range map[string]map[string]move{"loans": loanMoves(), "holds": holdMoves()} {
		for name, m := range moves {
			for where, prepare := range scenes() {
				t.Run(fmt.Sprintf("%s/%s/%s", kind, name, where), func(t *testing.T) {
					want, moves := m.want[where]
					checkMove(t, scene(t, prepare), m, want, moves)
				})
			}
		}
	}
}

func TestNumbersOutsideTheBlockDoNotMove(t *testing.T) {
	for _, moves := range []map[string]move{loanMoves(), holdMoves()} {
		for name, m := range moves {
			for _, number := range []int{-1, math.MinInt, allocator.BlockSize, math.MaxInt} {
				b := everything(t)
				before := encode(t, b)
				if name != "reclaim all B" && (m.do(b, number) || b.State(number) != Free || !bytes.Equal(encode(t, b), before)) {
					t.Errorf("%s moved %d to %v", name, number, b.State(number))
				}
			}
		}
	}
}

// The life of a number, as the package draws it.
func TestNumberLives(t *testing.T) {
	b := NewBlock(0)
	for i, step := range []struct {
		move func() bool
		want string
	}{
		{func() bool { return b.Lend(at, replicaA) }, "lent to A"},
		{func() bool { return b.Return(at, replicaA) }, "free"},
		{func() bool { return b.Lend(at, replicaA) }, "lent to A"},
		{func() bool { return b.Settle(at, replicaA) }, "used"},
		{func() bool { return b.Release(at, retained()) }, "held 1 for team/web until 1893456000"},
		{func() bool { return b.Keep(at, 1) }, "used"},
		{func() bool { return b.Release(at, Retention{}) }, "held 2 for nobody"},
		{func() bool { return b.Clear(at, 2) }, "free"},
	} {
		if moved, got := step.move(), describe(b, at); !moved || got != step.want {
			t.Errorf("step %d led to %s (changed: %t), want %s", i+1, got, moved, step.want)
		}
	}
	if !b.Empty() {
		t.Error("the block is not empty in the end")
	}
}

// Whatever ends a hold, nothing that was found before it ended can end the next.
func TestOldEvidenceClearsNoLaterHold(t *testing.T) {
	again := func(b *Block) bool { return b.Release(at, Retention{}) }
	for name, between := range map[string]func(b *Block) []bool{
		"kept": func(b *Block) []bool { return []bool{b.Keep(at, 1), again(b)} },
		"claimed and settled": func(b *Block) []bool {
			return []bool{b.Claim(at, 1, replicaA), b.Settle(at, replicaA), again(b)}
		},
		"claimed and reclaimed": func(b *Block) []bool { return []bool{b.Claim(at, 1, replicaA), b.Reclaim(at, replicaA)} },
		"claimed and returned":  func(b *Block) []bool { return []bool{b.Claim(at, 1, replicaA), b.Return(at, replicaA)} },
		"claimed, lost by all":  func(b *Block) []bool { return []bool{b.Claim(at, 1, replicaA), b.ReclaimAll(replicaA)} },
		"cleared and lent": func(b *Block) []bool {
			return []bool{b.Clear(at, 1), b.Lend(at, replicaB), b.Settle(at, replicaB), again(b)}
		},
		"cleared and adopted": func(b *Block) []bool { return []bool{b.Clear(at, 1), b.Adopt(at), again(b)} },
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBlock(0)
			must(t, b.Adopt(at), b.Release(at, retained()))
			must(t, between(b)...)
			for _, b := range []*Block{b, decode(t, encode(t, b))} {
				if b.State(at) != Held || b.Clear(at, 1) || b.Keep(at, 1) || b.Claim(at, 1, replicaA) {
					t.Errorf("with evidence of the first hold it became %s", describe(b, at))
				}
				must(t, b.Clear(at, 2))
			}
		})
	}
}

func TestNoTwoHoldsShareASerial(t *testing.T) {
	b := NewBlock(math.MaxUint32 - 1)
	seen := map[uint32]bool{}
	for number := range 4 {
		must(t, b.Adopt(number), b.Release(number, Retention{}))
		hold, _ := b.Hold(number)
		if seen[hold.Serial] {
			t.Errorf("serial %d is there twice", hold.Serial)
		}
		seen[hold.Serial] = true
		b = decode(t, encode(t, b))
	}
	if !seen[math.MaxUint32] || !seen[0] || !seen[1] {
		t.Errorf("serials %v do not go on after the largest", seen)
	}
}

func TestHoldsLastWholeSeconds(t *testing.T) {
	b := NewBlock(0)
	must(t, b.Adopt(at), b.Release(at, Retention{Until: later().Add(999 * time.Millisecond)}))
	before, _ := b.Hold(at)
	after, _ := decode(t, encode(t, b)).Hold(at)
	if !before.Until.Equal(later()) || !after.Until.Equal(later()) {
		t.Errorf("held until %v, decoded %v, want %v", before.Until, after.Until, later())
	}
}

func TestAllLoansOfAHolderAreReclaimed(t *testing.T) {
	b := everything(t)
	if !b.ReclaimAll(replicaA) {
		t.Error("reclaimed nothing")
	}
	for number, want := range map[int]string{
		5: "held 311 for nobody", 6: "held 312 for nobody", 600: "lent to B, kept for team-a/db until 1893456000",
		4095: "lent to B, A asks for nobody", 1: "used", 500: "held 301 for team-a/db until 1893456000",
	} {
		if got := describe(b, number); got != want {
			t.Errorf("%d is %s, want %s", number, got, want)
		}
	}
	once := encode(t, b)
	if b.ReclaimAll(replicaA) || b.ReclaimAll(replicaC) || b.ReclaimAll(0) || !bytes.Equal(encode(t, b), once) {
		t.Error("reclaimed what was not there")
	}
}

func TestRetentionDeniesAllButItsSubject(t *testing.T) {
	for name, test := range map[string]struct {
		kept *Retention
		want bool
	}{
		"none":        {nil, false},
		"for nobody":  {&Retention{Until: later()}, false},
		"for another": {&Retention{For: subject("team", "db")}, true},
		"for it":      {&Retention{For: subject("team", "web")}, false},
	} {
		if got := test.kept.Denies(subject("team", "web")); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
