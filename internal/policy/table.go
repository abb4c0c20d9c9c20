// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"servicenet.dev/servicenet/internal/pool"
)

const (
	// longestExpression is how many bytes an expression may have. The API server
	// takes 100,000 characters.
	longestExpression = 64 << 10
	// mostTables is how many policies of a kind there are at most.
	mostTables = 8
)

// table leads from blocks of numbers to rules.
type table struct {
	blocks strings.Builder
	rules  strings.Builder
	known  map[string]int
	// sizes are those of the blocks, by kind.
	sizes map[kind]map[int]bool
}

// entry is a block, and the rule for it, written in CEL.
type entry struct {
	block
	rule string
}

func newTable() *table {
	return &table{known: map[string]int{}, sizes: map[kind]map[int]bool{ipv4: {}, ipv6: {}, ports: {}}}
}

// tabulate puts the fences into as few tables as it can, each into one as a whole.
// It returns the pools of those that fit into none.
func tabulate[N any](fences []pool.Fence[N], cut func(first, last N) []block) (tables []*table, left []string) {
	for i := range fences {
		entries := entriesOf(&fences[i], cut)
		fits := slices.ContainsFunc(tables, func(t *table) bool { return t.add(entries) })
		if fits {
			continue
		}
		if next := newTable(); len(tables) < mostTables && next.add(entries) {
			tables = append(tables, next)
			continue
		}
		left = append(left, fences[i].Pool)
	}
	return tables, left
}

// entriesOf returns the entries of a pool. A reserved number has one of its own, of
// the smallest block, which goes before the larger one around it.
func entriesOf[N any](f *pool.Fence[N], cut func(first, last N) []block) []entry {
	var entries []entry
	rule := ruleOf(&f.Terms)
	for _, part := range f.Spans {
		for _, b := range cut(part.First, part.Last) {
			entries = append(entries, entry{b, rule})
		}
	}
	seen := map[string]int{}
	for i := range entries {
		seen[entries[i].key] = i
	}
	for _, reserved := range f.Reserved {
		b, rule := cut(reserved.Number, reserved.Number)[0], ruleFor(reserved.Namespace, reserved.Name)
		if i, twice := seen[b.key]; twice {
			entries[i].rule = rule
			continue
		}
		entries = append(entries, entry{b, rule})
	}
	return entries
}

// add adds entries, all or, if there is no room, none.
func (t *table) add(entries []entry) bool {
	var blocks, rules strings.Builder
	fresh := map[string]int{}
	for i := range entries {
		e := &entries[i]
		rule, found := t.known[e.rule]
		if !found {
			rule, found = fresh[e.rule]
		}
		if !found {
			rule = len(t.known) + len(fresh)
			fresh[e.rule] = rule
			rules.WriteString(e.rule + ",\n")
		}
		blocks.WriteString(strconv.Quote(e.key) + ":" + strconv.Itoa(rule) + ",\n")
	}
	if t.blocks.Len()+blocks.Len() > longestExpression || t.rules.Len()+rules.Len() > longestExpression {
		return false
	}
	maps.Copy(t.known, fresh)
	t.blocks.WriteString(blocks.String())
	t.rules.WriteString(rules.String())
	for i := range entries {
		t.sizes[entries[i].kind][entries[i].size] = true
	}
	return true
}

// Words of the Service and of its namespace, of which rules demand some.
const (
	namespaceWord = "ns:"
	serviceWord   = "svc:"
	nameWord      = "is:"
)

// ruleOf returns a rule in CEL: a list of requirements. Each is a list of "+" and
// words of which there must be one, or of "-" and words of which there must be none.
func ruleOf(terms *pool.Terms) string {
	if terms.Nobody {
		return `[["+"]]`
	}
	all := requirements(namespaceWord, terms.Namespaces)
	all = append(all, requirements(serviceWord, terms.Services)...)
	return list(all)
}

func requirements(word string, written []pool.Requirement) []string {
	var all []string
	for _, r := range written {
		words := []string{quote("+")}
		if r.Not {
			words[0] = quote("-")
		}
		for _, value := range r.Values {
			words = append(words, quote(word+r.Key+"="+value))
		}
		if len(r.Values) == 0 {
			words = append(words, quote(word+r.Key))
		}
		all = append(all, list(words))
	}
	return all
}

// ruleFor returns the rule that only one Service keeps.
func ruleFor(namespace, name string) string {
	return `[["+",` + quote(nameWord+namespace+"/"+name) + `]]`
}

func list(items []string) string { return "[" + strings.Join(items, ",") + "]" }

// quote returns a text as CEL has it, whatever is in it.
func quote(text string) string { return strconv.QuoteToASCII(strings.ToValidUTF8(text, "\uFFFD")) }

// sizesOf returns the sizes of the blocks of a kind as a list in CEL, the smallest
// blocks first.
func (t *table) sizesOf(of kind) string {
	sizes := slices.Sorted(maps.Keys(t.sizes[of]))
	if of != ports {
		slices.Reverse(sizes) // the longest prefix is the smallest block
	}
	words := make([]string, len(sizes))
	for i, size := range sizes {
		words[i] = strconv.Itoa(size)
	}
	return list(words)
}
