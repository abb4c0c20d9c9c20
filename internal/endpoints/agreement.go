// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// agreement is an object that a plan has found in order. It stays so as long as it
// is not written and no member changes that it lists, and need not be compared again:
// of a Service with many more pods than Endpoints can list, most changes concern none
// that is listed.
type agreement struct {
	uid     types.UID
	version string
	cut     bool // there were more addresses than it lists
	// last is the last of the ready members it lists, if it has no room for more.
	last *member
}

// agree takes notice that an object is in order.
func (s *State) agree(current *corev1.Endpoints, leftOut int) {
	if current == nil || current.ResourceVersion == "" {
		return
	}
	s.agreed = &agreement{uid: current.UID, version: current.ResourceVersion, cut: leftOut > 0}
	if s.ready.length >= MaxAddresses {
		s.agreed.last = s.ready.at(MaxAddresses - 1)
	}
}

// agrees tells whether that still holds.
func (s *State) agrees(current *corev1.Endpoints, leftOut int) bool {
	return s.agreed != nil && current != nil && s.agreed.uid == current.UID && s.agreed.version == current.ResourceVersion &&
		s.agreed.cut == (leftOut > 0)
}

// touch takes notice of a member that is about to come or to go.
func (s *State) touch(m *member) {
	if s.agreed == nil {
		return
	}
	last := s.agreed.last
	if last == nil || m.ready && compareMembers(m, last) <= 0 {
		s.agreed = nil
	}
}
