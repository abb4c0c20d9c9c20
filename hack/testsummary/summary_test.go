// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummarize(t *testing.T) {
	tests := map[string]struct {
		events string
		want   summary
	}{
		"no event at all": {
			want: summary{},
		},
		"passed, failed and skipped tests": {
			events: `
				{"Action":"run","Package":"a","Test":"TestOne"}
				{"Action":"pass","Package":"a","Test":"TestOne"}
				{"Action":"fail","Package":"a","Test":"TestTwo"}
				{"Action":"skip","Package":"a","Test":"TestThree"}
				{"Action":"fail","Package":"a"}`,
			want: summary{packages: count{failed: 1}, tests: count{passed: 1, failed: 1, skipped: 1}},
		},
		"subtests count, their parent does not": {
			events: `
				{"Action":"pass","Package":"a","Test":"TestOne/x"}
				{"Action":"fail","Package":"a","Test":"TestOne/y"}
				{"Action":"fail","Package":"a","Test":"TestOne"}
				{"Action":"fail","Package":"a"}`,
			want: summary{packages: count{failed: 1}, tests: count{passed: 1, failed: 1}},
		},
		"specs of a Ginkgo suite": {
			events: `
				{"Action":"output","Package":"a","Test":"TestSuite","Output":"\u001b[1mFAIL!\u001b[0m -- \u001b[38;5;10m3 Passed\u001b[0m | \u001b[38;5;9m1 Failed\u001b[0m | 0 Pending | 2 Skipped\n"}
				{"Action":"fail","Package":"a","Test":"TestSuite"}
				{"Action":"fail","Package":"a"}`,
			want: summary{packages: count{failed: 1}, tests: count{passed: 3, failed: 1, skipped: 2}},
		},
		"package that does not compile": {
			events: `
				{"ImportPath":"a","Action":"build-fail"}
				{"Action":"start","Package":"a"}
				{"Action":"fail","Package":"a","FailedBuild":"a"}`,
			want: summary{packages: count{failed: 1}, tests: count{failed: 1}},
		},
		"test cut off by a timeout": {
			events: `
				{"Action":"run","Package":"a","Test":"TestOne"}
				{"Action":"fail","Package":"a"}`,
			want: summary{packages: count{failed: 1}, tests: count{failed: 1}},
		},
		"package without tests": {
			events: `
				{"Action":"skip","Package":"a"}
				{"Action":"pass","Package":"b","Test":"TestOne"}
				{"Action":"pass","Package":"b"}`,
			want: summary{packages: count{passed: 1}, tests: count{passed: 1}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			packages, err := read(strings.NewReader(test.events))
			if err != nil {
				t.Fatal(err)
			}
			got := summarize(packages)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(summary{}, count{})); diff != "" {
				t.Errorf("unexpected summary (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadRefusesWhatIsNotJSON(t *testing.T) {
	if _, err := read(strings.NewReader("ok  	a	0.1s")); err == nil {
		t.Error("read accepted plain text")
	}
}
