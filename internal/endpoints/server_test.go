// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// server is a tiny API server for one Endpoints object.
type server struct {
	t       *testing.T
	current *corev1.Endpoints
	version int
}

// store keeps an object as its JSON says, or fails the test where a real server
// would refuse it.
func (s *server) store(object *corev1.Endpoints) {
	s.t.Helper()
	for i := range object.Subsets {
		subset := &object.Subsets[i]
		if len(subset.Addresses)+len(subset.NotReadyAddresses) == 0 {
			s.t.Fatalf("subset %d has no addresses", i)
		}
		for _, address := range slices.Concat(subset.Addresses, subset.NotReadyAddresses) {
			if address.NodeName != nil && *address.NodeName == "" {
				s.t.Fatalf("%s has an empty node name", address.IP)
			}
		}
	}
	raw, err := json.Marshal(object)
	if err != nil {
		s.t.Fatal(err)
	}
	s.current = &corev1.Endpoints{}
	if err := json.Unmarshal(raw, s.current); err != nil {
		s.t.Fatal(err)
	}
	s.version++
	s.current.ResourceVersion = strconv.Itoa(s.version)
}

// plan makes and carries out a plan, and checks that nothing is left to do.
func (s *server) plan(in Input) Changes {
	s.t.Helper()
	in.Current = s.current
	changes := Plan(in)
	s.apply(&changes)
	in.Current = s.current
	if again := Plan(in); !again.Empty() {
		s.t.Fatalf("a plan that was carried out left something to do (-stored +planned):\n%s", cmp.Diff(s.current, again.Update))
	}
	return changes
}

func (s *server) apply(changes *Changes) {
	s.t.Helper()
	switch {
	case changes.Create != nil && changes.Update != nil:
		s.t.Fatal("a plan of two writes")
	case changes.Create != nil:
		if s.current != nil {
			s.t.Fatal("created an object that exists")
		}
		s.store(changes.Create)
	case changes.Update != nil:
		if s.current == nil || s.current.ResourceVersion != changes.Update.ResourceVersion {
			s.t.Fatalf("updated from resourceVersion %q, which is not the current one", changes.Update.ResourceVersion)
		}
		s.store(changes.Update)
	}
}

// planned returns the object of a Service that had none before.
func planned(t *testing.T, service *corev1.Service, pods ...*corev1.Pod) *corev1.Endpoints {
	t.Helper()
	s := &server{t: t}
	s.plan(Input{Service: service, Pods: pods})
	return s.current
}
