// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/allocator"
)

// model is a block as anybody would write it, to compare a Block with: a record
// for each number that is not free.
type model struct {
	serial  uint32
	records map[int]record
}

type record struct {
	State   State
	Loan    Loan
	Hold    Hold
	Tenants []Tenant
}

func (m *model) state(number int) State { return m.records[number].State }

func (m *model) lent(number int, holder Holder) bool {
	return m.state(number) == Lent && m.records[number].Loan.Holder == holder
}

func (m *model) recalled(number int, holder Holder) bool {
	return m.lent(number, holder) && m.records[number].Loan.Recall != nil
}

func (m *model) held(number int, serial uint32) bool {
	return m.state(number) == Held && m.records[number].Hold.Serial == serial
}

func (m *model) set(number int, may bool, r record) bool {
	switch {
	case !may:
		return false
	case r.State == Free:
		delete(m.records, number)
	default:
		m.records[number] = r
	}
	return true
}

// lend puts a number on loan that is kept for somebody, or nobody.
func (m *model) lend(number int, may bool, to Holder, kept *Retention) bool {
	return m.set(number, may, record{State: Lent, Loan: Loan{Holder: to, Kept: kept}})
}

// giveUp holds a number on loan, for whom it was kept.
func (m *model) giveUp(number int, may bool) bool {
	then := Retention{}
	if kept := m.records[number].Loan.Kept; kept != nil {
		then = *kept
	}
	return m.hold(number, may, then)
}

func (m *model) hold(number int, may bool, then Retention) bool {
	if may {
		m.serial++
	}
	return m.set(number, may, record{State: Held, Hold: Hold{Serial: m.serial, Retention: then}})
}

func (m *model) reclaimAll(from Holder) (changed bool) {
	for _, number := range slices.Sorted(maps.Keys(m.records)) {
		changed = m.giveUp(number, m.lent(number, from)) || changed
	}
	return changed
}

// admit adds a tenant or gives it new terms, if nobody minds.
func (m *model) admit(number int, inside bool, t Tenant) bool {
	r := m.records[number]
	for _, other := range r.Tenants {
		if other.UID == t.UID && cmp.Equal(other, t) || other.UID != t.UID && !getAlong(t, other) {
			return false
		}
	}
	kept := r.State == Held && !r.Hold.For.Nobody() && r.Hold.For.digest != t.Service.digest
	tenants := slices.DeleteFunc(slices.Clone(r.Tenants), func(other Tenant) bool { return other.UID == t.UID })
	tenants = append(tenants, t)
	slices.SortFunc(tenants, func(a, b Tenant) int { return strings.Compare(string(a.UID), string(b.UID)) })
	return m.set(number, inside && r.State != Lent && !kept, record{State: Used, Tenants: tenants})
}

// getAlong tells whether two Services may share an address, as anybody would say it.
func getAlong(a, b Tenant) bool {
	for _, socket := range a.Sockets {
		if slices.Contains(b.Sockets, socket) {
			return false
		}
	}
	if a.Node || b.Node {
		return a.Node && b.Node
	}
	near := a.namespace == b.namespace || a.CrossNamespace && b.CrossNamespace
	return a.Key != SharingKey{} && a.Key == b.Key && a.Selector == b.Selector && near
}

func (m *model) evict(number int, uid types.UID, then Retention) bool {
	r := m.records[number]
	left := slices.DeleteFunc(slices.Clone(r.Tenants), func(t Tenant) bool { return t.UID == uid })
	switch {
	case len(left) == len(r.Tenants):
		return false
	case len(left) > 0:
		return m.set(number, true, record{State: Used, Tenants: left})
	case then.For.Nobody():
		return m.set(number, true, record{})
	default:
		return m.hold(number, true, then)
	}
}

func (m *model) expire(now time.Time) (changed bool) {
	for number, r := range m.records {
		if r.State == Held && !r.Hold.Until.After(now) {
			delete(m.records, number)
			changed = true
		}
	}
	return changed
}

func (m *model) snapshot() snapshot {
	s := snapshot{Serial: m.serial, Loans: map[int]Loan{}, Holds: map[int]Hold{}, Tenants: map[int][]Tenant{}}
	for _, number := range slices.Sorted(maps.Keys(m.records)) {
		switch r := m.records[number]; r.State {
		case Lent:
			s.Loans[number] = r.Loan
		case Held:
			s.Holds[number] = r.Hold
		default:
			s.Used = append(s.Used, number)
			if len(r.Tenants) > 0 {
				s.Tenants[number] = r.Tenants
			}
		}
	}
	return s
}

// chance is a move with all it may be given.
type chance struct {
	number int
	holder Holder
	whom   Subject
	then   Retention
	serial uint32
	tenant Tenant
	now    time.Time
}

// moveCount is how many kinds of moves step knows.
const moveCount = 16

// step makes a move on a block and on the model, and returns what each says.
func step(b *Block, m *model, kind int, c *chance) (got, want bool) {
	n, h := c.number, c.holder
	inside := n >= 0 && n < allocator.BlockSize
	switch kind {
	case 0:
		return b.Lend(n, h), m.lend(n, inside && m.state(n) == Free, h, nil)
	case 1:
		if m.records[n].Loan.Kept != nil {
			return b.Return(n, h), m.giveUp(n, m.lent(n, h))
		}
		return b.Return(n, h), m.set(n, m.lent(n, h), record{})
	case 2:
		return b.Settle(n, h), m.set(n, m.lent(n, h), record{State: Used})
	case 3:
		return b.Adopt(n), m.set(n, inside && m.state(n) == Free, record{State: Used})
	case 4:
		return b.Release(n, c.then), m.hold(n, m.state(n) == Used && len(m.records[n].Tenants) == 0, c.then)
	case 5:
		return b.Reclaim(n, h), m.giveUp(n, m.lent(n, h))
	case 6:
		return b.Clear(n, c.serial), m.set(n, m.held(n, c.serial), record{})
	case 7:
		return b.Keep(n, c.serial), m.set(n, m.held(n, c.serial), record{State: Used})
	case 8:
		var kept *Retention
		if then := m.records[n].Hold.Retention; then != (Retention{}) {
			kept = &then
		}
		return b.Claim(n, c.serial, h), m.lend(n, m.held(n, c.serial), h, kept)
	case 9:
		loan := m.records[n].Loan
		may := m.state(n) == Lent && loan.Holder != h && loan.Recall == nil
		loan.Recall = &Recall{By: h, For: c.whom}
		return b.Ask(n, h, c.whom), m.set(n, may, record{State: Lent, Loan: loan})
	case 10:
		to := Holder(0)
		if m.recalled(n, h) {
			to = m.records[n].Loan.Recall.By
		}
		return b.HandOver(n, h), m.lend(n, m.recalled(n, h), to, m.records[n].Loan.Kept)
	case 11:
		return b.Refuse(n, h), m.lend(n, m.recalled(n, h), h, m.records[n].Loan.Kept)
	case 12:
		return b.ReclaimAll(h), m.reclaimAll(h)
	case 13:
		changed, _ := b.Admit(n, c.tenant)
		return changed, m.admit(n, inside, c.tenant)
	case 14:
		return b.Evict(n, c.tenant.UID, c.then), m.evict(n, c.tenant.UID, c.then)
	default:
		return b.Expire(c.now), m.expire(c.now)
	}
}

// draw chooses what a move is given, most of the time so that it fits.
func draw(rng *rand.Rand, m *model, among []int) *chance {
	whom := []Subject{{}, subject("team", "web"), subject("team", "api"), subject("web", "team")}
	until := []time.Time{{}, later(), later().Add(time.Hour), time.Unix(0, 0)}
	c := &chance{
		number: among[rng.IntN(len(among))],
		holder: []Holder{0, replicaA, replicaB, replicaC}[rng.IntN(4)],
		whom:   whom[rng.IntN(4)],
		then:   Retention{Until: until[rng.IntN(4)], For: whom[rng.IntN(4)], Slot: []Slot{0, 7}[rng.IntN(2)]},
	}
	r := m.records[c.number]
	if rng.IntN(3) > 0 && r.State == Lent {
		c.holder = r.Loan.Holder
	}
	c.tenant, c.now = drawTenant(rng), until[rng.IntN(len(until))]
	c.serial = m.serial - rng.Uint32N(6)
	if rng.IntN(3) > 0 {
		c.serial = r.Hold.Serial
	}
	return c
}

// drawTenant chooses a Service and its terms, most of the time so that some get along.
func drawTenant(rng *rand.Rand) Tenant {
	terms := Terms{
		Key: SharingKeyOf([]string{"k", "k", "k", "l", ""}[rng.IntN(5)]), CrossNamespace: rng.IntN(2) == 0, Node: rng.IntN(8) == 0,
		Selector: []Digest{{}, {}, {}, DigestOf("x")}[rng.IntN(4)],
	}
	for range rng.IntN(3) {
		terms.Sockets = append(terms.Sockets, SocketOf(protocols()[rng.IntN(3)], rng.Int32N(9)+1))
	}
	t := NewTenant(service([]string{"team", "web"}[rng.IntN(2)], []string{"web", "api", "team"}[rng.IntN(3)]), terms)
	if rng.IntN(2) == 0 {
		t.UID = types.UID(fmt.Sprintf("01234567-89ab-cdef-0123-%012x", rng.IntN(9)))
	}
	return t
}

// numbersOf returns the numbers that a history is about, one outside on either side.
func numbersOf(rng *rand.Rand) []int {
	all := rng.Perm(allocator.BlockSize)[:[]int{3, 50, allocator.BlockSize}[rng.IntN(3)]]
	return append(all, -1, allocator.BlockSize)
}

// kindsOf returns the moves of a history: leaving some out leads to states that
// all of them together would hardly reach.
func kindsOf(rng *rand.Rand) []int {
	kinds := rng.Perm(moveCount)[:4+rng.IntN(moveCount-3)]
	return append(kinds, 0, 3)
}

// compare checks all that a block tells against the model.
func (m *model) compare(b *Block) string {
	want := m.snapshot()
	if diff := diff(want, snapshotOf(b)); diff != "" {
		return diff
	}
	used, lent, held := b.Count()
	if used != len(want.Used) || lent != len(want.Loans) || held != len(want.Holds) || b.Empty() != (len(m.records) == 0) {
		return fmt.Sprintf("%d used, %d lent, %d held, empty %t", used, lent, held, b.Empty())
	}
	if diff := diff(slices.Sorted(maps.Keys(m.records)), slices.Collect(b.Taken().Numbers())); diff != "" {
		return "taken " + diff
	}
	for _, holder := range []Holder{0, replicaA, replicaB, replicaC} {
		of := maps.Clone(want.Loans)
		maps.DeleteFunc(of, func(_ int, loan Loan) bool { return loan.Holder != holder })
		if diff := diff(of, maps.Collect(b.LentTo(holder))); diff != "" {
			return fmt.Sprintf("lent to %v %s", holder, diff)
		}
		if !slices.IsSorted(numbers(b.LentTo(holder))) {
			return "loans out of order"
		}
	}
	if !slices.IsSorted(numbers(b.Loans())) || !slices.IsSorted(numbers(b.Holds())) {
		return "loans or holds out of order"
	}
	return ""
}

// compareNumber checks what a block tells of one number.
func (m *model) compareNumber(b *Block, number int) string {
	r := m.records[number]
	loan, lent := b.Loan(number)
	hold, held := b.Hold(number)
	if b.State(number) != r.State || lent != (r.State == Lent) || held != (r.State == Held) {
		return fmt.Sprintf("is %v, lent %t, held %t, want %v", b.State(number), lent, held, r.State)
	}
	return diff(r, record{State: r.State, Loan: loan, Hold: hold, Tenants: b.Tenants(number)})
}

func TestBlockAgreesWithModel(t *testing.T) {
	t.Parallel()
	const histories, steps = 48, 2500
	for seed := range uint64(histories) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 0))
			b, m := NewBlock(uint32(seed)*100), &model{serial: uint32(seed) * 100, records: map[int]record{}} //nolint:gosec // small
			among, kinds := numbersOf(rng), kindsOf(rng)
			for i := range steps {
				kind, c := kinds[rng.IntN(len(kinds))], draw(rng, m, among)
				if got, want := step(b, m, kind, c); got != want {
					t.Fatalf("step %d: move %d of %+v: changed %t, want %t", i, kind, c, got, want)
				}
				if diff := m.compareNumber(b, c.number); diff != "" {
					t.Fatalf("step %d: move %d: number %d (-want +got): %s", i, kind, c.number, diff)
				}
				if i%200 == 0 || i == steps-1 {
					b = again(t, b)
					if diff := m.compare(b); diff != "" {
						t.Fatalf("step %d: (-want +got): %s", i, diff)
					}
				}
			}
		})
	}
}

// again returns what is read of a block that was written, which must be the same
// when it is written once more.
func again(t *testing.T, b *Block) *Block {
	t.Helper()
	data := encode(t, b)
	back := decode(t, data)
	if diff := diff(snapshotOf(b), snapshotOf(back)); diff != "" {
		t.Fatalf("decoded (-want +got):\n%s", diff)
	}
	if !bytes.Equal(encode(t, back), data) {
		t.Fatal("what was decoded is encoded in another way")
	}
	return back
}
