// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
)

// sealed appends the right checksum.
func sealed(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(slices.Clone(body), crc32.ChecksumIEEE(body))
}

// written returns an encoding that consists of sections.
func written(release, oldest byte, sections ...section) []byte {
	body := []byte{release, oldest}
	for _, s := range sections {
		body = appendBytes(binary.AppendUvarint(body, s.tag), s.content)
	}
	return sealed(body)
}

// setOf returns the encoding of a set.
func setOf(tb testing.TB, size int, numbers ...int) []byte {
	tb.Helper()
	set := bitmap.New(size)
	for _, number := range numbers {
		set.Take(number)
	}
	data, err := set.AppendBinary(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// sectionsOf returns the sections of a block whose numbers from 4 to 8, and no
// others, are taken.
func sectionsOf(tb testing.TB, loans, holds []byte) []section {
	tb.Helper()
	return []section{
		{tagSerial, []byte{9}}, {tagTaken, setOf(tb, allocator.BlockSize, 4, 5, 6, 7, 8)}, {tagLoans, loans}, {tagHolds, holds},
	}
}

// join returns bytes, texts and slices of bytes one after the other.
func join(parts ...any) []byte {
	var data []byte
	for _, part := range parts {
		switch part := part.(type) {
		case int:
			data = append(data, byte(part)) //nolint:gosec // written as such
		case string:
			data = append(data, part...)
		case []byte:
			data = append(data, part...)
		}
	}
	return data
}

// holder is a holder as it is written, whom a digest.
const (
	holder = "\x01\x23\x45\x67\x89\xab\xcd\xef"
	whom   = "abcdefghijkl"
)

// beyond is a varint of more than 64 bits, tooLarge one of more than 32.
const (
	beyond   = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	tooLarge = "\x80\x80\x80\x80\x10"
	// outside is 4,096, the first number that a block does not have.
	outside = "\x80\x20"
	// huge is the largest number of 64 bits.
	huge = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
)

func TestHandWrittenBlockIsRead(t *testing.T) {
	b := decode(t, written(1, 1, sectionsOf(t,
		join(2, holder, 0, 0, 0, 0, 0, 0, 0, 11, 4, 0, 0, 2, 1, 3, 0, whom, 7, 1, 4, "team", 3, "web", whom),
		join(5, 7, 0, 2, 8, 3, 1, 4, "team", 3, "web"))...))
	for number, want := range map[int]string{
		4: "lent to A", 5: "held 7 for nobody", 6: "lent to B, A asks for 6162636465666768696a6b6c, kept for 6162636465666768696a6b6c until -1",
		7: "held 8 for team/web until -1", 8: "used", 9: "free",
	} {
		if got := describe(b, number); got != want {
			t.Errorf("%d is %s, want %s", number, got, want)
		}
	}
}

func TestDamagedSectionIsRefused(t *testing.T) {
	one := "\x01" + holder
	for name, test := range map[string]struct {
		loans, holds []byte
		want         string
	}{
		"holders are counted without end":     {join(0x80), nil, "cut off"},
		"holders are counted beyond all":      {join(beyond), nil, "cut off"},
		"holders are more than may be":        {join("\x81\x40"), nil, "count is wrong"},
		"holders end within one":              {join(1, holder[1:]), nil, "cut off"},
		"holders are as many as may be":       {join("\x80\x40", holder), nil, "cut off"},
		"holders are fewer than counted":      {join(2, holder), nil, "cut off"},
		"a loan ends before its holder":       {join(one, 4), nil, "cut off"},
		"a loan has a holder that is unknown": {join(one, 4, 1, 0), nil, "not listed"},
		"a loan has a holder far off":         {join(one, 4, huge, 0), nil, "not listed"},
		"a loan has no holder":                {join(0, 4, 0, 0), nil, "not listed"},
		"a loan ends before its flags":        {join(one, 4, 0), nil, "cut off"},
		"a loan has an unknown flag":          {join(one, 4, 0, 4), nil, "flag is unknown"},
		"a loan has one flag too many":        {join(one, 4, 0, 5, 0, whom), nil, "flag is unknown"},
		"a recall ends before who asks":       {join(one, 4, 0, 1), nil, "cut off"},
		"a recall is by one that is unknown":  {join(one, 4, 0, 1, 1, whom), nil, "not listed"},
		"a recall ends within for whom":       {join(one, 4, 0, 1, 0, whom[1:]), nil, "cut off"},
		"a loan is kept without flags":        {join(one, 4, 0, 2), nil, "cut off"},
		"a loan is kept with a flag unknown":  {join(one, 4, 0, 2, 16), nil, "flag is unknown"},
		"a loan is kept without a digest":     {join(one, 4, 0, 2, 4, whom[1:]), nil, "cut off"},
		"a loan lies outside":                 {join(one, outside, 0, 0), nil, "outside the block"},
		"a second loan lies outside":          {join(one, 4, 0, 0, "\xfc\x1f", 0, 0), nil, "outside the block"},
		"a loan lies far outside":             {join(one, huge, 0, 0), nil, "outside the block"},
		"a loan is there twice":               {join(one, 4, 0, 0, 0, 0, 0), nil, "on loan twice"},
		"two have the same loan":              {join(2, holder, whom[:8], 4, 0, 0, 0, 1, 0), nil, "on loan twice"},
		"a free number is on loan":            {join(one, 9, 0, 0), nil, "contradicts itself: a number on loan"},

		"a hold ends before its serial":       {nil, join(5), "cut off"},
		"a hold has a serial too large":       {nil, join(5, tooLarge, 0), "too large"},
		"a hold ends before its flags":        {nil, join(5, 1), "cut off"},
		"a hold has an unknown flag":          {nil, join(5, 1, 16), "flag is unknown"},
		"a hold has one flag too many":        {nil, join(5, 1, 20, whom), "flag is unknown"},
		"a hold ends before its time":         {nil, join(5, 1, 1), "cut off"},
		"a hold ends within its time":         {nil, join(5, 1, 1, 0x80), "cut off"},
		"a hold ends within its slot":         {nil, join(5, 1, 8, 1), "cut off"},
		"a hold has a time beyond all":        {nil, join(5, 1, 1, beyond), "cut off"},
		"a hold ends before its namespace":    {nil, join(5, 1, 2), "cut off"},
		"a hold ends within its namespace":    {nil, join(5, 1, 2, 4, "tea"), "cut off"},
		"a hold has a namespace without end":  {nil, join(5, 1, 2, huge, "team"), "cut off"},
		"a hold ends before its name":         {nil, join(5, 1, 2, 4, "team"), "cut off"},
		"a hold ends within its name":         {nil, join(5, 1, 2, 4, "team", 3, "we"), "cut off"},
		"a hold ends within its digest":       {nil, join(5, 1, 4, whom[1:]), "cut off"},
		"a hold lies outside":                 {nil, join(outside, 1, 0), "outside the block"},
		"a second hold lies outside":          {nil, join(5, 1, 0, "\xfb\x1f", 1, 0), "outside the block"},
		"a hold is there twice":               {nil, join(5, 1, 0, 0, 2, 0), "held twice"},
		"a free number is held":               {nil, join(9, 1, 0), "contradicts itself: a number that is held"},
		"a number on loan is held":            {join(one, 5, 0, 0), join(5, 1, 0), "contradicts itself: a number on loan"},
		"a number follows that does not end":  {nil, join(5, 1, 0, 0x80), "cut off"},
		"a number follows that is too large":  {nil, join(5, 1, 0, beyond, 1, 0), "cut off"},
		"the first of all is before the last": {nil, join(5, 1, 0, huge, 1, 0), "outside the block"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Decode(written(1, 1, sectionsOf(t, test.loans, test.holds)...))
			if b != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestHandWrittenTenantsAreRead(t *testing.T) {
	lot := join(2, 0, "namespac", 4, "shop", 1, "sharekey", 4, 3, 2, "u1", 0, whom, 0, 2, 80, 1, 5, 16, 2, "u2", 1, 3, "web", 0)
	b := decode(t, written(1, 1, append(sectionsOf(t, nil, nil), section{tagTenants, join(0, len(lot), lot)})...))
	first, second := b.Tenants(4)[0], b.Tenants(5)[0]
	if first.UID != "u1" || string(first.namespace[:]) != "namespac" || string(first.Key[:]) != "sharekey" ||
		!first.CrossNamespace || first.Service.Name().Name != "" || !slices.Equal(first.Sockets, []Socket{tcp(80), tcp(81)}) {
		t.Errorf("read as %+v", first)
	}
	if second.UID != "u2" || second.Service.String() != "shop/web" || second.namespace != markOf("shop") || len(second.Sockets) > 0 {
		t.Errorf("read as %+v", second)
	}
}

func TestDamagedTenantsAreRefused(t *testing.T) {
	// lot is a lot of one namespace, shop, and one key.
	lot := func(at int, tenants ...any) []byte {
		content := join(append([]any{1, 4, "shop", 1, "sharekey"}, tenants...)...)
		return join(at, len(content), content)
	}
	// one is a tenant of a number, without anything that can be left out.
	one := func(number int, uid string) []byte { return join(number, 0, len(uid), uid, 0, whom, 0) }
	for name, test := range map[string]struct {
		tenants []byte
		want    string
	}{
		"a lot without a length":           {join(0), "cut off"},
		"a lot shorter than it says":       {join(0, 9, 0), "cut off"},
		"a lot beyond the block":           {lot(64, one(4, "u")), "out of order"},
		"a lot far beyond the block":       {join(huge, 1, 0), "out of order"},
		"a lot twice":                      {join(lot(0, one(4, "u")), lot(0, one(5, "u"))), "out of order"},
		"lots out of order":                {join(lot(1, one(4, "u")), lot(0, one(5, "u"))), "out of order"},
		"a lot without tenants":            {lot(0), "no tenants"},
		"an empty lot":                     {join(0, 0), "cut off"},
		"namespaces are more than may be":  {join(0, 2, "\x81\x40"), "count is wrong"},
		"a namespace ends within its mark": {join(0, 4, 1, 0, "ab"), "cut off"},
		"a key ends early":                 {join(0, 5, 0, 1, "abc"), "cut off"},
		"a tenant without flags":           {lot(0, 4), "cut off"},
		"a tenant with an unknown flag":    {lot(0, 4, 64, 1, "u", 0, whom, 0), "flag is unknown"},
		"a tenant without its UID":         {lot(0, 4, 0, 3, "u"), "cut off"},
		"a UUID ends early":                {lot(0, 4, 32, "0123456789"), "cut off"},
		"a namespace that is not listed":   {lot(0, 4, 0, 1, "u", 1, whom, 0), "not listed"},
		"a digest ends early":              {lot(0, 4, 0, 1, "u", 0, whom[1:]), "cut off"},
		"an empty name":                    {lot(0, 4, 16, 1, "u", 0, 0, 0), "has no name"},
		"a name without a namespace":       {join(0, 19, 1, 0, "namespac", 0, 4, 16, 1, "u", 0, 1, "n", 0), "has no name"},
		"a key that is not listed":         {lot(0, 4, 1, 1, "u", 0, whom, 1, 0), "not listed"},
		"a selector ends early":            {lot(0, 4, 8, 1, "u", 0, whom, "abc"), "cut off"},
		"sockets are not counted":          {lot(0, 4, 0, 1, "u", 0, whom), "cut off"},
		"sockets are fewer than counted":   {lot(0, 4, 0, 1, "u", 0, whom, 2, 80), "cut off"},
		"sockets are far fewer":            {lot(0, 4, 0, 1, "u", 0, whom, huge), "cut off"},
		"a socket twice":                   {lot(0, 4, 0, 1, "u", 0, whom, 2, 80, 0), "is none"},
		"a socket beyond all":              {lot(0, 4, 0, 1, "u", 0, whom, 1, "\x80\x80\x0c"), "is none"},
		"a second socket beyond all":       {lot(0, 4, 0, 1, "u", 0, whom, 2, 1, "\xff\xff\x0b"), "is none"},
		"numbers out of order":             {lot(0, one(5, "u"), one(4, "u")), "out of order"},
		"a number beyond the lot":          {lot(0, one(64, "u")), "out of order"},
		"a tenant twice":                   {lot(0, one(4, "u"), one(4, "u")), "out of order"},
		"tenants out of order":             {lot(0, one(4, "v"), one(4, "u")), "out of order"},
		"tenants of a free number":         {lot(0, one(9, "u")), "contradicts itself: a number that has tenants"},
		"tenants of a number that is held": {lot(0, one(8, "u")), "contradicts itself: a number that has tenants"},
		"tenants of a number on loan":      {lot(0, one(7, "u")), "contradicts itself: a number that has tenants"},
	} {
		t.Run(name, func(t *testing.T) {
			sections := append(sectionsOf(t, join(1, holder, 7, 0, 0), join(8, 1, 0)), section{tagTenants, test.tenants})
			b, err := Decode(written(1, 1, sections...))
			if b != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestDamagedFrameIsRefused(t *testing.T) {
	good := sectionsOf(t, nil, nil)
	with := func(i int, s section) []byte {
		sections := slices.Clone(good)
		sections[i] = s
		return written(1, 1, sections...)
	}
	body := func(parts ...any) []byte {
		data := written(1, 1, good...)
		return sealed(append(data[:len(data)-checksumBytes], join(parts...)...))
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                        {nil, "cut off"},
		"a header alone":                 {[]byte{1, 1}, "cut off"},
		"less than a checksum":           {[]byte{1, 1, 0, 0, 0}, "cut off"},
		"a wrong checksum":               {[]byte{1, 1, 0, 0, 0, 0}, "checksum"},
		"no section":                     {written(1, 1), "section is missing"},
		"no serial":                      {written(1, 1, good[1:]...), "section is missing"},
		"no taken numbers":               {written(1, 1, good[0], good[2], good[3]), "section is missing"},
		"no loans":                       {written(1, 1, good[0], good[1], good[3]), "section is missing"},
		"no holds":                       {written(1, 1, good[:3]...), "section is missing"},
		"another in place of the holds":  {written(1, 1, append(good[:3:3], section{6, nil})...), "section is missing"},
		"sections out of order":          {written(1, 1, good[0], good[2], good[1], good[3]), "out of order"},
		"a section twice":                {written(1, 1, append(good[:4:4], good[3])...), "out of order"},
		"a later section twice":          {written(1, 1, append(good[:4:4], section{9, nil}, section{9, nil})...), "out of order"},
		"a section without a tag":        {written(1, 1, append([]section{{0, nil}}, good...)...), "out of order"},
		"a tag that does not end":        {body(0x85), "cut off"},
		"a tag beyond all":               {body(beyond, 0), "cut off"},
		"a section without a length":     {body(5), "cut off"},
		"a length that does not end":     {body(5, 0x85), "cut off"},
		"a section shorter than it says": {body(5, 3, 1, 2), "cut off"},
		"a section longer than all":      {body(5, huge, 1, 2), "cut off"},
		"a serial that is empty":         {with(0, section{tagSerial, nil}), "cut off"},
		"a serial too large":             {with(0, section{tagSerial, []byte(tooLarge)}), "too large"},
		"a serial and more":              {with(0, section{tagSerial, []byte{1, 2}}), "left over"},
		"no set":                         {with(1, section{tagTaken, nil}), "no data"},
		"a set of another size":          {with(1, section{tagTaken, setOf(t, 4095, 5)}), "another size"},
		"a larger set":                   {with(1, section{tagTaken, setOf(t, 8192, 5)}), "another size"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Decode(test.data)
			if b != nil || err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrNewer) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestDamagedEncodingIsRefused(t *testing.T) {
	data := encode(t, everything(t))
	for i := range data {
		for at := range 8 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << at
			if b, err := Decode(damaged); b != nil || err == nil {
				t.Errorf("bit %d of byte %d turned, and still decoded", at, i)
			}
		}
		if b, err := Decode(data[:i]); b != nil || err == nil {
			t.Errorf("cut after byte %d, and still decoded", i)
		}
	}
	if b, err := Decode(append(data, 0)); b != nil || err == nil {
		t.Error("a byte too many, and still decoded")
	}
}

// newer returns what the release after this one may write: what this release
// knows of a block, and sections that it does not know.
func newer(tb testing.TB, release, oldest byte, b *Block, more ...section) []byte {
	tb.Helper()
	data := encode(tb, b)
	body := append([]byte{release, oldest}, data[headerBytes:len(data)-checksumBytes]...)
	for _, s := range more {
		body = appendBytes(binary.AppendUvarint(body, s.tag), s.content)
	}
	return sealed(body)
}

func TestSectionsOfANewerReleaseAreKept(t *testing.T) {
	more := []section{{6, []byte("later")}, {7, nil}, {300, []byte{0, 0xff, 0}}}
	data := newer(t, 2, 1, everything(t), more...)
	read := bytes.Clone(data)
	b := decode(t, read)
	// What a block keeps is its own, whatever becomes of what it was read from.
	for i := range read {
		read[i] = '?'
	}
	if got, want := encode(t, b), newer(t, 1, 1, everything(t), more...); !bytes.Equal(got, want) {
		t.Errorf("written again as\n%x, want\n%x", got, want)
	}
	clone := b.Clone()
	must(t, clone.Lend(77, replicaC), clone.ReclaimAll(replicaA), clone.Clear(500, 301))
	if diff := diff(b.unknown, decode(t, encode(t, clone)).unknown); diff != "" {
		t.Errorf("after moves (-want +got):\n%s", diff)
	}
	if len(b.unknown) != len(more) {
		t.Errorf("%d sections are kept, want %d", len(b.unknown), len(more))
	}
}

func TestBlockWithASectionOfANewerReleaseIsNotEmpty(t *testing.T) {
	if b := decode(t, newer(t, 2, 1, NewBlock(1), section{6, []byte("x")})); b.Empty() || b.Clone().Empty() {
		t.Error("what a newer release knows of the block would be lost with it")
	}
}

func TestReleaseTooFarOffIsTold(t *testing.T) {
	for _, versions := range [][2]byte{{2, 2}, {3, 2}, {255, 255}} {
		data := newer(t, versions[0], versions[1], everything(t))
		if b, err := Decode(data); b != nil || !errors.Is(err, ErrNewer) {
			t.Errorf("version %d, readable from %d: error %v, want %v", versions[0], versions[1], err, ErrNewer)
		}
		// Damage is damage first: it does not pass for a newer release.
		data[len(data)-1] ^= 1
		if _, err := Decode(data); err == nil || errors.Is(err, ErrNewer) {
			t.Errorf("version %d, damaged: error %v", versions[0], err)
		}
	}
	// What newer releases add to sections of their own is none of this one's business.
	if _, err := Decode(written(2, 2, section{1, nil}, section{0, nil})); !errors.Is(err, ErrNewer) {
		t.Errorf("sections in another form: error %v, want %v", err, ErrNewer)
	}
}

func TestEqualBlocksHaveEqualEncodings(t *testing.T) {
	moves := []func(b *Block) bool{
		func(b *Block) bool { return b.Adopt(1) },
		func(b *Block) bool { return b.Lend(2, replicaB) && b.Settle(2, replicaB) },
		func(b *Block) bool { return b.Lend(3, replicaA) && b.Return(3, replicaA) && b.Lend(3, replicaC) },
		func(b *Block) bool { return b.Lend(4, replicaB) },
		func(b *Block) bool {
			return b.Lend(5, replicaC) && b.Ask(5, replicaB, Subject{}) && b.Refuse(5, replicaC)
		},
		func(b *Block) bool {
			return b.Lend(6, replicaA) && b.Ask(6, replicaB, Subject{}) && b.HandOver(6, replicaA)
		},
		func(b *Block) bool { return b.Lend(4000, replicaB) && b.Ask(4000, replicaA, subject("team", "web")) },
		func(b *Block) bool { return b.Lend(7, replicaC) },
	}
	var want []byte
	for seed := range uint64(32) {
		rng := rand.New(rand.NewPCG(seed, 0))
		b := NewBlock(5)
		// Their serials say which hold came first.
		must(t, b.Adopt(11), b.Adopt(12), b.Release(12, retained()), b.Release(11, Retention{Until: later()}))
		for _, i := range rng.Perm(len(moves)) {
			must(t, moves[i](b))
		}
		data := encode(t, b)
		if want == nil {
			want = data
		}
		for _, other := range [][]byte{data, encode(t, b), encode(t, b.Clone()), encode(t, decode(t, data))} {
			if !bytes.Equal(other, want) {
				t.Fatalf("seed %d: encoded as\n%x, want\n%x", seed, other, want)
			}
		}
	}
}

func TestDifferentBlocksHaveDifferentEncodings(t *testing.T) {
	seen := map[string]string{}
	for name, prepare := range scenes() {
		data := string(encode(t, scene(t, prepare)))
		if other, twice := seen[data]; twice {
			t.Errorf("%s and %s have the same encoding", name, other)
		}
		seen[data] = name
	}
	if bytes.Equal(encode(t, NewBlock(1)), encode(t, NewBlock(2))) {
		t.Error("the serial is lost")
	}
}

func TestWhatCannotBeWrittenIsTold(t *testing.T) {
	b := NewBlock(0)
	b.unknown = []section{{6, make([]byte, MaxEncoded)}}
	if data, err := b.Encode(); data != nil || err == nil || !strings.Contains(err.Error(), strconv.Itoa(MaxEncoded)) {
		t.Errorf("%d bytes, error %v", len(data), err)
	}
	b.unknown[0].content = b.unknown[0].content[:MaxEncoded-len(encode(t, NewBlock(0)))-4]
	if data := encode(t, b); len(data) != MaxEncoded {
		t.Errorf("%d bytes, want %d", len(data), MaxEncoded)
	}
	if data, err := (&Block{taken: &bitmap.Set{}}).Encode(); data != nil || err == nil {
		t.Errorf("encoded a block without numbers as %x", data)
	}
}

// checkDecoded checks what must hold of whatever was decoded: each number is in
// one state, and it is written as what is read again as the same.
func checkDecoded(t *testing.T, b *Block) {
	t.Helper()
	s := snapshotOf(b)
	if used, lent, held := b.Count(); used != len(s.Used) || lent != len(s.Loans) || held != len(s.Holds) {
		t.Fatalf("%d used, %d lent, %d held, want %d, %d, %d", used, lent, held, len(s.Used), len(s.Loans), len(s.Holds))
	}
	if n := b.Taken().Count(); n != len(s.Used)+len(s.Loans)+len(s.Holds) {
		t.Fatalf("%d numbers are taken, but some in two ways, or in none", n)
	}
	data := encode(t, b)
	back := decode(t, data)
	if diff := diff(s, snapshotOf(back)); diff != "" {
		t.Fatalf("decoded again (-want +got):\n%s", diff)
	}
	if again := encode(t, back); !bytes.Equal(again, data) {
		t.Fatalf("encoded again as\n%x, want\n%x", again, data)
	}
}

// FuzzDecode feeds the decoder with bytes as they are, with bytes that have a
// right checksum, which chance alone would not find, and with records of loans,
// holds and tenants of a block all of whose numbers are taken.
func FuzzDecode(f *testing.F) {
	blocks := []*Block{NewBlock(0), everything(f), tenanted(f), fullOfLoans(f, 20), fullOfHolds(f, 20)}
	for _, b := range blocks {
		w := &writer{names: MaxEncoded}
		loans, holds, tenants := w.loans(b.loans), w.holds(b.holds), slices.Concat(w.tenants(&b.tenants)...)
		data := encode(f, b)
		f.Add(data, loans, holds, tenants)
		f.Add(data[:len(data)-checksumBytes], loans, []byte{}, []byte{})
		f.Add(data[:len(data)-checksumBytes], []byte{}, []byte{}, tenants)
		data = newer(f, 2, 1, b, section{6, []byte("later")})
		f.Add(data[:len(data)-checksumBytes], []byte{}, holds, tenants)
	}
	all := bitmap.New(allocator.BlockSize)
	all.TakeBand(all.Whole())
	taken, err := all.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data, loans, holds, tenants []byte) {
		records := written(1, 1, section{tagSerial, []byte{1}}, section{tagTaken, taken},
			section{tagLoans, loans}, section{tagHolds, holds}, section{tagTenants, tenants})
		for _, input := range [][]byte{data, sealed(data), records} {
			b, err := Decode(input)
			switch {
			case err == nil && len(input) <= MaxEncoded/2:
				checkDecoded(t, b)
			case err != nil && b != nil:
				t.Fatalf("decoded a block and failed: %v", err)
			}
		}
	})
}
