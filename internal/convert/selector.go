// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// either returns a selector that picks what any of some selectors picks, if there is
// one. Of none, it is the one that picks all.
func either(selectors []metav1.LabelSelector) (*metav1.LabelSelector, bool) {
	var all [][]requirement
	for i := range selectors {
		all = append(all, requirements(&selectors[i]))
	}
	for merged := true; merged; {
		merged = false
		for i := 0; i < len(all) && !merged; i++ {
			for j := i + 1; j < len(all) && !merged; j++ {
				if one, can := merge(all[i], all[j]); can {
					all[i], all, merged = one, slices.Delete(all, j, j+1), true
				}
			}
		}
	}
	switch len(all) {
	case 0:
		return nil, true
	case 1:
		return written(all[0]), true
	default:
		return nil, false
	}
}

type requirement = metav1.LabelSelectorRequirement

// requirements returns those of a selector in a fixed order.
func requirements(selector *metav1.LabelSelector) []requirement {
	var all []requirement
	for key, value := range selector.MatchLabels {
		all = append(all, requirement{Key: key, Operator: metav1.LabelSelectorOpIn, Values: []string{value}})
	}
	for i := range selector.MatchExpressions {
		r := *selector.MatchExpressions[i].DeepCopy()
		slices.Sort(r.Values)
		all = append(all, r)
	}
	slices.SortFunc(all, compareRequirements)
	return slices.CompactFunc(all, func(a, b requirement) bool { return compareRequirements(a, b) == 0 })
}

func compareRequirements(a, b requirement) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Operator, b.Operator), slices.Compare(a.Values, b.Values))
}

// merge returns requirements that are met where either of two sets of them are met, if
// one set says so: the weaker one of two, or one that allows more values of a label.
func merge(a, b []requirement) ([]requirement, bool) {
	onlyA, onlyB := without(a, b), without(b, a)
	switch {
	case len(onlyA) == 0:
		return a, true
	case len(onlyB) == 0:
		return b, true
	case len(onlyA) > 1 || len(onlyB) > 1 || onlyA[0].Key != onlyB[0].Key:
		return nil, false
	case onlyA[0].Operator != metav1.LabelSelectorOpIn || onlyB[0].Operator != metav1.LabelSelectorOpIn:
		return nil, false
	}
	values := slices.Concat(onlyA[0].Values, onlyB[0].Values)
	slices.Sort(values)
	wider := requirement{Key: onlyA[0].Key, Operator: metav1.LabelSelectorOpIn, Values: slices.Compact(values)}
	merged := append(without(a, onlyA), wider)
	slices.SortFunc(merged, compareRequirements)
	return merged, true
}

// without returns the requirements that others do not have.
func without(all, others []requirement) []requirement {
	return slices.DeleteFunc(slices.Clone(all), func(r requirement) bool {
		return slices.ContainsFunc(others, func(o requirement) bool { return compareRequirements(r, o) == 0 })
	})
}

// written returns requirements as people write them.
func written(all []requirement) *metav1.LabelSelector {
	selector := &metav1.LabelSelector{}
	for _, r := range all {
		_, twice := selector.MatchLabels[r.Key]
		if r.Operator != metav1.LabelSelectorOpIn || len(r.Values) != 1 || twice {
			selector.MatchExpressions = append(selector.MatchExpressions, r)
			continue
		}
		if selector.MatchLabels == nil {
			selector.MatchLabels = map[string]string{}
		}
		selector.MatchLabels[r.Key] = r.Values[0]
	}
	return selector
}
