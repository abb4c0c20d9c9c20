// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// reason is why a Service may not have a number.
type reason int

const (
	outsideServer reason = iota + 1
	edge
	reservedForOther
	excluded
	exclusive
	outsidePools
	reservedOutside
	nothingLeft
	// notYet is no fault: there will be numbers before long.
	notYet
)

// refusal is a reason with what a person needs to get on. It names nothing that
// belongs to others: neither their Services, nor pools that do not serve the
// Service in question.
type refusal[N number[N]] struct {
	why    reason
	number N
	// hint is the numbers that would be right.
	hint set[N]
	// pools are those that serve the Service and don't have the number.
	pools []string
	// served tells whether pools serve the Service.
	served bool
}

// nouns are the words for numbers of a kind.
type nouns struct {
	several string
	// home is what the server has them in.
	home string
}

// fault returns the refusal as a fault of a field.
func (r *refusal[N]) fault(path *field.Path, words nouns) *field.Error {
	switch r.why {
	case reservedOutside:
		return field.Forbidden(path, fmt.Sprintf("%v, which is reserved for this Service, is not in %s: %s",
			r.number, words.home, r.hint.or("none")))
	case nothingLeft:
		why := "the pools that serve this Service have no %s to choose in %s"
		if !r.served {
			why = "no pool serves this Service, and exclusive pools leave no %s to choose in %s"
		}
		return field.Forbidden(path, fmt.Sprintf(why, words.several, words.home))
	default:
		return field.Invalid(path, fmt.Sprint(r.number), r.text(words)+"; leave it out to get a free one")
	}
}

// text says what is wrong with the number that the Service names.
func (r *refusal[N]) text(words nouns) string {
	switch r.why {
	case outsideServer:
		return fmt.Sprintf("is not in %s: %s", words.home, r.hint.or("none"))
	case edge:
		return "is the network or the broadcast address of a ServiceCIDR, which nobody can have"
	case reservedForOther:
		return "is reserved for another Service"
	case excluded:
		return "is excluded, nobody can have it"
	case exclusive:
		return "belongs to a pool that does not serve this Service"
	default:
		return fmt.Sprintf("is in no pool that serves this Service (%s): they have %s", enumerate(r.pools), r.hint.or("none"))
	}
}

// or returns the numbers as text, or a word if there are none.
func (s set[N]) or(none string) string {
	if len(s) == 0 {
		return none
	}
	return s.String()
}
