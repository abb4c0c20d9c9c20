// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
)

func TestEventsOfManyAreRecordedOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 1000
		to := events.NewFakeRecorder(many)
		paced := newPacedEvents(to)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		go func() { _ = paced.run(ctx) }()
		synctest.Wait()
		for i := range many {
			paced.Eventf(&corev1.Service{}, nil, corev1.EventTypeWarning, "Reason", "Action", "number %d", i)
		}
		synctest.Wait()
		if got := len(to.Events); got != eventsAtOnce {
			t.Errorf("%d events are recorded at once, want %d", got, eventsAtOnce)
		}
		time.Sleep(time.Second) //nolint:forbidigo // it takes no time in a bubble
		synctest.Wait()
		if got := len(to.Events); got != eventsAtOnce+eventsPerSecond {
			t.Errorf("after a second there are %d events, want %d", got, eventsAtOnce+eventsPerSecond)
		}
		time.Sleep(many / eventsPerSecond * time.Second) //nolint:forbidigo // as above
		synctest.Wait()
		for i := range many {
			if want, got := fmt.Sprintf("Warning Reason number %d", i), <-to.Events; got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

func TestEventsThatAreTooManyAreDropped(t *testing.T) {
	for kind, most := range map[string]int{corev1.EventTypeNormal: mostGoodNewsWaiting, corev1.EventTypeWarning: mostEventsWaiting} {
		paced := newPacedEvents(events.NewFakeRecorder(1))
		for range most + 1 {
			paced.Eventf(&corev1.Service{}, nil, kind, "Reason", "Action", "")
		}
		if len(paced.waiting) != most {
			t.Errorf("%d events of type %s wait, want %d", len(paced.waiting), kind, most)
		}
	}
}
