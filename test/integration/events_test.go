// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"

	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// events returns a function that tells the events of an object, for Eventually:
// "Warning Reason: note".
func (in space) events(kind, name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var list eventsv1.EventList
		err := api.List(ctx, &list, client.InNamespace(in))
		var told []string
		for i := range list.Items {
			event := &list.Items[i]
			if event.Regarding.Kind == kind && event.Regarding.Name == name {
				told = append(told, fmt.Sprintf("%s %s: %s", event.Type, event.Reason, event.Note))
			}
		}
		return told, err
	}
}
