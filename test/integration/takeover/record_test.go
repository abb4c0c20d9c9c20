// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/standby"
)

// record is every Endpoints and EndpointSlice of the control plane at a moment,
// by kind, namespace and name.
type record map[string]client.Object

func (w *world) record(ctx context.Context) (record, error) {
	found := record{}
	var endpoints corev1.EndpointsList
	if err := w.api.List(ctx, &endpoints); err != nil {
		return nil, err
	}
	for i := range endpoints.Items {
		found.add("Endpoints", &endpoints.Items[i])
	}
	var list discoveryv1.EndpointSliceList
	if err := w.api.List(ctx, &list); err != nil {
		return nil, err
	}
	for i := range list.Items {
		found.add("EndpointSlice", &list.Items[i])
	}
	return found, nil
}

func (r record) add(kind string, object client.Object) {
	if object.GetNamespace() == markers || isQuestion(object) {
		return
	}
	object.SetManagedFields(nil) // who wrote last shows in the version
	r[fmt.Sprintf("%s %s/%s", kind, object.GetNamespace(), object.GetName())] = object
}

// isQuestion tells whether an object belongs to a question of a manager that finds out,
// which is asked anew every few seconds, also when nothing else happens.
func isQuestion(object client.Object) bool {
	return object.GetNamespace() == asking &&
		(strings.HasPrefix(object.GetName(), standby.ServiceName) || strings.HasPrefix(object.GetName(), standby.MirroredName))
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

// expectNone fails with all changes, if there are any.
func expectNone(changes []string) {
	GinkgoHelper()
	if len(changes) > 0 {
		Fail(fmt.Sprintf("%d changes:\n%s", len(changes), strings.Join(changes, "\n")))
	}
}

// resentByStock tells whether the stock controllers write an object without need.
//
// The endpoints controller writes some Endpoints whenever it looks at their
// Service, with a new trigger time: it compares what it would write before it
// leaves out addresses beyond the first 1,000, and before it replaces labels that
// it reserves for itself.
//
// The endpointslice controller may look at Services with Auto topology before it
// has looked at the nodes. It then takes their hints away and gives them back.
func resentByStock(name string, object client.Object) bool {
	if slice, isSlice := object.(*discoveryv1.EndpointSlice); isSlice {
		return strings.HasPrefix(slice.Labels[discoveryv1.LabelServiceName], "auto")
	}
	return name == "Endpoints zoo/over-capacity" || name == "Endpoints zoo/reserved-labels"
}

// compareBesidesResent is compare for a cluster that the stock controllers have
// come back to. Of what they write without need, nothing but the version and the
// trigger time may have changed.
func (r record) compareBesidesResent(now record) []string {
	now = maps.Clone(now)
	for name, before := range r {
		after := now[name]
		if after != nil && resentByStock(name, before) && cmp.Equal(lasting(before), lasting(after), cmpopts.EquateEmpty()) {
			now[name] = before
		}
	}
	return r.compare(now)
}

// lasting returns an object without its version and trigger time.
func lasting(object client.Object) client.Object {
	GinkgoHelper()
	without, ok := object.DeepCopyObject().(client.Object)
	Expect(ok).To(BeTrue())
	without.SetResourceVersion("")
	without.SetGeneration(0)
	delete(without.GetAnnotations(), corev1.EndpointsLastChangeTriggerTime)
	return without
}

// identity changes with every write that the API server stores.
func identity(object metav1.Object) string {
	return fmt.Sprintf("%s %s %d", object.GetUID(), object.GetResourceVersion(), object.GetGeneration())
}
