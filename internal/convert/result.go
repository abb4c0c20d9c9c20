// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"cmp"
	"fmt"
	"slices"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Result is what comes of a conversion.
type Result struct {
	// Pools are in the order of their names.
	Pools []*servicenetv1alpha1.LoadBalancerPool
	// Edits are what Services need, in the order of their names.
	Edits []Edit
	// Notes are what people have to know.
	Notes []Note
}

// Edit is labels and annotations that a Service needs. What it has besides stays.
type Edit struct {
	Namespace, Name     string
	Annotations, Labels map[string]string
}

// Note is something that people have to know.
type Note struct {
	// About names an object: its kind, and its name.
	About string
	Text  string
	// Lost tells that something is not as it was. Without it, all is, and the note
	// says how.
	Lost bool
}

func (n Note) String() string { return n.About + ": " + n.Text }

// Lost tells whether something is not as it was.
func (r *Result) Lost() bool {
	return slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Lost })
}

// losef notes that something is not as it was.
func (r *Result) losef(about, format string, args ...any) {
	r.Notes = append(r.Notes, Note{About: about, Text: fmt.Sprintf(format, args...), Lost: true})
}

// tellf notes something else.
func (r *Result) tellf(about, format string, args ...any) {
	r.Notes = append(r.Notes, Note{About: about, Text: fmt.Sprintf(format, args...)})
}

// edit returns the edit of a Service, a new one if it has none yet.
func (r *Result) edit(namespace, name string) *Edit {
	at, found := slices.BinarySearchFunc(r.Edits, Edit{Namespace: namespace, Name: name}, compareEdits)
	if !found {
		r.Edits = slices.Insert(r.Edits, at, Edit{
			Namespace: namespace, Name: name, Annotations: map[string]string{}, Labels: map[string]string{},
		})
	}
	return &r.Edits[at]
}

func compareEdits(a, b Edit) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
