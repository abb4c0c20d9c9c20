// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"

	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// events returns a function that tells the manager's events of an object, for
// Eventually: "Warning Reason: note". Now and then the API server has one of its
// own to tell of a new Service.
func (in space) events(kind, name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var list eventsv1.EventList
		err := api.List(ctx, &list, client.InNamespace(in))
		// The stock controllers' names.
		eventSources := []string{"endpoint-slice-controller", "endpoint-controller", "endpoint-slice-mirroring-controller"}
		var told []string
		for i := range list.Items {
			event := &list.Items[i]
			ours := slices.Contains(eventSources, event.ReportingController)
			if ours && event.Regarding.Kind == kind && event.Regarding.Name == name {
				told = append(told, fmt.Sprintf("%s %s: %s", event.Type, event.Reason, event.Note))
			}
		}
		return told, err
	}
}
