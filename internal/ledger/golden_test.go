// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// Blocks that version 1 wrote are in clusters. This release and all later ones
// must read testdata/v1.bin as the block that it is: the file never changes, and
// a new version has a file of its own.
func TestBlockOfVersion1IsRead(t *testing.T) {
	data, err := os.ReadFile("testdata/v1.bin")
	if err != nil {
		t.Fatal(err)
	}
	b := decode(t, data)
	if diff := diff(snapshotOf(everything(t)), snapshotOf(b)); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	for number, want := range map[int]string{
		0: "free", 1: "used", 2: "used", 3: "used", 1000: "used",
		600: "lent to B, kept for team-a/db until 1893456000",
		601: "lent to B, C asks for " + hex.EncodeToString(digest("team-a", "web")) +
			", kept for " + hex.EncodeToString(digest("team-c", "api")),
		5: "lent to A", 6: "lent to A, B asks for " + hex.EncodeToString(digest("team-a", "web")),
		4095: "lent to B, A asks for nobody",
		500:  "held 301 for team-a/db until 1893456000",
		501:  "held 302 for nobody",
		502:  "held 303 for " + hex.EncodeToString(digest("team-b", "cache")) + " until 1893459600",
		503:  "held 304 for nobody until 1893456000",
		504:  "held 305 for team-b/queue",
		505:  "held 306 for " + hex.EncodeToString(digest("team-c", "api")),
		506:  "held 307 for nobody until -1",
		507:  "held 308 for team-a/db's e060 until 1893456000",
	} {
		if got := describe(b, number); got != want {
			t.Errorf("%d is %s, want %s", number, got, want)
		}
	}
}

func digest(namespace, name string) []byte {
	sum := subject(namespace, name).Digest()
	return sum[:]
}

// tenanted returns a block that has load-balancer addresses in each way that the
// encoding tells apart. It is what testdata/v1-tenants.bin holds, which is as
// lasting as the above.
func tenanted(tb testing.TB) *Block {
	tb.Helper()
	b := NewBlock(300)
	uuid := func(t Tenant, last string) Tenant {
		t.UID = types.UID("01234567-89ab-cdef-0123-456789abcd" + last)
		return t
	}
	admit(tb, b, 7, uuid(sharer("web", anywhere, local("app=web")), "01"))
	admit(tb, b, 7, uuid(sharerOf("team", "api", anywhere, local("app=web"), onPorts(tcp(443), tcp(444), udp(53))), "02"))
	nameless := uuid(sharer("dns", withKey("l"), onPorts(udp(53))), "03")
	nameless.Service = digestOnly(nameless.Service)
	admit(tb, b, 9, nameless)
	admit(tb, b, 70, uuid(sharer("db", withKey(""), onPorts()), "04"))
	admit(tb, b, 4095, NewTenant(Owner{NamespacedName: named(1, 4), UID: "x"}, Terms{Node: true, Sockets: []Socket{tcp(80)}}))
	admit(tb, b, 100, sharer("old"))
	must(tb, b.Evict(100, sharer("old").UID, Retention{Until: later(), For: subject("shop", "old")}))
	return b
}

func TestTenantsOfVersion1AreRead(t *testing.T) {
	data, err := os.ReadFile("testdata/v1-tenants.bin")
	if err != nil {
		t.Fatal(err)
	}
	b := decode(t, data)
	if diff := diff(snapshotOf(tenanted(t)), snapshotOf(b)); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if got := b.Tenants(7)[1]; got.Service.String() != "team/api" || !got.CrossNamespace || got.Key != SharingKeyOf("k") ||
		got.UID != "01234567-89ab-cdef-0123-456789abcd02" || got.Selector != DigestOf("app=web") ||
		!slices.Equal(got.Sockets, []Socket{tcp(443), tcp(444), udp(53)}) {
		t.Errorf("read as %+v", got)
	}
	if got := b.Tenants(4095)[0]; got.UID != "x" || !got.Node || got.Key != (SharingKey{}) {
		t.Errorf("read as %+v", got)
	}
}

// As long as the version is 1, a block is written as it was: another form needs
// another version, or neighbouring releases undo each other's writes for ever.
func TestBlockIsWrittenAsVersion1Does(t *testing.T) {
	for name, block := range map[string]*Block{"v1": everything(t), "v1-tenants": tenanted(t)} {
		want, err := os.ReadFile("testdata/" + name + ".bin") //nolint:gosec // one of testdata
		if err != nil {
			t.Fatal(err)
		}
		if got := encode(t, block); !bytes.Equal(got, want) {
			t.Errorf("%s: encoded as\n%swant\n%s", name, hex.Dump(got), hex.Dump(want))
		}
	}
}

// testdata/v1.txt and v1-tenants.txt are the same blocks for people, byte by byte.
func TestExplanationOfVersion1IsRight(t *testing.T) {
	for _, name := range []string{"v1", "v1-tenants"} {
		t.Run(name, func(t *testing.T) { checkExplanation(t, "testdata/"+name) })
	}
}

func checkExplanation(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name + ".txt") //nolint:gosec // one of testdata
	if err != nil {
		t.Fatal(err)
	}
	var explained []byte
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		content, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		explained = append(explained, content...)
	}
	data, err := os.ReadFile(name + ".bin") //nolint:gosec // one of testdata
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(explained, data) {
		t.Errorf("it explains\n%sthe block is\n%s", hex.Dump(explained), hex.Dump(data))
	}
}
