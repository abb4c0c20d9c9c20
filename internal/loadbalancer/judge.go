// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"net/netip"
	"slices"
	"strings"
)

// Unmet is a need for which nothing was found.
type Unmet struct {
	Need
	Refusal
}

// Needed tells whether a Service to which an address of one family is enough, and that
// has one, still needs this one: it asks for it by name, or is to move there.
func (u Unmet) Needed() bool { return u.Named.IsValid() || len(u.InsteadOf) > 0 }

// Refusal is why there is no address.
type Refusal struct {
	// Reason is one of those of the condition.
	Reason string
	// Message is for people. It changes only with the reason for it.
	Message string
}

// Judge returns the condition servicenet.dev/AddressAllocated of a Service that has
// addresses and needs that are not met.
func Judge(r *Request, has []netip.Addr, unmet []Unmet) *Verdict {
	if len(has) > 0 {
		unmet = slices.DeleteFunc(slices.Clone(unmet), func(u Unmet) bool { return r.AnyFamily && !u.Needed() })
	}
	if len(unmet) == 0 {
		return &Verdict{True: true, Reason: Allocated, Message: "has " + list(has)}
	}
	worst := slices.MinFunc(unmet, func(a, b Unmet) int { return rank(a.Reason) - rank(b.Reason) })
	verdict := &Verdict{Reason: worst.Reason}
	if onlyRehomes(unmet) {
		verdict.True, verdict.Reason = true, Rehoming
	}
	var texts []string
	for i := range unmet {
		if text := unmet[i].text(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if len(has) > 0 {
		texts = append(texts, "it has "+list(has)+" meanwhile")
	}
	verdict.Message = strings.Join(texts, "; ")
	return verdict
}

// text says what is wrong, and with which address if there is more than one thing.
func (u Unmet) text() string {
	if u.Rehomes {
		return list(u.InsteadOf) + " is in no pool that serves this Service, and is replaced when one has another: " + u.Message
	}
	return u.Message
}

// onlyRehomes tells whether a Service has all that it asks for, if not from where its
// pools would like it to be.
func onlyRehomes(unmet []Unmet) bool {
	return !slices.ContainsFunc(unmet, func(u Unmet) bool { return !u.Rehomes })
}

// rank orders reasons: what the Service can mend first, then what waiting mends.
func rank(reason string) int {
	return slices.Index([]string{
		PoolNotFound, NotPermitted, AddressOutsidePools, SharingRefused, AddressInUse, NoPool, LimitReached, NoNodes, PoolExhausted,
	}, reason)
}

func list(of []netip.Addr) string {
	texts := make([]string, len(of))
	for i, address := range of {
		texts[i] = address.String()
	}
	return strings.Join(texts, ", ")
}
