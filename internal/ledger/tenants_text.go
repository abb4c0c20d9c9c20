// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/hex"
	"errors"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// Tenants are written lot by lot: which one, how many bytes it has, and in it
//
//   - how many namespaces there are, and each, in the order of their marks: its
//     name, or an empty one and the mark
//   - how many keys there are, and each, in order
//   - each tenant: which number of the lot, which of the flags below it has, the UID
//     (16 bytes if it is a UUID), which namespace, the name or else the digest of
//     both names, which key, the selector's digest, how many sockets there are and
//     how far each is from the last one
//
// in the order of numbers and of UIDs.
const (
	tenantKey = 1 << iota
	tenantCrossNamespace
	tenantNode
	tenantSelector
	tenantName
	tenantUUID

	tenantFlags = 1<<iota - 1
)

const (
	// lotHeader is what a lot takes at most besides its content: its index and
	// length.
	lotHeader = 4
	uuidBytes = 16
)

// lotText is the encoding of a lot.
type lotText struct {
	data []byte
	// names is how many bytes of it are names.
	names int
}

// mostBytes is how many bytes a tenant takes at most without its name, with its
// namespace and key alone in their lot.
func (t Tenant) mostBytes() int {
	most := 1 + 1 + 2 + uuidBytes + 3 + len(mark{}) + len(Digest{}) + 3 + 3*len(t.Sockets)
	if _, ok := parseUUID(t.UID); !ok {
		most += len(t.UID)
	}
	if t.Key != (SharingKey{}) {
		most += 3 + len(SharingKey{})
	}
	if t.Selector != (Digest{}) {
		most += len(Digest{})
	}
	return most
}

// text returns the encoding of a lot, with names or without.
func (l *lot) text(named bool) *lotText {
	cached := &l.bare
	if named {
		cached = &l.named
	}
	text := cached.Load()
	if text == nil {
		text = l.write(named)
		cached.Store(text)
	}
	return text
}

// tenants returns the parts of the encoding of tenants, with the names of as many
// lots as there is room for.
func (w *writer) tenants(t *tenantTable) (parts [][]byte) {
	for i, l := range &t.lots {
		if l == nil {
			continue
		}
		text := l.text(true)
		if text.names > w.names {
			text = l.text(false)
		}
		w.names -= text.names
		parts = append(parts, appendNumber(appendNumber(nil, i), len(text.data)), text.data)
	}
	return parts
}

// lotWriter writes one lot.
type lotWriter struct {
	lotText
	named      bool
	namespaces []space
	keys       []SharingKey
}

// space is a namespace: its mark, and its name if it is known.
type space struct {
	mark
	name string
}

func compareSpaces(a, b space) int { return bytes.Compare(a.mark[:], b.mark[:]) }

func compareKeys(a, b SharingKey) int { return bytes.Compare(a[:], b[:]) }

func (l *lot) write(named bool) *lotText {
	w := &lotWriter{named: named}
	namespaces, keys, most := map[mark]string{}, map[SharingKey]bool{}, 0
	for _, tenants := range &l.tenants {
		for i := range tenants {
			t := &tenants[i]
			// Some tenants may know the name, and others not.
			if name := namespaces[t.namespace]; name == "" {
				namespaces[t.namespace] = t.Service.name.Namespace
			}
			if t.Key != (SharingKey{}) {
				keys[t.Key] = true
			}
			most += t.mostBytes()
			if w.named {
				most += len(t.Service.name.Name)
			}
		}
	}
	w.data = make([]byte, 0, most)
	w.tables(namespaces, keys)
	for number, tenants := range &l.tenants {
		for i := range tenants {
			w.tenant(number, &tenants[i])
		}
	}
	return &w.lotText
}

func (w *lotWriter) tables(namespaces map[mark]string, keys map[SharingKey]bool) {
	for namespace, name := range namespaces {
		if !w.named {
			name = ""
		}
		w.namespaces = append(w.namespaces, space{namespace, name})
	}
	slices.SortFunc(w.namespaces, compareSpaces)
	w.keys = slices.SortedFunc(maps.Keys(keys), compareKeys)
	w.data = appendNumber(w.data, len(w.namespaces))
	for _, s := range w.namespaces {
		w.data = appendBytes(w.data, []byte(s.name))
		if s.name == "" {
			w.data = append(w.data, s.mark[:]...)
		}
		w.names += len(s.name)
	}
	w.data = appendNumber(w.data, len(w.keys))
	for _, key := range w.keys {
		w.data = append(w.data, key[:]...)
	}
}

func (w *lotWriter) tenant(number int, t *Tenant) {
	w.data = append(w.data, byte(number)) //nolint:gosec // one of a lot
	flags := len(w.data)
	w.data = append(w.data, t.flags())
	if uuid, ok := parseUUID(t.UID); ok {
		w.data[flags] |= tenantUUID
		w.data = append(w.data, uuid[:]...)
	} else {
		w.data = appendBytes(w.data, []byte(t.UID))
	}
	namespace, _ := slices.BinarySearchFunc(w.namespaces, space{mark: t.namespace}, compareSpaces)
	w.data = appendNumber(w.data, namespace)
	if name := t.Service.name; w.named && name.Name != "" && name.Namespace != "" {
		w.data[flags] |= tenantName
		w.data = appendBytes(w.data, []byte(name.Name))
		w.names += len(name.Name) + 1
	} else {
		w.data = append(w.data, t.Service.digest[:]...)
	}
	if t.Key != (SharingKey{}) {
		key, _ := slices.BinarySearchFunc(w.keys, t.Key, compareKeys)
		w.data = appendNumber(w.data, key)
	}
	if t.Selector != (Digest{}) {
		w.data = append(w.data, t.Selector[:]...)
	}
	w.data = appendNumber(w.data, len(t.Sockets))
	last := Socket(0)
	for _, socket := range t.Sockets {
		w.data = appendNumber(w.data, int(socket-last))
		last = socket
	}
}

// flags are those that only the terms decide on.
func (t Tenant) flags() (flags byte) {
	if t.Key != (SharingKey{}) {
		flags |= tenantKey
	}
	if t.CrossNamespace {
		flags |= tenantCrossNamespace
	}
	if t.Node {
		flags |= tenantNode
	}
	if t.Selector != (Digest{}) {
		flags |= tenantSelector
	}
	return flags
}

// lotReader reads one lot.
type lotReader struct {
	reader
	namespaces []space
	keys       []SharingKey
}

func (b *Block) decodeTenants(r *reader) error {
	next := 0
	for len(r.left) > 0 {
		at := r.number()
		content := r.bytes()
		if r.err == nil && (at < uint64(next) || at >= uint64(len(b.tenants.lots))) {
			r.fail("tenants are out of order")
		}
		if r.err != nil {
			break
		}
		l := &lotReader{reader: reader{left: content}}
		read := l.lot()
		if err := l.end(); err != nil {
			return err
		}
		b.tenants.lots[at] = read
		for _, tenants := range &read.tenants {
			for i := range tenants {
				b.tenants.most += tenants[i].mostBytes()
			}
		}
		next = int(at) + 1 //nolint:gosec // one of 64
	}
	return r.err
}

func (r *lotReader) lot() *lot {
	for range r.count() {
		name := string(r.bytes())
		s := space{name: name}
		if name == "" {
			copy(s.mark[:], r.take(len(s.mark)))
		} else {
			s.mark = markOf(name)
		}
		r.namespaces = append(r.namespaces, s)
	}
	for range r.count() {
		key := SharingKey{}
		copy(key[:], r.take(len(key)))
		r.keys = append(r.keys, key)
	}
	l := &lot{}
	last, some := 0, false
	for len(r.left) > 0 && r.err == nil {
		number, t := r.tenant()
		if number < last || number >= lotSize {
			r.fail("tenants are out of order")
			break
		}
		before := l.tenants[number]
		if len(before) > 0 && before[len(before)-1].UID >= t.UID {
			r.fail("tenants of a number are out of order")
		}
		l.tenants[number] = append(before, t)
		last, some = number, true
	}
	if !some {
		r.fail("there are no tenants where some should be")
	}
	return l
}

func (r *lotReader) tenant() (number int, t Tenant) {
	number = int(r.octet())
	flags := r.flags(tenantFlags)
	if flags&tenantUUID != 0 {
		t.UID = formatUUID(r.take(uuidBytes))
	} else {
		t.UID = types.UID(r.bytes())
	}
	s := r.space()
	t.namespace = s.mark
	if flags&tenantName != 0 {
		t.Service = SubjectOf(types.NamespacedName{Namespace: s.name, Name: string(r.bytes())})
		if s.name == "" || t.Service.Nobody() {
			r.fail("a tenant has no name")
		}
	} else {
		t.Service = Subject{digest: r.digest()}
	}
	t.CrossNamespace, t.Node = flags&tenantCrossNamespace != 0, flags&tenantNode != 0
	if flags&tenantKey != 0 {
		t.Key = r.key()
	}
	if flags&tenantSelector != 0 {
		t.Selector = r.digest()
	}
	t.Sockets = r.sockets()
	return number, t
}

// space returns the namespace with the index that follows.
func (r *lotReader) space() space {
	index := r.number()
	if index >= uint64(len(r.namespaces)) {
		r.fail("a namespace is not listed")
		return space{}
	}
	return r.namespaces[index]
}

// key returns the key with the index that follows.
func (r *lotReader) key() SharingKey {
	index := r.number()
	if index >= uint64(len(r.keys)) {
		r.fail("a key is not listed")
		return SharingKey{}
	}
	return r.keys[index]
}

func (r *lotReader) sockets() []Socket {
	count := r.number()
	if count == 0 || r.err != nil {
		return nil
	}
	if count > uint64(len(r.left)) {
		r.fail("it is cut off")
		return nil
	}
	sockets := make([]Socket, 0, count)
	last := uint64(0)
	for i := range count {
		distance := r.number()
		if distance >= socketEnd || last+distance >= socketEnd || i > 0 && distance == 0 {
			r.fail("a socket is none")
			return nil
		}
		last += distance
		sockets = append(sockets, Socket(last)) //nolint:gosec // of 18 bits
	}
	return sockets
}

// checkTenants fails when a number has tenants and is not taken, or not by them.
func (b *Block) checkTenants() error {
	for number := range b.tenants.differ(&tenantTable{}) {
		if b.State(number) != Used {
			return errors.New("the record of a block contradicts itself: a number that has tenants")
		}
	}
	return nil
}

// parseUUID returns the bytes of a UID that is written as UUIDs are.
func parseUUID(uid types.UID) (uuid [uuidBytes]byte, ok bool) {
	const length = 36
	if len(uid) != length || uid[8] != '-' || uid[13] != '-' || uid[18] != '-' || uid[23] != '-' {
		return uuid, false
	}
	at := 0
	for i := 0; i < length; i += 2 {
		if uid[i] == '-' {
			i++
		}
		high, low := digit(uid[i]), digit(uid[i+1])
		if high > 0xf || low > 0xf {
			return uuid, false
		}
		uuid[at] = high<<4 | low
		at++
	}
	return uuid, true
}

// digit returns the value of a hexadecimal digit as UUIDs have them, and more than
// 15 of anything else.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	default:
		return 0xff
	}
}

func formatUUID(uuid []byte) types.UID {
	if len(uuid) != uuidBytes {
		return ""
	}
	text := hex.EncodeToString(uuid)
	return types.UID(text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:])
}
