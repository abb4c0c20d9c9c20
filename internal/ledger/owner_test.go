// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"math"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func owner(namespace, name string, uid types.UID) Owner {
	return Owner{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}, UID: uid}
}

func TestOwnersAreTheSameByNameAndUID(t *testing.T) {
	for name, test := range map[string]struct {
		a, b Owner
		want bool
	}{
		"one Service":                   {owner("team", "web", "1"), owner("team", "web", "1"), true},
		"not there yet":                 {owner("team", "web", ""), owner("team", "web", ""), true},
		"one is not there yet":          {owner("team", "web", ""), owner("team", "web", "1"), true},
		"made anew":                     {owner("team", "web", "1"), owner("team", "web", "2"), false},
		"another name":                  {owner("team", "web", "1"), owner("team", "api", "1"), false},
		"another name, not there yet":   {owner("team", "web", ""), owner("team", "api", ""), false},
		"another namespace":             {owner("team", "web", ""), owner("other", "web", ""), false},
		"both yet to be named":          {owner("team", "", ""), owner("team", "", ""), false},
		"both yet to be named, one UID": {owner("team", "", "1"), owner("team", "", "1"), false},
		"one yet to be named":           {owner("team", "", ""), owner("team", "web", ""), false},
		"none":                          {Owner{}, Owner{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if ab, ba := test.a.Same(test.b), test.b.Same(test.a); ab != test.want || ba != test.want {
				t.Errorf("the same: %t, and the other way round %t, want %t", ab, ba, test.want)
			}
		})
	}
}

func TestSubjectsAreWhoTheyAre(t *testing.T) {
	digests := map[Digest]string{}
	for _, s := range []Subject{
		subject("team", "web"), subject("team", "api"), subject("web", "team"), subject("teamw", "eb"), subject("", "teamweb"),
		subject("team", "w"), subject("te", "amweb"), {},
	} {
		if other, twice := digests[s.Digest()]; twice {
			t.Errorf("%v is %s", s, other)
		}
		digests[s.Digest()] = s.String()
	}
	web := subject("team", "web")
	if subject("team", "web") != web || digestOnly(web).Digest() != web.Digest() {
		t.Error("one Service is two subjects")
	}
	// What is stored must stay what it is: the first 12 bytes of SHA-256 of team/web.
	if got := fmt.Sprintf("%x", web.Digest()); got != "a5cb1ff62f8ed32c81ba8c07" {
		t.Errorf("digest %s", got)
	}
}

func TestServicesYetToBeNamedApplyByTheirNamespace(t *testing.T) {
	nameless := owner("team", "", "").Applicant()
	if nameless.Nobody() || nameless != owner("team", "", "").Applicant() {
		t.Errorf("%v is not one applicant", nameless)
	}
	for _, other := range []Owner{owner("other", "", ""), owner("team", "web", ""), {}} {
		if other.Applicant().Digest() == nameless.Digest() {
			t.Errorf("%v applies as %v", other, nameless)
		}
	}
	if web := owner("team", "web", "1").Applicant(); web != subject("team", "web") {
		t.Errorf("a Service applies as %v", web)
	}
	if nobody := (Owner{}).Applicant(); !nobody.Nobody() {
		t.Errorf("nobody applies as %v", nobody)
	}
}

func TestSubjectIsWrittenAsItIsKnown(t *testing.T) {
	web := subject("team", "web")
	for want, s := range map[string]Subject{
		"team/web": web, fmt.Sprintf("%x", web.Digest()): digestOnly(web), "nobody": {},
	} {
		if s.String() != want || s.Nobody() != (want == "nobody") {
			t.Errorf("%s, nobody %t, want %s", s, s.Nobody(), want)
		}
	}
	if s := subject("team", ""); s != (Subject{}) || !s.Nobody() {
		t.Errorf("a Service yet to be named is %v", s)
	}
}

func TestHolderIsReadAsItIsWritten(t *testing.T) {
	for holder, want := range map[Holder]string{
		0: "0000000000000000", 1: "0000000000000001", replicaA: "0123456789abcdef", math.MaxUint64: "ffffffffffffffff",
	} {
		if holder.String() != want {
			t.Errorf("holder %d is %s, want %s", uint64(holder), holder, want)
		}
		if got, err := ParseHolder(want); got != holder || err != nil {
			t.Errorf("%s is holder %v, error %v", want, got, err)
		}
	}
	for _, text := range []string{
		"", "1", "0x00000000000001", "000000000000001", "00000000000000001", "0123456789ABCDEF", "0123456789abcdeg",
		"10000000000000000", "+000000000000001", "-000000000000001", " 000000000000001", "0000_0000_0000_01",
	} {
		if got, err := ParseHolder(text); got != 0 || err == nil {
			t.Errorf("%q is holder %v", text, got)
		}
	}
}
