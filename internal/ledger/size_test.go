// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// maxObject is what an object of a block may have, in bytes of JSON.
const maxObject = 256 << 10

// longest returns the name of a Service that is as long as a name may be, as is
// that of its namespace.
func longest(number int) types.NamespacedName {
	return named(number, 63)
}

func named(number, length int) types.NamespacedName {
	pad := func(text string) string { return text + strings.Repeat("x", max(0, length-len(text))) }
	return types.NamespacedName{Namespace: pad(fmt.Sprintf("n%d", number)), Name: pad(fmt.Sprintf("s%d", number))}
}

// fullOfLoans returns a block of which each number is on loan to another holder,
// kept for a Service of the longest name, and asked for.
func fullOfLoans(tb testing.TB, count int) *Block {
	tb.Helper()
	b := NewBlock(math.MaxUint32)
	for number := range count {
		lendTo(tb, b, number)
	}
	return b
}

func lendTo(tb testing.TB, b *Block, number int) {
	tb.Helper()
	to, whom := replicaC-Holder(number), SubjectOf(longest(number)) //nolint:gosec // never negative
	must(tb, b.Adopt(number), b.Release(number, Retention{Until: later(), For: whom, Slot: math.MaxUint16}), b.Claim(number, b.serial, to), b.Ask(number, to-1, whom))
}

// fullOfHolds returns a block of which each number is held for a while, for
// Services of the longest names.
func fullOfHolds(tb testing.TB, count int) *Block {
	tb.Helper()
	b := NewBlock(math.MaxUint32 / 2)
	for number := range count {
		holdFor(tb, b, number, longest(number))
	}
	return b
}

func holdFor(tb testing.TB, b *Block, number int, name types.NamespacedName) {
	tb.Helper()
	must(tb, b.Adopt(number), b.Release(number, Retention{Until: time.Unix(math.MinInt64, 0), For: SubjectOf(name), Slot: math.MaxUint16}))
}

// object returns the JSON of the object that a block is stored in.
func object(t *testing.T, data []byte) []byte {
	t.Helper()
	key := Address(servicenetv1alpha1.LoadBalancerIPv6, netip.MustParseAddr("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")).Key
	fields := `{"f:data":{},"f:family":{},"f:first":{},"f:summary":{".":{},"f:held":{},"f:lent":{},"f:used":{}}}`
	stamp := metav1.NewTime(later())
	var managed []metav1.ManagedFieldsEntry
	// As many as no block should ever meet: every write, by whatever name, is
	// one of the manager's.
	for i := range 8 {
		managed = append(managed, metav1.ManagedFieldsEntry{
			Manager: fmt.Sprintf("servicenet-manager-of-an-earlier-release-%d", i), Operation: metav1.ManagedFieldsOperationUpdate,
			APIVersion: servicenetv1alpha1.GroupVersion.String(), Time: &stamp,
			FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
		})
	}
	text, err := json.Marshal(&servicenetv1alpha1.AllocationBlock{
		TypeMeta: metav1.TypeMeta{Kind: "AllocationBlock", APIVersion: servicenetv1alpha1.GroupVersion.String()},
		ObjectMeta: metav1.ObjectMeta{
			Name: key.String(), UID: "01234567-89ab-cdef-0123-456789abcdef", ResourceVersion: "18446744073709551615",
			Generation: math.MaxInt64, CreationTimestamp: stamp, ManagedFields: managed,
		},
		Family: key.Family, First: key.First(), Data: data,
		Summary: servicenetv1alpha1.AllocationSummary{Used: allocator.BlockSize, Lent: allocator.BlockSize, Held: allocator.BlockSize},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// crowded returns a block of whose room a newer release has taken most.
func crowded(t *testing.T) *Block {
	t.Helper()
	b := fullOfHolds(t, 1000)
	b.unknown = []section{{6, make([]byte, MaxEncoded-40_000)}}
	return b
}

// mixed returns a block in a state that chance made: of each number whether it
// is lent or held, and names from the shortest to the longest.
func mixed(t *testing.T, rng *rand.Rand) *Block {
	t.Helper()
	b := NewBlock(math.MaxUint32 / 2)
	lent, length := rng.IntN(101), 1+rng.IntN(63)
	for number := range allocator.BlockSize {
		switch {
		case rng.IntN(100) < lent:
			lendTo(t, b, number)
		default:
			holdFor(t, b, number, named(number, length))
		}
	}
	return b
}

func TestLargestBlocksFitIntoAnObject(t *testing.T) {
	blocks := map[string]*Block{
		"each lent to another, kept, recalled": fullOfLoans(t, allocator.BlockSize),
		"each held, with the longest names":    fullOfHolds(t, allocator.BlockSize),
		"beside what a newer release knows":    crowded(t),
		"each with a tenant":                   fullOfTenants(t, 1),
		"each with a tenant of a namespace":    distinct(t, nil),
		"each with a tenant that is local":     fullOfTenantsWith(t, local("x")),
	}
	for seed := range uint64(8) {
		blocks[fmt.Sprintf("mix %d", seed)] = mixed(t, rand.New(rand.NewPCG(seed, 0)))
	}
	for name, b := range blocks {
		t.Run(name, func(t *testing.T) {
			data := encode(t, b)
			size := len(object(t, data))
			t.Logf("%d bytes, %d as an object", len(data), size)
			if len(data) > MaxEncoded || size > maxObject {
				t.Errorf("%d bytes, %d as an object, more than %d or %d", len(data), size, MaxEncoded, maxObject)
			}
			if diff := diff(snapshotOf(b), snapshotOf(decode(t, data))); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
}

// distinct returns a block of which each number has a tenant, all with namespaces of
// their own that have the longest names, as have they.
func distinct(tb testing.TB, adjust func(*Terms, int)) *Block {
	tb.Helper()
	b := NewBlock(math.MaxUint32)
	for i := range allocator.BlockSize {
		terms := Terms{Sockets: []Socket{udp(65535)}}
		if adjust != nil {
			adjust(&terms, i)
		}
		t := NewTenant(Owner{NamespacedName: longest(i), UID: tenantNumbered(i).UID}, terms)
		if _, err := b.Admit(i, t); err != nil {
			if adjust == nil || !errors.Is(err, ErrNoRoom) {
				tb.Fatalf("tenant %d: %v", i, err)
			}
			return b
		}
	}
	return b
}

func fullOfTenantsWith(tb testing.TB, adjust ...func(*Terms)) *Block {
	tb.Helper()
	b := NewBlock(1)
	for i := range 3000 {
		admit(tb, b, i, tenantNumbered(i, adjust...))
	}
	return b
}

// shared returns a block with an address that as many share as there is room for.
func shared(tb testing.TB) *Block {
	tb.Helper()
	b := NewBlock(1)
	for i := range 6000 {
		var ports []Socket
		for port := range int32(10) {
			ports = append(ports, tcp(6000*port+int32(i)))
		}
		t := tenantNumbered(i, anywhere, onPorts(ports...))
		if _, err := b.Admit(7, t); errors.Is(err, ErrNoRoom) {
			return b
		} else if err != nil {
			tb.Fatal(err)
		}
	}
	tb.Fatal("there is room for any number of tenants")
	return nil
}

func TestTenantsThatDoNotFitAreRefused(t *testing.T) {
	keys := distinct(t, func(terms *Terms, i int) { terms.Key = SharingKeyOf(strconv.Itoa(i)) })
	ports := distinct(t, func(terms *Terms, _ int) {
		terms.Sockets = nil
		for port := range 100 {
			terms.Sockets = append(terms.Sockets, udp(int32(2*port+1)))
		}
	})
	for name, test := range map[string]struct {
		b     *Block
		least int
	}{"keys of their own": {keys, 3500}, "100 ports each": {ports, 1200}, "one address": {shared(t), 2500}} {
		t.Run(name, func(t *testing.T) {
			count := 0
			for range test.b.AllTenants() {
				count++
			}
			data := encode(t, test.b)
			t.Logf("%d tenants, %d bytes", count, len(data))
			if count < test.least || len(data) > MaxEncoded {
				t.Errorf("%d tenants, %d bytes", count, len(data))
			}
			// What has room once has room for what comes of it.
			b := test.b.Clone()
			for number, tenants := range tenantsOf(test.b) {
				for _, tenant := range slices.Backward(tenants) {
					must(t, b.Evict(number, tenant.UID, Retention{Until: later(), For: SubjectOf(longest(number))}))
				}
			}
			encode(t, b)
			last := test.b.Clone()
			for number, tenant := range test.b.AllTenants() {
				must(t, last.Evict(number, tenant.UID, Retention{}))
				admit(t, last, number, tenant)
				return
			}
		})
	}
}

func TestWhateverIsEncodedFitsIntoAnObject(t *testing.T) {
	if size := len(object(t, make([]byte, MaxEncoded))); size > maxObject {
		t.Errorf("an object of %d bytes, more than %d", size, maxObject)
	}
}

func TestNamesThatDoNotFitMatchByDigest(t *testing.T) {
	b := decode(t, encode(t, fullOfHolds(t, allocator.BlockSize)))
	for number, hold := range b.Holds() {
		name := longest(number)
		if hold.For.Digest() != SubjectOf(name).Digest() || hold.For.Nobody() {
			t.Errorf("%d is held for %v, want %v", number, hold.For, name)
		}
		// 126 bytes each: with digests for the others, 492 names fit.
		if kept := hold.For.String() == name.String(); kept != (number < 492) {
			t.Errorf("the name of %d is kept: %t", number, kept)
		}
	}
	again := encode(t, b)
	if diff := diff(snapshotOf(b), snapshotOf(decode(t, again))); diff != "" {
		t.Errorf("decoded again (-want +got):\n%s", diff)
	}
}

// heldFor returns a block with numbers that are held, in their order.
func heldFor(t *testing.T, whom ...Subject) *Block {
	t.Helper()
	b := NewBlock(0)
	for number, whom := range whom {
		must(t, b.Adopt(number), b.Release(number, Retention{For: whom}))
	}
	return b
}

func TestNamesAreKeptAsLongAsTheyFit(t *testing.T) {
	long := func(length int) Subject { return subject("n", strings.Repeat("x", length)) }
	other := SubjectOf(named(1, 20))
	// The room that names have besides the rest, once not all of them fit.
	room := MaxEncoded - len(encode(t, heldFor(t, digestOnly(other), digestOnly(other)))) - len("n") - 2
	// The longest name with which all fit.
	all := 100_000 + MaxEncoded - len(encode(t, heldFor(t, long(100_000), other)))
	for name, test := range map[string]struct {
		length      int
		long, other bool
	}{
		"all fit":                    {all, true, true},
		"one byte too many":          {all + 1, true, false},
		"the first has all room":     {room, true, false},
		"the first is just too long": {room + 1, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			whom := long(test.length)
			data := encode(t, heldFor(t, whom, other))
			b := decode(t, data)
			first, _ := b.Hold(0)
			second, _ := b.Hold(1)
			if first.For.Digest() != whom.Digest() || second.For.Digest() != other.Digest() {
				t.Errorf("held for %.40v and %v", first.For, second.For)
			}
			if (first.For == whom) != test.long || (second.For == other) != test.other {
				t.Errorf("names of %d bytes became %.40v and %v", test.length, first.For, second.For)
			}
			if (len(data) == MaxEncoded) != (name == "all fit") {
				t.Errorf("%d bytes", len(data))
			}
		})
	}
}
