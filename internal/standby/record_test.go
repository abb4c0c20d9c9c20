// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package standby

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

func TestRecordsCanBeRead(t *testing.T) {
	want := Record{
		"endpoints":     {Decision: Decision{Acts: true, Reason: NobodyElse, Message: "nobody else writes endpoints"}, Since: "2026-01-01T00:00:00Z"},
		"endpointslice": {Decision: Decision{Reason: Asking, Message: `"wait"`}},
	}
	got, err := ParseRecord(want.String())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; (-want +got):\n%s", err, diff)
	}
	if got, err := ParseRecord(""); err != nil || len(got) > 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	if _, err := ParseRecord("acts"); err == nil {
		t.Error("what is no record is read")
	}
}

func TestQuestion(t *testing.T) {
	for name, test := range map[string]struct {
		service types.NamespacedName
		want    bool
	}{
		"the first":         {types.NamespacedName{Namespace: "ours", Name: ServiceName}, true},
		"the second":        {types.NamespacedName{Namespace: "ours", Name: MirroredName}, true},
		"another":           {types.NamespacedName{Namespace: "ours", Name: "web"}, false},
		"of somebody else":  {types.NamespacedName{Namespace: "theirs", Name: ServiceName}, false},
		"without anything":  {types.NamespacedName{}, false},
		"only in its place": {types.NamespacedName{Namespace: "ours"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Question(test.service, "ours"); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
