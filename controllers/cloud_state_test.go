// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestAChangeOfNodesIsNoNewsToThoseThatFail also has them hear of the next one once they
// do not fail any more, or had only to wait for the cache.
func TestAChangeOfNodesIsNoNewsToThoseThatFail(t *testing.T) {
	t.Parallel()
	web := balancerOf("web")
	for name, test := range map[string]struct {
		ends []error
		want []types.NamespacedName
	}{
		"one that works":             {[]error{nil}, []types.NamespacedName{web}},
		"one that fails":             {[]error{errors.New("refused")}, nil},
		"one that works again":       {[]error{errors.New("refused"), nil}, []types.NamespacedName{web}},
		"one that waits for a cache": {[]error{errStale}, []types.NamespacedName{web}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := newCloudRecords()
			records.add(web, &corev1.Service{})
			for _, err := range test.ends {
				records.ended(web, err)
			}
			if diff := cmp.Diff(test.want, records.affected()); diff != "" {
				t.Errorf("who is to be told (-want +got):\n%s", diff)
			}
			records.forget(web)
			records.ended(web, errors.New("refused"))
			if len(records.affected())+len(records.failing) > 0 {
				t.Error("one that is gone is remembered")
			}
		})
	}
}
