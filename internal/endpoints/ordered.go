// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"slices"
	"strings"
)

// ordered holds members by address; those with the same one, which can be only for
// a moment, by name. It is cut into chunks, so that one that comes or goes moves few
// others.
type ordered struct {
	chunks [][]*member
	length int
}

// maxChunk is how many members a chunk holds at most.
const maxChunk = 512

func compareMembers(a, b *member) int {
	if order := a.address.compare(b.address.addressKey); order != 0 {
		return order
	}
	return strings.Compare(a.name, b.name)
}

// newOrdered returns members in order, in chunks with room for more.
func newOrdered(members []*member) ordered {
	slices.SortFunc(members, compareMembers)
	o := ordered{length: len(members)}
	for chunk := range slices.Chunk(members, maxChunk/2) {
		o.chunks = append(o.chunks, slices.Clone(chunk))
	}
	return o
}

// chunkOf returns the place of the chunk that a member belongs to.
func (o *ordered) chunkOf(m *member) int {
	after, _ := slices.BinarySearchFunc(o.chunks, m, func(chunk []*member, m *member) int {
		if compareMembers(chunk[0], m) > 0 {
			return 1
		}
		return -1
	})
	return max(after-1, 0)
}

func (o *ordered) insert(m *member) {
	o.length++
	if len(o.chunks) == 0 {
		o.chunks = [][]*member{{m}}
		return
	}
	i := o.chunkOf(m)
	at, _ := slices.BinarySearchFunc(o.chunks[i], m, compareMembers)
	o.chunks[i] = slices.Insert(o.chunks[i], at, m)
	if len(o.chunks[i]) > maxChunk {
		second := slices.Clone(o.chunks[i][maxChunk/2:])
		clear(o.chunks[i][maxChunk/2:])
		o.chunks[i] = o.chunks[i][:maxChunk/2]
		o.chunks = slices.Insert(o.chunks, i+1, second)
	}
}

func (o *ordered) remove(m *member) {
	if len(o.chunks) == 0 {
		return
	}
	i := o.chunkOf(m)
	at, found := slices.BinarySearchFunc(o.chunks[i], m, compareMembers)
	if !found {
		return
	}
	o.length--
	o.chunks[i] = slices.Delete(o.chunks[i], at, at+1)
	if len(o.chunks[i]) == 0 {
		o.chunks = slices.Delete(o.chunks, i, i+1)
	}
}

// at returns the member at a place that there is.
func (o *ordered) at(place int) *member {
	i := 0
	for ; place >= len(o.chunks[i]); i++ {
		place -= len(o.chunks[i])
	}
	return o.chunks[i][place]
}

// first returns the first members, as many as there are up to a number.
func (o *ordered) first(most int) []*member {
	var found []*member
	for _, chunk := range o.chunks {
		found = append(found, chunk[:min(len(chunk), most-len(found))]...)
		if len(found) == most {
			break
		}
	}
	return found
}

func (o *ordered) all() []*member { return o.first(o.length) }
