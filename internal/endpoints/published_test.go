// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

func TestPublishedTellsWhichPodsAreListedAsTheyAre(t *testing.T) {
	object := planned(t, makeService(), makePod(0), makePod(1, unready))
	object.Subsets[0].Addresses = append(object.Subsets[0].Addresses, at("10.9.9.9")) // no pod
	published := Published(object)
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want bool
	}{
		"ready as listed":     {makePod(0), true},
		"not ready as listed": {makePod(1, unready), true},
		"no longer ready":     {makePod(0, unready), false},
		"ready now":           {makePod(1), false},
		"not listed":          {makePod(2), false},
	} {
		readiness := endpointslice.ReadinessOf(test.pod)
		if got := published(&readiness); got != test.want {
			t.Errorf("%s: published is %v, want %v", name, got, test.want)
		}
	}
}

func TestNothingIsPublishedByAnotherHand(t *testing.T) {
	if Published(nil) != nil || Published(&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "web"}}) != nil {
		t.Error("want nil without an object of this controller")
	}
}
