// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"net/netip"

	"go4.org/netipx"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// writtenAddresses are those of a pool as they are written.
type writtenAddresses struct {
	// stretches are in the field of a spec, exclusions are out of them.
	field                 string
	stretches, exclusions []string
	// read reads a stretch, or returns what is wrong with it.
	read func(text string) (within netipx.IPRange, what string)
	// edges are excluded, too, without anybody's saying so.
	edges []netip.Addr
}

// addressBook is the addresses of a pool.
type addressBook struct {
	// whole is those of its stretches, numbers those that are not excluded.
	whole, excluded, numbers *netipx.IPSet
}

// readAddresses reads the addresses of a pool, and tells the review what is wrong
// with them. What can't be read is left out.
func readAddresses(w *writtenAddresses, r *Review) *addressBook {
	var whole netipx.IPSetBuilder
	var seen []netipx.IPRange
	for i, text := range w.stretches {
		path := pathSpec().Child(w.field).Index(i)
		within, what := w.read(text)
		if what != "" {
			r.refuse(field.Invalid(path, text, what))
			continue
		}
		for _, other := range seen {
			if other.Overlaps(within) {
				r.refuse(field.Invalid(path, text, fmt.Sprintf("overlaps %s of the same pool", textOf(other))))
			}
		}
		seen = append(seen, within)
		whole.AddRange(within)
	}
	book := &addressBook{whole: setOf(&whole)}
	book.readExclusions(w, r)
	return book
}

// readExclusions reads what a pool does not have.
func (b *addressBook) readExclusions(w *writtenAddresses, r *Review) {
	var excluded, numbers netipx.IPSetBuilder
	numbers.AddSet(b.whole)
	for i, text := range w.exclusions {
		path := pathSpec().Child("exclusions").Index(i)
		within, what := readRange(text)
		if what != "" {
			r.refuse(field.Invalid(path, text, what))
			continue
		}
		before := setOf(&excluded)
		excluded.AddRange(within)
		numbers.RemoveRange(within)
		switch {
		case !b.whole.OverlapsRange(within):
			r.refuse(field.Invalid(path, text, "the pool has none of these addresses"))
		case before.OverlapsRange(within):
			r.refuse(field.Invalid(path, text, "overlaps another exclusion"))
		case !b.whole.ContainsRange(within):
			r.warnf("%s: the pool has only some of these addresses", path)
		}
	}
	for _, edge := range w.edges {
		excluded.Add(edge)
		numbers.Remove(edge)
	}
	b.excluded, b.numbers = setOf(&excluded), setOf(&numbers)
}

// reviewReservations judges whom the addresses are reserved for.
func (b *addressBook) reviewReservations(list []servicenetv1alpha1.AddressReservation, r *Review) {
	seen := map[netip.Addr]bool{}
	for i := range list {
		families := map[bool]bool{}
		for j, text := range list[i].Addresses {
			path := pathReserved(i).Child("addresses").Index(j)
			address, what := readAddress(text)
			switch {
			case what != "":
				r.refuse(field.Invalid(path, text, what))
			case !b.whole.Contains(address):
				r.refuse(field.Invalid(path, text, "the pool does not have this address"))
			case b.excluded.Contains(address):
				r.refuse(field.Invalid(path, text, "the pool excludes this address"))
			case seen[address]:
				r.refuse(field.Duplicate(path, text))
			case families[address.Is4()]:
				r.refuse(field.Invalid(path, text, "a Service has one address of each family at most"))
			}
			seen[address], families[address.Is4()] = true, true
		}
	}
}

func pathReserved(i int) *field.Path { return pathSpec().Child("reservations").Index(i) }

// textOf returns addresses as a CIDR where they are one.
func textOf(within netipx.IPRange) string {
	if prefix, ok := within.Prefix(); ok {
		return prefix.String()
	}
	return within.String()
}
