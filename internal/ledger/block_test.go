// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/allocator"
)

// Three replicas, of which none is the zero Holder.
const (
	replicaA Holder = 0x0123456789abcdef
	replicaB Holder = 0xb
	replicaC Holder = 0xffffffffffffffff
)

// later is a time in whole seconds, as holds have it.
func later() time.Time { return time.Unix(1893456000, 0) }

func subject(namespace, name string) Subject {
	return SubjectOf(types.NamespacedName{Namespace: namespace, Name: name})
}

// digestOnly is what is left of a subject where there was no room for its name.
func digestOnly(whom Subject) Subject { return Subject{digest: whom.digest} }

// must fails the test where a move that prepares it was refused.
func must(tb testing.TB, moved ...bool) {
	tb.Helper()
	if slices.Contains(moved, false) {
		tb.Fatalf("a move that the test builds on was refused: %v", moved)
	}
}

func encode(tb testing.TB, b *Block) []byte {
	tb.Helper()
	data, err := b.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func decode(tb testing.TB, data []byte) *Block {
	tb.Helper()
	b, err := Decode(data)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// snapshot is all that is known of a block, as plain values.
type snapshot struct {
	Serial  uint32
	Used    []int
	Loans   map[int]Loan
	Holds   map[int]Hold
	Tenants map[int][]Tenant
	Unknown []section
}

func snapshotOf(b *Block) snapshot {
	return snapshot{
		Serial: b.serial, Used: slices.Collect(b.Used().Numbers()),
		Loans: maps.Collect(b.Loans()), Holds: maps.Collect(b.Holds()), Tenants: tenantsOf(b), Unknown: b.unknown,
	}
}

func tenantsOf(b *Block) map[int][]Tenant {
	tenants := map[int][]Tenant{}
	for number, t := range b.AllTenants() {
		tenants[number] = append(tenants[number], t)
	}
	return tenants
}

// without returns a snapshot that says nothing of a number.
func (s snapshot) without(number int) snapshot {
	s.Serial = 0
	s.Used = slices.DeleteFunc(s.Used, func(used int) bool { return used == number })
	delete(s.Loans, number)
	delete(s.Holds, number)
	delete(s.Tenants, number)
	return s
}

// diff compares what tests know of blocks, subjects by who they are.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return "" // as nearly always in models, and much faster to tell
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(section{}), cmp.Comparer(func(a, b Subject) bool {
		return a.Digest() == b.Digest()
	}))
}

// everything returns a block that has numbers in each state, in each way that
// the encoding tells apart. It is what testdata/v1.bin holds.
func everything(tb testing.TB) *Block {
	tb.Helper()
	b := NewBlock(300)
	for _, number := range []int{1, 2, 3, 1000} {
		must(tb, b.Adopt(number))
	}
	must(tb, b.Lend(5, replicaA), b.Lend(6, replicaA), b.Ask(6, replicaB, subject("team-a", "web")))
	must(tb, b.Lend(4095, replicaB), b.Ask(4095, replicaA, Subject{}))
	for number, then := range []Retention{
		{Until: later(), For: subject("team-a", "db")},
		{},
		{Until: later().Add(time.Hour), For: digestOnly(subject("team-b", "cache"))},
		{Until: later()},
		{For: subject("team-b", "queue")},
		{For: digestOnly(subject("team-c", "api"))},
		{Until: time.Unix(-1, 0)},
		{Until: later(), For: subject("team-a", "db"), Slot: SlotOf("http")},
	} {
		must(tb, b.Adopt(number+500), b.Release(number+500, then))
	}
	claim(tb, b, 600, Retention{Until: later(), For: subject("team-a", "db")})
	claim(tb, b, 601, Retention{Until: time.Time{}, For: digestOnly(subject("team-c", "api"))})
	must(tb, b.Ask(601, replicaC, subject("team-a", "web")))
	return b
}

// claim puts a number on loan that is kept for a Service.
func claim(tb testing.TB, b *Block, number int, then Retention) {
	tb.Helper()
	must(tb, b.Adopt(number), b.Release(number, then), b.Claim(number, b.serial, replicaB))
}

func TestNewBlockIsFree(t *testing.T) {
	b := NewBlock(7)
	if used, lent, held := b.Count(); used+lent+held != 0 || !b.Empty() || b.Taken().Size() != allocator.BlockSize {
		t.Errorf("%d used, %d lent, %d held of %d", used, lent, held, b.Taken().Size())
	}
	for _, number := range []int{-1, 0, allocator.BlockSize - 1, allocator.BlockSize} {
		if state := b.State(number); state != Free {
			t.Errorf("%d is %v", number, state)
		}
	}
}

func TestBlockTellsItsNumbers(t *testing.T) {
	b := everything(t)
	if used, lent, held := b.Count(); used != 4 || lent != 5 || held != 8 {
		t.Errorf("%d used, %d lent, %d held, want 4, 5, 8", used, lent, held)
	}
	for name, test := range map[string]struct{ got, want []int }{
		"taken": {
			slices.Collect(b.Taken().Numbers()),
			[]int{1, 2, 3, 5, 6, 500, 501, 502, 503, 504, 505, 506, 507, 600, 601, 1000, 4095},
		},
		"used":      {slices.Collect(b.Used().Numbers()), []int{1, 2, 3, 1000}},
		"lent":      {numbers(b.Loans()), []int{5, 6, 600, 601, 4095}},
		"held":      {numbers(b.Holds()), []int{500, 501, 502, 503, 504, 505, 506, 507}},
		"lent to A": {numbers(b.LentTo(replicaA)), []int{5, 6}},
		"lent to B": {numbers(b.LentTo(replicaB)), []int{600, 601, 4095}},
		"lent to C": {numbers(b.LentTo(replicaC)), nil},
		"lent to 0": {numbers(b.LentTo(0)), nil},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("numbers %s (-want +got):\n%s", name, diff)
		}
	}
	for number, want := range map[int]string{4: "free", 5: "lent", 1: "used", 506: "held"} {
		_, lent := b.Loan(number)
		_, held := b.Hold(number)
		if got := b.State(number).String(); got != want || lent != (want == "lent") || held != (want == "held") {
			t.Errorf("%d is %s, lent %t, held %t, want %s", number, got, lent, held, want)
		}
	}
	if b.Empty() {
		t.Error("a block with numbers taken is empty")
	}
}

// numbers returns the numbers of records in the order they come.
func numbers[V any](records func(yield func(int, V) bool)) []int {
	var all []int
	for number := range records {
		all = append(all, number)
	}
	return all
}

func TestIterationMayEnd(t *testing.T) {
	b := everything(t)
	for name, first := range map[string]func() int{
		"loans":     func() int { return firstOf(b.Loans()) },
		"loans of":  func() int { return firstOf(b.LentTo(replicaA)) },
		"the holds": func() int { return firstOf(b.Holds()) - 495 },
	} {
		if got := first(); got != 5 {
			t.Errorf("%s begin with %d, want 5", name, got)
		}
	}
}

func firstOf[V any](records func(yield func(int, V) bool)) int {
	for number := range records {
		return number
	}
	return -1
}

func TestCloneGoesItsOwnWay(t *testing.T) {
	for name, change := range map[string]func(b *Block) bool{
		"lend":    func(b *Block) bool { return b.Lend(4, replicaA) },
		"settle":  func(b *Block) bool { return b.Settle(5, replicaA) },
		"refuse":  func(b *Block) bool { return b.Refuse(6, replicaA) },
		"release": func(b *Block) bool { return b.Release(1, Retention{Until: later()}) },
		"adopt":   func(b *Block) bool { return b.Adopt(4) },
	} {
		t.Run(name, func(t *testing.T) {
			b := everything(t)
			before := snapshotOf(b)
			clone := b.Clone()
			if diff := diff(before, snapshotOf(clone)); diff != "" {
				t.Errorf("clone (-want +got):\n%s", diff)
			}
			must(t, change(clone))
			if diff := diff(before, snapshotOf(b)); diff != "" {
				t.Errorf("changed with its clone (-want +got):\n%s", diff)
			}
			other := b.Clone()
			must(t, change(b))
			if diff := diff(before, snapshotOf(other)); diff != "" {
				t.Errorf("clone changed with the block (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsedIsACopy(t *testing.T) {
	b := everything(t)
	b.Used().Take(77)
	if b.State(77) != Free {
		t.Error("a change of what Used returned changed the block")
	}
}
