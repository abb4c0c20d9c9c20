// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// ofTarget returns whether Prometheus adds a label to what it scrapes.
func ofTarget(label string) bool {
	return slices.Contains([]string{"cluster", "container", "endpoint", "instance", "job", "namespace", "pod", "service"}, label)
}

// check returns what is wrong with an expression.
func (k *known) check(e expression) []string {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(e.text)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			found = append(found, k.checkSelector(n)...)
		case *parser.AggregateExpr:
			found = append(found, lacking("it is grouped", n.Grouping, k.labels(n.Expr))...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				found = append(found, lacking("its sides are matched", n.VectorMatching.MatchingLabels, k.labels(n.LHS))...)
				found = append(found, lacking("its sides are matched", n.VectorMatching.MatchingLabels, k.labels(n.RHS))...)
			}
		}
		return nil
	})
	return append(found, lacking("a text shows it", e.uses, k.labels(expr))...)
}

// checkSelector returns what is wrong with the name and the matchers of a selector.
func (k *known) checkSelector(n *parser.VectorSelector) []string {
	if n.Name == "up" {
		return nil // Prometheus itself makes it
	}
	series := k.series(n.Name)
	if series == nil {
		return []string{fmt.Sprintf("there is no metric %q", n.Name)}
	}
	var found []string
	var values []*labels.Matcher
	has := k.labels(n)
	for _, matcher := range n.LabelMatchers {
		if matcher.Name == model.MetricNameLabel || ofTarget(matcher.Name) {
			continue
		}
		values = append(values, matcher)
		if !has[matcher.Name] {
			found = append(found, fmt.Sprintf("%s has no label %q", n.Name, matcher.Name))
			continue
		}
		if inverse := inverted(matcher); inverse != nil && !k.anyMatches(series, inverse) {
			found = append(found, fmt.Sprintf("%s never has what %s leaves out", n.Name, matcher))
		}
	}
	if len(found) == 0 && !k.anyMatches(series, values...) {
		found = append(found, fmt.Sprintf("no series matches %s", n))
	}
	return found
}

// inverted returns the matcher of what another one leaves out; nil if that takes
// what it names. To leave out what never is, is a mistake.
func inverted(of *labels.Matcher) *labels.Matcher {
	if of.Type == labels.MatchEqual || of.Type == labels.MatchRegexp {
		return nil
	}
	inverse, err := of.Inverse()
	if err != nil {
		return nil
	}
	return inverse
}

// anyMatches tells whether a series has what all matchers want.
func (k *known) anyMatches(series []map[string]string, matchers ...*labels.Matcher) bool {
	return slices.ContainsFunc(series, func(of map[string]string) bool {
		for _, matcher := range matchers {
			if !slices.Contains(k.open, matcher.Name) && !matcher.Matches(of[matcher.Name]) {
				return false
			}
		}
		return true
	})
}

// lacking returns which of some labels are not among those that there are.
func lacking(why string, want []string, has map[string]bool) []string {
	var found []string
	for _, label := range want {
		if !has[label] && (!has[anyTarget] || !ofTarget(label)) {
			found = append(found, fmt.Sprintf("%s by label %q, of which there is none", why, label))
		}
	}
	return found
}

// anyTarget among labels stands for those that Prometheus adds.
const anyTarget = "*"

// labels returns those that the result of an expression can have.
func (k *known) labels(expr parser.Expr) map[string]bool {
	switch n := expr.(type) {
	case *parser.VectorSelector:
		return k.selected(n)
	case *parser.AggregateExpr:
		return k.grouped(n)
	case *parser.BinaryExpr:
		if has := k.labels(n.LHS); len(has) > 0 {
			return has
		}
		return k.labels(n.RHS) // a number on the left
	}
	has := map[string]bool{}
	for part := range parser.ChildrenIter(expr) {
		if inner, ok := part.(parser.Expr); ok {
			maps.Copy(has, k.labels(inner))
		}
	}
	if call, ok := expr.(*parser.Call); ok && call.Func.Name == "histogram_quantile" {
		delete(has, labels.BucketLabel)
	}
	return has
}

// selected returns those of a selector.
func (k *known) selected(n *parser.VectorSelector) map[string]bool {
	has := map[string]bool{anyTarget: true}
	for _, series := range k.series(n.Name) {
		for label := range series {
			has[label] = true
		}
	}
	return has
}

// grouped returns the labels that an aggregation leaves.
func (k *known) grouped(n *parser.AggregateExpr) map[string]bool {
	inner := k.labels(n.Expr)
	if n.Without {
		for _, label := range n.Grouping {
			delete(inner, label)
		}
		return inner
	}
	has := map[string]bool{}
	for _, label := range n.Grouping {
		has[label] = true
	}
	if n.Op == parser.TOPK || n.Op == parser.BOTTOMK {
		return inner
	}
	return has
}
