// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
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

// As long as the version is 1, a block is written as it was: another form needs
// another version, or neighbouring releases undo each other's writes for ever.
func TestBlockIsWrittenAsVersion1Does(t *testing.T) {
	want, err := os.ReadFile("testdata/v1.bin")
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(t, everything(t)); !bytes.Equal(got, want) {
		t.Errorf("encoded as\n%swant\n%s", hex.Dump(got), hex.Dump(want))
	}
}

// testdata/v1.txt is the same block for people, byte by byte.
func TestExplanationOfVersion1IsRight(t *testing.T) {
	text, err := os.ReadFile("testdata/v1.txt")
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
	data, err := os.ReadFile("testdata/v1.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(explained, data) {
		t.Errorf("it explains\n%sthe block is\n%s", hex.Dump(explained), hex.Dump(data))
	}
}
