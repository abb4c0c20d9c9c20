// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func tcp(port int32) Socket { return SocketOf(corev1.ProtocolTCP, port) }

func udp(port int32) Socket { return SocketOf(corev1.ProtocolUDP, port) }

// service returns a Service, with a UID of its own as long as its name is.
func service(namespace, name string) Owner {
	return Owner{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}, UID: types.UID("uid of " + namespace + "/" + name)}
}

// sharer is a Service of namespace shop that shares port 80 under the key "k".
func sharer(name string, adjust ...func(*Terms)) Tenant {
	return sharerOf("shop", name, adjust...)
}

func sharerOf(namespace, name string, adjust ...func(*Terms)) Tenant {
	terms := Terms{Key: SharingKeyOf("k"), Sockets: []Socket{tcp(80)}}
	for _, adjust := range adjust {
		adjust(&terms)
	}
	return NewTenant(service(namespace, name), terms)
}

func onPorts(sockets ...Socket) func(*Terms) { return func(t *Terms) { t.Sockets = sockets } }

func withKey(name string) func(*Terms) { return func(t *Terms) { t.Key = SharingKeyOf(name) } }

func anywhere(t *Terms) { t.CrossNamespace = true }

func ofNode(t *Terms) { t.Node, t.Key = true, SharingKey{} }

func local(selector string) func(*Terms) { return func(t *Terms) { t.Selector = DigestOf(selector) } }

// admit admits tenants, which must not fail.
func admit(tb testing.TB, b *Block, number int, tenants ...Tenant) {
	tb.Helper()
	for _, t := range tenants {
		if changed, err := b.Admit(number, t); err != nil || !changed {
			tb.Fatalf("admit %v to %d: changed %t, %v", t.Service, number, changed, err)
		}
	}
}

func uids(tenants []Tenant) (uids []types.UID) {
	for _, t := range tenants {
		uids = append(uids, t.UID)
	}
	return uids
}

func TestSharingNeedsTermsThatFit(t *testing.T) {
	for name, test := range map[string]struct {
		first, second Tenant
		want          Refusal
		socket        Socket
	}{
		"other ports":                         {sharer("a"), sharer("b", onPorts(tcp(443))), "", 0},
		"another protocol":                    {sharer("a"), sharer("b", onPorts(udp(80))), "", 0},
		"no ports":                            {sharer("a"), sharer("b", onPorts()), "", 0},
		"the same port":                       {sharer("a"), sharer("b"), PortTaken, tcp(80)},
		"one port of several":                 {sharer("a", onPorts(udp(53), tcp(80), tcp(53))), sharer("b", onPorts(tcp(443), udp(53))), PortTaken, udp(53)},
		"another key":                         {sharer("a"), sharer("b", withKey("l"), onPorts(tcp(443))), OtherKey, 0},
		"the second has no key":               {sharer("a"), sharer("b", withKey(""), onPorts(tcp(443))), NoKey, 0},
		"the first has no key":                {sharer("a", withKey("")), sharer("b", onPorts(tcp(443))), Alone, 0},
		"neither has a key":                   {sharer("a", withKey("")), sharer("b", withKey(""), onPorts(tcp(443))), NoKey, 0},
		"another namespace":                   {sharer("a"), sharerOf("team", "b", onPorts(tcp(443))), OtherNamespace, 0},
		"another namespace, one lets":         {sharer("a", anywhere), sharerOf("team", "b", onPorts(tcp(443))), OtherNamespace, 0},
		"another namespace, the other lets":   {sharer("a"), sharerOf("team", "b", onPorts(tcp(443)), anywhere), OtherNamespace, 0},
		"another namespace, both let":         {sharer("a", anywhere), sharerOf("team", "b", onPorts(tcp(443)), anywhere), "", 0},
		"another namespace, both let, a port": {sharer("a", anywhere), sharerOf("team", "b", anywhere), PortTaken, tcp(80)},
		"both local, one selector":            {sharer("a", local("x")), sharer("b", local("x"), onPorts(tcp(443))), "", 0},
		"both local, two selectors":           {sharer("a", local("x")), sharer("b", local("y"), onPorts(tcp(443))), OtherSelector, 0},
		"one is local":                        {sharer("a"), sharer("b", local("x"), onPorts(tcp(443))), OtherSelector, 0},
		"of a node":                           {sharer("a", ofNode), sharerOf("team", "b", ofNode, onPorts(tcp(443))), "", 0},
		"of a node, local":                    {sharer("a", ofNode, local("x")), sharer("b", ofNode, local("y"), onPorts(tcp(443))), "", 0},
		"of a node, the same port":            {sharer("a", ofNode), sharerOf("team", "b", ofNode), PortTaken, tcp(80)},
		"of a node, and not":                  {sharer("a", ofNode), sharer("b", onPorts(tcp(443))), OtherKey, 0},
		"not of a node":                       {sharer("a", withKey("")), sharer("b", ofNode, onPorts(tcp(443))), OtherKey, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBlock(0)
			admit(t, b, 7, test.first)
			b = decode(t, encode(t, b))
			changed, err := b.Admit(7, test.second)
			sharing := (*SharingError)(nil)
			errors.As(err, &sharing)
			switch {
			case test.want == "":
				if !changed || err != nil || len(b.Tenants(7)) != 2 {
					t.Errorf("changed %t, %v", changed, err)
				}
			case sharing == nil || changed || sharing.Reason != test.want || sharing.Socket != test.socket:
				t.Errorf("changed %t, %v, want %s", changed, err, test.want)
			case sharing.With.Name() != test.first.Service.Name():
				t.Errorf("because of %v", sharing.With)
			case len(b.Tenants(7)) != 1:
				t.Errorf("tenants %v", b.Tenants(7))
			}
		})
	}
}

func TestSharingErrorsSayWhatIsWrong(t *testing.T) {
	place := Address("LoadBalancerIPv4", netip.MustParseAddr("192.0.2.1"))
	for want, err := range map[string]*SharingError{
		"192.0.2.1 is used by a Service that has the same port, 53/UDP": {Place: place, Reason: PortTaken, Socket: udp(53)},
		"192.0.2.1 is kept for a Service that had it":                   {Place: place, Reason: Retained, With: subject("shop", "secret")},
		"the address is used by a Service with another sharing key":     {Reason: OtherKey},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

func TestTenantIsAdmittedOnce(t *testing.T) {
	b := NewBlock(0)
	admit(t, b, 7, sharer("a"), sharer("b", onPorts(tcp(443))))
	if changed, err := b.Admit(7, sharer("a")); changed || err != nil {
		t.Errorf("again: changed %t, %v", changed, err)
	}
	// A name that was left out is none that changed.
	b.tenants = NewBlock(0).tenants
	nameless := sharer("a")
	nameless.Service = digestOnly(nameless.Service)
	admit(t, b, 7, nameless)
	if changed, err := b.Admit(7, sharer("a")); changed || err != nil {
		t.Errorf("with its name: changed %t, %v", changed, err)
	}
	admit(t, b, 8, sharer("a"))
	if used, _, _ := b.Count(); used != 2 {
		t.Errorf("%d numbers are used", used)
	}
	for _, number := range []int{-1, 4096} {
		if changed, err := b.Admit(number, sharer("a")); changed || err == nil {
			t.Errorf("%d: changed %t, %v", number, changed, err)
		}
	}
}

func TestTenantThatCouldNotBeReadAgainIsRefused(t *testing.T) {
	for name, sockets := range map[string][]Socket{
		"out of order": {tcp(81), tcp(80)}, "twice": {tcp(80), tcp(80)}, "none that there is": {tcp(80), socketEnd},
	} {
		tenant := sharer("a")
		tenant.Sockets = sockets
		if changed, err := NewBlock(0).Admit(7, tenant); changed || err == nil {
			t.Errorf("%s: changed %t, %v", name, changed, err)
		}
	}
}

func TestTermsChangeWhereTheOthersAllow(t *testing.T) {
	b := NewBlock(0)
	admit(t, b, 7, sharer("a"), sharer("b", onPorts(tcp(443))))
	before := encode(t, b)
	for name, bad := range map[string]Tenant{
		"the other's port": sharer("a", onPorts(tcp(80), tcp(443))),
		"another key":      sharer("a", withKey("l")),
		"alone":            sharer("a", withKey("")),
		"local":            sharer("a", local("x")),
	} {
		if changed, err := b.Admit(7, bad); changed || err == nil {
			t.Errorf("%s: changed %t, %v", name, changed, err)
		}
	}
	if after := encode(t, b); !bytes.Equal(after, before) {
		t.Error("what was refused has changed the block")
	}
	admit(t, b, 7, sharer("a", onPorts(tcp(80), tcp(81)), anywhere))
	must(t, b.Evict(7, sharer("b").UID, Retention{}))
	admit(t, b, 7, sharer("a", withKey("")))
	if got, there := b.Tenant(7, sharer("a").UID); !there || !got.Equal(sharer("a", withKey(""))) || len(b.Tenants(7)) != 1 {
		t.Errorf("tenants %v", b.Tenants(7))
	}
}

func TestNumberIsFreeAfterItsLastTenant(t *testing.T) {
	b := NewBlock(0)
	then := Retention{Until: later(), For: sharer("a").Service}
	admit(t, b, 7, sharer("a"), sharer("b", onPorts(tcp(443))))
	if b.Evict(7, "nobody", then) || b.Evict(8, sharer("a").UID, then) || b.Evict(-1, sharer("a").UID, then) {
		t.Error("evicted who is no tenant")
	}
	must(t, b.Evict(7, sharer("a").UID, then))
	if b.State(7) != Used || len(b.Tenants(7)) != 1 {
		t.Errorf("it is %v", b.State(7))
	}
	must(t, b.Evict(7, sharer("b").UID, Retention{}))
	if b.State(7) != Free || !b.Empty() {
		t.Errorf("it is %v", b.State(7))
	}
	if got, want := encode(t, b), encode(t, NewBlock(0)); !cmp.Equal(got, want) {
		t.Errorf("something is left of it: %x", got)
	}
}

func TestHeldNumberWaitsForItsService(t *testing.T) {
	b := NewBlock(0)
	admit(t, b, 7, sharer("a"))
	must(t, b.Evict(7, sharer("a").UID, Retention{Until: later(), For: sharer("a").Service}))
	if b.State(7) != Held {
		t.Fatalf("it is %v", b.State(7))
	}
	changed, err := b.Admit(7, sharer("b"))
	if sharing := (*SharingError)(nil); changed || !errors.As(err, &sharing) || sharing.Reason != Retained || sharing.With != sharer("a").Service {
		t.Errorf("another: changed %t, %v", changed, err)
	}
	again := sharer("a", onPorts(tcp(8080)))
	again.UID = "another"
	admit(t, b, 7, again)
	if b.State(7) != Used || !slices.Equal(uids(b.Tenants(7)), []types.UID{"another"}) {
		t.Errorf("it is %v, had by %v", b.State(7), b.Tenants(7))
	}
}

func TestHoldsExpire(t *testing.T) {
	b := NewBlock(0)
	for number, until := range map[int]time.Time{1: later(), 2: later().Add(time.Second), 3: {}} {
		admit(t, b, number, sharer("a"))
		must(t, b.Evict(number, sharer("a").UID, Retention{Until: until, For: sharer("a").Service}))
	}
	admit(t, b, 4, sharer("a"))
	must(t, b.Expire(later()))
	if b.Expire(later()) {
		t.Error("they expired twice")
	}
	if diff := cmp.Diff([]int{2, 4}, slices.Collect(b.Taken().Numbers())); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	must(t, b.Expire(later().Add(time.Second)))
	if diff := cmp.Diff([]int{4}, slices.Collect(b.Taken().Numbers())); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

func TestTenantsAreNotForOtherMoves(t *testing.T) {
	b := NewBlock(0)
	admit(t, b, 7, sharer("a"))
	if b.Release(7, Retention{}) || b.Lend(7, replicaA) || b.Adopt(7) || b.Clear(7, 0) {
		t.Error("the number of a tenant was taken from it")
	}
	must(t, b.Lend(8, replicaA))
	_, err := b.Admit(8, sharer("a"))
	if sharing := (*SharingError)(nil); !errors.As(err, &sharing) || sharing.Reason != OnLoan {
		t.Errorf("a number on loan: %v", err)
	}
	// A number that is used by nobody that is known.
	must(t, b.Adopt(9))
	admit(t, b, 9, sharer("a"))
}

func TestClonesHaveTheirOwnTenants(t *testing.T) {
	b := NewBlock(0)
	admit(t, b, 7, sharer("a"))
	admit(t, b, 70, sharer("b"))
	clone := b.Clone()
	admit(t, clone, 7, sharer("c", onPorts(tcp(81))))
	admit(t, clone, 4095, sharer("d"))
	must(t, clone.Evict(70, sharer("b").UID, Retention{}))
	if diff := cmp.Diff([]int{7, 70}, slices.Sorted(maps.Keys(tenantsOf(b)))); diff != "" || len(b.Tenants(7)) != 1 {
		t.Errorf("the original has (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{7, 70, 4095}, slices.Collect(clone.NewTenants(b))); diff != "" {
		t.Errorf("new (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{7, 70, 4095}, slices.Collect(decode(t, encode(t, clone)).NewTenants(decode(t, encode(t, b))))); diff != "" {
		t.Errorf("new of those that were read (-want +got):\n%s", diff)
	}
	if again := slices.Collect(decode(t, encode(t, clone)).NewTenants(clone)); len(again) > 0 {
		t.Errorf("new of the same: %v", again)
	}
	if diff := cmp.Diff([]int{7, 70}, slices.Collect(b.NewTenants(nil))); diff != "" {
		t.Errorf("new since there was none (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{7, 70}, slices.Collect((*Block)(nil).NewTenants(b))); diff != "" {
		t.Errorf("new where there is none any more (-want +got):\n%s", diff)
	}
}

func TestSocketsHaveNames(t *testing.T) {
	for want, socket := range map[string]Socket{
		"80/TCP": tcp(80), "65535/TCP": tcp(65535), "53/UDP": udp(53), "1/SCTP": SocketOf(corev1.ProtocolSCTP, 1), "7/TCP": SocketOf("", 7),
	} {
		if socket.String() != want {
			t.Errorf("%s, want %s", socket, want)
		}
	}
	sockets := NewTenant(service("a", "b"), Terms{Sockets: []Socket{udp(1), tcp(9), tcp(2), tcp(9)}}).Sockets
	if want := []Socket{tcp(2), tcp(9), udp(1)}; !slices.Equal(sockets, want) {
		t.Errorf("sockets %v, want %v", sockets, want)
	}
}

func TestUUIDsAreKnown(t *testing.T) {
	uuid := types.UID("01234567-89ab-cdef-0123-456789abcdef")
	if binary, ok := parseUUID(uuid); !ok || formatUUID(binary[:]) != uuid {
		t.Errorf("%s is %x", uuid, binary)
	}
	for _, text := range []string{
		"", "uid", "01234567-89AB-cdef-0123-456789abcdef", "01234567x89ab-cdef-0123-456789abcdef",
		"0123456-789ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdeg", "01234567-89ab-cdef-0123-456789abcdef0",
	} {
		if _, ok := parseUUID(types.UID(text)); ok {
			t.Errorf("%q is a UUID", text)
		}
	}
	if !strings.HasPrefix(string(formatUUID(nil)), "") || formatUUID(nil) != "" {
		t.Error("no bytes are a UUID")
	}
}
