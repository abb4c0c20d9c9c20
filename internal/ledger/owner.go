// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Owner is the Service a number is for.
type Owner struct {
	types.NamespacedName
	// UID is empty while the Service does not exist yet.
	UID types.UID
}

// Same tells whether two owners may be the same Service: it has one name, and
// not two UIDs. An owner without a name, as of a Service whose name is yet to be
// generated, is the same as none.
func (o Owner) Same(other Owner) bool {
	return o.Name != "" && o.NamespacedName == other.NamespacedName &&
		(o.UID == "" || other.UID == "" || o.UID == other.UID)
}

// Applicant returns for whom an owner asks other replicas for a number. A Service whose
// name is yet to be generated asks as any such Service of its namespace: who names a
// number that was given to one of them is most likely the same request, seen again.
func (o Owner) Applicant() Subject {
	if o.Name == "" && o.Namespace != "" {
		return Subject{digest: digestOf(o.NamespacedName)} // no Service has this name
	}
	return SubjectOf(o.NamespacedName)
}

// Subject says for whom a number is held, by name: the namespace and name of a
// Service. The zero Subject is nobody.
type Subject struct {
	digest Digest
	// name is for people. It is empty where the record had no room for it.
	name types.NamespacedName
}

// Digest stands for the name of a Service. Its 96 bits are too many to find
// another name for.
type Digest [12]byte

// SubjectOf returns the subject that a Service of this name is.
func SubjectOf(name types.NamespacedName) Subject {
	if name.Name == "" {
		return Subject{}
	}
	return Subject{digest: digestOf(name), name: name}
}

// digestOf returns the digest of a name. A namespace has no slash.
func digestOf(name types.NamespacedName) Digest {
	sum := sha256.Sum256([]byte(name.Namespace + "/" + name.Name))
	return Digest(sum[:])
}

// Digest is the same for subjects that are the same Service.
func (s Subject) Digest() Digest { return s.digest }

// Nobody tells whether the subject is none.
func (s Subject) Nobody() bool { return s.digest == Digest{} }

// Name returns the name, which is empty where the record had no room for it.
func (s Subject) Name() types.NamespacedName { return s.name }

// String returns the name, or what is left of it.
func (s Subject) String() string {
	switch {
	case s.Nobody():
		return "nobody"
	case s.name.Name == "":
		return fmt.Sprintf("%x", s.digest)
	default:
		return s.name.String()
	}
}

// Holder is a replica of the manager that has numbers on loan. It is chosen by
// chance when a replica starts, and names its Lease.
type Holder uint64

func (h Holder) String() string { return fmt.Sprintf("%016x", uint64(h)) }

// ParseHolder returns the holder that String wrote. Anything else is an error, so
// that no two texts are one holder.
func ParseHolder(text string) (Holder, error) {
	number, err := strconv.ParseUint(text, 16, 64)
	if holder := Holder(number); err == nil && holder.String() == text {
		return holder, nil
	}
	return 0, fmt.Errorf("%q names no holder", text)
}

// Loan is what is known of a number that a replica has on loan.
type Loan struct {
	Holder Holder
	// Recall asks the holder for the number, if anybody does.
	Recall *Recall
	// Kept is for whom the number was held before, if it was: unless a Service is
	// seen with it, it is held again when the loan ends.
	Kept *Retention
}

// Retention says for whom a number is kept whose Service is gone, and until when,
// in whole seconds.
type Retention struct {
	Until time.Time
	For   Subject
	// Slot says which of the Service's numbers it was. 0 if it had but one.
	Slot Slot
}

// Slot tells apart the numbers that a Service has of one family, such as its ports.
type Slot uint16

// SlotOf returns the slot of this name. Nothing but the order in which a Service
// gets its own numbers back depends on it that two names may have the same one.
func SlotOf(name string) Slot {
	if name == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(name))
	return Slot(binary.BigEndian.Uint16(sum[:]))
}

// Recall is another replica's request for a number on loan. The holder answers
// by handing the number over, or by removing the request.
type Recall struct {
	By Holder
	// For is the Applicant that the number is wanted for. The holder hands over a
	// number that it gave to the same one, as when a request is repeated at another
	// replica. It is nobody where any number would do.
	For Subject
}

// Denies tells whether a number is kept for somebody else than a subject.
func (r *Retention) Denies(whom Subject) bool {
	return r != nil && !r.For.Nobody() && r.For.digest != whom.digest
}

// Hold is what is known of a number that no Service has any more and that is not
// free yet.
type Hold struct {
	// Serial tells this hold from earlier ones of the same number.
	Serial uint32
	// Retention says until when the number is kept, and for whom. Zero if it
	// becomes free as soon as it is certain that nothing uses it.
	Retention
}
