// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
	"servicenet.dev/servicenet/internal/ledger"
)

// noon is the time of most tests. Services are an hour old then.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// place returns a number as tests write it: an address, one of a load balancer after
// "lb:", or a port after a colon.
func place(t *testing.T, text string) ledger.Place {
	t.Helper()
	v4, v6 := servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6
	if port, is := strings.CutPrefix(text, ":"); is {
		number, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		return ledger.Port(number)
	}
	if address, is := strings.CutPrefix(text, "lb:"); is {
		text, v4, v6 = address, servicenetv1alpha1.LoadBalancerIPv4, servicenetv1alpha1.LoadBalancerIPv6
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	if address.Is4() {
		return ledger.Address(v4, address)
	}
	return ledger.Address(v6, address)
}

// named returns the name of a Service, after its namespace and a slash.
func named(text string) types.NamespacedName {
	namespace, name, _ := strings.Cut(text, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// services returns Services as tests write them: namespace, name and numbers, with
// "twice" before a port that it has twice, and what is no number as invalid.
func services(t *testing.T, lines ...string) (all []Service) {
	t.Helper()
	for i, line := range lines {
		words := strings.Fields(line)
		s := Service{
			Owner:   ledger.Owner{NamespacedName: named(words[0]), UID: types.UID("uid-" + words[0])},
			Created: noon().Add(-time.Hour + time.Duration(i)*time.Second),
		}
		for _, word := range words[1:] {
			switch {
			case strings.HasPrefix(word, "twice"):
				s.Twice = append(s.Twice, place(t, strings.TrimPrefix(word, "twice")))
			case strings.HasPrefix(word, "invalid"):
				s.Invalid = append(s.Invalid, word)
			default:
				s.Numbers = append(s.Numbers, place(t, word))
			}
		}
		all = append(all, s)
	}
	return all
}

// blocks returns a ledger as tests write it: numbers and what they are, "used",
// "lent", "held", or "kept" for the Service shop/web.
func blocks(t *testing.T, words string) map[ledger.Key]*ledger.Block {
	t.Helper()
	all := map[ledger.Key]*ledger.Block{}
	for word := range strings.FieldsSeq(words) {
		text, state, _ := strings.Cut(word, "=")
		at := place(t, text)
		if all[at.Key] == nil {
			all[at.Key] = ledger.NewBlock(1)
		}
		b := all[at.Key]
		switch state {
		case "used":
			b.Adopt(at.Number)
		case "lent":
			b.Lend(at.Number, 7)
		case "held":
			b.Adopt(at.Number)
			b.Release(at.Number, ledger.Retention{})
		case "kept":
			b.Adopt(at.Number)
			b.Release(at.Number, ledger.Retention{Until: noon().Add(time.Hour), For: ledger.SubjectOf(named("shop/web"))})
		}
	}
	return all
}

// addresses returns IPAddress objects as tests write them: the Service, "none" for
// one of the API server's without, "foreign" for one of others without, "unlabelled"
// for one of others for shop/web.
func addresses(t *testing.T, words string) (all []Address) {
	t.Helper()
	for word := range strings.FieldsSeq(words) {
		text, of, _ := strings.Cut(word, "=")
		a := Address{Address: place(t, text).Address(), UID: types.UID("uid-" + text), Managed: true}
		switch of {
		case "none":
		case "foreign":
			a.Managed = false
		case "unlabelled":
			a.Managed, a.Service = false, named("shop/web")
		default:
			a.Service = named(of)
		}
		all = append(all, a)
	}
	return all
}

// objects returns the IPAddress objects that Services should have.
func objects(all []Service) (objects []Address) {
	made := map[ledger.Place]bool{}
	for i := range all {
		for _, at := range all[i].Numbers {
			if isClusterIP(at.Family) && !made[at] {
				objects = append(objects, Address{Address: at.Address(), Service: all[i].NamespacedName, Managed: true})
				made[at] = true
			}
		}
	}
	return objects
}

// makeWorld returns a world with dual-stack ServiceCIDRs and the default range of
// ports. Without objects, it has those that there should be.
func makeWorld(t *testing.T, services []Service, ledgerWords, objectWords string) *World {
	t.Helper()
	w := &World{
		Families: []servicenetv1alpha1.NumberFamily{servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6, servicenetv1alpha1.NodePort},
		Blocks:   blocks(t, ledgerWords),
		Services: services,
		CIDRs:    []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16"), netip.MustParsePrefix("fd00::/112")},
		Ports:    allocator.PortSpan{First: 30000, Last: 32767},
	}
	if w.Addresses = addresses(t, objectWords); objectWords == "" {
		w.Addresses = objects(services)
	}
	return w
}

// describe returns what was found, a line each.
func describe(report Report) []string {
	lines := []string{}
	for _, claim := range report.Adopt {
		lines = append(lines, fmt.Sprintf("adopt %s %s", claim.Place, claim.Service))
	}
	for i := range report.Findings {
		lines = append(lines, describeFinding(&report.Findings[i]))
	}
	slices.Sort(lines)
	return lines
}

func describeFinding(f *Finding) string {
	words := []string{string(f.Kind)}
	switch {
	case f.Kind == Invalid:
		words = append(words, f.Detail)
	case f.Kind.Subject() == AboutBlock:
		words = append(words, f.Place.Key.String())
	default:
		words = append(words, f.Place.String())
	}
	if f.Service.Name != "" {
		words = append(words, f.Service.String())
	}
	for _, other := range f.Others {
		words = append(words, "and "+other.String())
	}
	return strings.Join(words, " ")
}

func errGarbage() error { return errors.New("garbage") }

func setOf(numbers ...int) *bitmap.Set {
	s := bitmap.New(allocator.BlockSize)
	for _, number := range numbers {
		s.Take(number)
	}
	return s
}
