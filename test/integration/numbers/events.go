// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Events returns the reasons of the managers' events, and what they are about.
func (s *Server) Events(ctx context.Context) ([]string, error) {
	var all corev1.EventList
	if err := s.API.List(ctx, &all); err != nil {
		return nil, err
	}
	found := []string{}
	for i := range all.Items {
		event := &all.Items[i]
		if event.ReportingController == "servicenet" {
			found = append(found, event.Reason+" "+event.InvolvedObject.Kind+" "+event.InvolvedObject.Name)
		}
	}
	return found, nil
}

// ForgetEvents deletes all events.
func (s *Server) ForgetEvents(ctx context.Context) {
	GinkgoHelper()
	var all corev1.EventList
	Expect(s.API.List(ctx, &all)).To(Succeed())
	for i := range all.Items {
		Expect(client.IgnoreNotFound(s.API.Delete(ctx, &all.Items[i]))).To(Succeed())
	}
}
