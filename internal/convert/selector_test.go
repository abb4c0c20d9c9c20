// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// parse returns a selector that is written as kubectl takes it.
func parse(t *testing.T, text string) metav1.LabelSelector {
	t.Helper()
	selector, err := metav1.ParseToLabelSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return *selector
}

func TestEitherPicksWhatAnyPicksOrSaysThatItCannot(t *testing.T) {
	for name, test := range map[string]struct {
		selectors []string
		want      string
		cannot    bool
	}{
		"one":                              {[]string{"a=1,b=2"}, "a=1,b=2", false},
		"the same":                         {[]string{"a=1", "a in (1)"}, "a=1", false},
		"values of one label":              {[]string{"a=1", "a=2", "a in (2,3)"}, "a in (1,2,3)", false},
		"beside what they have in common":  {[]string{"a=1,b=2", "a=3,b=2"}, "a in (1,3),b=2", false},
		"the weaker one":                   {[]string{"a=1,b=2", "b=2"}, "b=2", false},
		"the weaker one, ahead":            {[]string{"b=2", "a=1,b=2"}, "b=2", false},
		"everything":                       {[]string{"a=1", ""}, "", false},
		"step by step":                     {[]string{"a=1,b=1", "a=2,b=2", "a=1,b=2", "a=2,b=1"}, "a in (1,2),b in (1,2)", false},
		"different labels":                 {[]string{"a=1", "b=1"}, "", true},
		"two differences":                  {[]string{"a=1,b=1", "a=2,b=2"}, "", true},
		"values that are not to be":        {[]string{"a notin (1)", "a notin (2)"}, "", true},
		"labels that are there or are not": {[]string{"a", "!a"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var selectors []metav1.LabelSelector
			for _, text := range test.selectors {
				selectors = append(selectors, parse(t, text))
			}
			got, can := either(selectors)
			if can == test.cannot {
				t.Fatalf("can it be said: %v, want %v", can, !test.cannot)
			}
			if !can {
				return
			}
			if diff := cmp.Diff(test.want, metav1.FormatLabelSelector(got)); diff != "" && test.want != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			agrees(t, selectors, got)
		})
	}
}

// agrees walks all labels with a few keys and values.
func agrees(t *testing.T, selectors []metav1.LabelSelector, got *metav1.LabelSelector) {
	t.Helper()
	one, err := metav1.LabelSelectorAsSelector(got)
	if err != nil {
		t.Fatal(err)
	}
	values := []string{"", "1", "2", "3", "4"}
	for _, a := range values {
		for _, b := range values {
			of := labels.Set{}
			if a != "" {
				of["a"] = a
			}
			if b != "" {
				of["b"] = b
			}
			if want := picks(selectors, of); one.Matches(of) != want {
				t.Errorf("%v picks %v: %v, want %v", got, of, !want, want)
			}
		}
	}
}

func TestEitherOfNonePicksAll(t *testing.T) {
	if got, can := either(nil); got != nil || !can {
		t.Errorf("got %v, %v", got, can)
	}
}
