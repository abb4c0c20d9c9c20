// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// record is every Endpoints and EndpointSlice of the control plane at a moment,
// by kind, namespace and name, without those of controllers that are not taken
// over yet.
type record map[string]client.Object

func (w *world) record(ctx context.Context) (record, error) {
	found := record{}
	var endpoints corev1.EndpointsList //nolint:staticcheck // deprecated, not gone
	if err := w.api.List(ctx, &endpoints); err != nil {
		return nil, err
	}
	for i := range endpoints.Items {
		found.add("Endpoints", &endpoints.Items[i], endpointsController)
	}
	var list discoveryv1.EndpointSliceList
	if err := w.api.List(ctx, &list); err != nil {
		return nil, err
	}
	for i := range list.Items {
		slice, by := &list.Items[i], slicesController
		if slice.Labels[discoveryv1.LabelManagedBy] == mirrored {
			by = mirroringController
		}
		found.add("EndpointSlice", slice, by)
	}
	return found, nil
}

func (r record) add(kind string, object client.Object, by feature) {
	if by.present() && object.GetNamespace() != markers {
		object.SetManagedFields(nil) // who wrote last shows in the version
		r[fmt.Sprintf("%s %s/%s", kind, object.GetNamespace(), object.GetName())] = object
	}
}

// compare tells what became of the objects since: one line for each that was
// made, deleted or so much as written.
func (r record) compare(now record) []string {
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(r)) {
		before, after := r[name], now[name]
		switch {
		case after == nil:
			changes = append(changes, name+" is gone")
		case identity(before) != identity(after):
			changes = append(changes, fmt.Sprintf("%s was written:\n%s", name, cmp.Diff(before, after)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if r[name] == nil {
			changes = append(changes, name+" is new")
		}
	}
	return changes
}

// identity changes with every write that the API server stores.
func identity(object metav1.Object) string {
	return fmt.Sprintf("%s %s %d", object.GetUID(), object.GetResourceVersion(), object.GetGeneration())
}
