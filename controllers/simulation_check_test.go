// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/mirroring"
)

// check looks at the state in which everything came to rest.
func (w *simWorld) check() {
	for _, service := range simAll[*corev1.Service](w.api.simStore) {
		w.checkPlans(service)
		w.checkStates(service)
		switch {
		case !endpointslice.Managed(service):
			w.checkOrphansOf(service)
		case service.DeletionTimestamp == nil: // else no slice is created any more
			w.checkSlices(service)
			w.checkEndpoints(service)
		}
	}
	for _, key := range simServiceKeys() {
		w.checkMirror(key)
	}
	w.checkLeftovers()
	for _, c := range w.leader.controllers {
		if n := c.remembers(); n != 0 {
			w.breaksf("%s remembers %d Services of which nothing is under way", c.name, n)
		}
	}
}

// checkPlans compares what there is with plans made from scratch.
func (w *simWorld) checkPlans(service *corev1.Service) {
	key := client.ObjectKeyFromObject(service)
	all := slices.DeleteFunc(simAll[*discoveryv1.EndpointSlice](w.api.simStore), func(slice *discoveryv1.EndpointSlice) bool {
		return endpointslice.ServiceOf(slice) != key
	})
	object, _ := simFind[*corev1.Endpoints](w.api.simStore, key)
	own := endpointslice.Plan(endpointslice.Input{
		Service: service, Pods: w.selected(service), Slices: all,
		ZoneOf: w.zoneOf, Shares: endpointslice.SharesOf(simAll[*corev1.Node](w.api.simStore)),
		MaxEndpoints: w.options.MaxEndpointsPerSlice,
	})
	// Zone hints of a Service that is being deleted are for slices, too, that are
	// not created any more. A node that changes them by that concerns nobody.
	if !own.Empty() && (service.DeletionTimestamp == nil || !endpointslice.AutoTopology(service)) {
		w.breaksf("a plan for the slices of %s from scratch has %d creates, %d updates and %d deletes",
			key, len(own.Create), len(own.Update), len(own.Delete))
	}
	mirrored := mirroring.Plan(mirroring.Input{
		Service: service, Endpoints: object, Slices: all, MaxEndpointsPerSubset: w.options.MirroringMaxEndpointsPerSubset,
	})
	if !mirrored.Empty() {
		w.breaksf("a plan for the mirrored slices of %s from scratch has %d creates, %d updates and %d deletes",
			key, len(mirrored.Create), len(mirrored.Update), len(mirrored.Delete))
	}
	if one := endpoints.Plan(endpoints.Input{Service: service, Pods: w.selected(service), Current: object}); !one.Empty() {
		w.breaksf("a plan for the Endpoints of %s from scratch is not empty", key)
	}
}

// checkStates compares what the controllers know of a Service, and have known since
// any of the things that happened, with what there is.
func (w *simWorld) checkStates(service *corev1.Service) {
	for _, c := range w.leader.controllers {
		if c.examine == nil || !endpointslice.Managed(service) {
			continue
		}
		difference, _, err := c.examine(w.ctx, w.leader.cached(service))
		if err != nil || difference != "" {
			w.breaksf("what %s knows of %s is wrong about %s (%w)", c.name, client.ObjectKeyFromObject(service), difference, err)
		}
	}
}

// checkSlices compares the slices of a Service with the rules.
func (w *simWorld) checkSlices(service *corev1.Service) {
	all := w.slicesOf(client.ObjectKeyFromObject(service), endpointslice.ManagedBy)
	for i, slice := range all {
		if len(slice.Endpoints) > w.options.MaxEndpointsPerSlice {
			w.breaksf("%s holds too many endpoints", simText{slice})
		}
		w.checkMetadata(slice, service, map[string]string{
			discoveryv1.LabelServiceName: service.Name, discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io",
		})
		if endpointslice.AutoTopology(service) {
			all[i] = w.withoutZoneHints(slice)
		}
	}
	if diff := cmp.Diff(w.sliceLines(service), linesOf(all)); diff != "" {
		w.breaksf("slices of %s/%s (-want +got):\n%s", service.Namespace, service.Name, diff)
	}
}

// checkMetadata compares labels and owner with a Service's.
func (w *simWorld) checkMetadata(object client.Object, service *corev1.Service, labels map[string]string) {
	for key, value := range service.Labels {
		if key != corev1.IsHeadlessService {
			labels[key] = value
		}
	}
	if service.Spec.ClusterIP == corev1.ClusterIPNone {
		labels[corev1.IsHeadlessService] = ""
	}
	if diff := cmp.Diff(labels, object.GetLabels()); diff != "" {
		w.breaksf("labels of %s (-want +got):\n%s", simText{object}, diff)
	}
	if owner := metav1.GetControllerOf(object); simKindOf(object) == simSlices && (owner == nil || owner.UID != service.UID) {
		w.breaksf("%s is not owned by the Service", simText{object})
	}
}

// checkOrphansOf finds what was made for a Service while it had a selector, and
// that nobody else has laid hands on.
func (w *simWorld) checkOrphansOf(service *corev1.Service) {
	if w.options.KeepOrphanedEndpoints {
		return
	}
	key := client.ObjectKeyFromObject(service)
	for _, slice := range w.slicesOf(key, endpointslice.ManagedBy) {
		if owner := metav1.GetControllerOf(slice); owner != nil && owner.UID == service.UID && endpointslice.WrittenByControllers(slice) {
			w.breaksf("%s is left of a selector that is gone", simText{slice})
		}
	}
	object, exists := simFind[*corev1.Endpoints](w.api.simStore, key)
	if exists && endpoints.Owned(object) && endpointslice.WrittenByControllers(object) {
		w.breaksf("%s are left of a selector that is gone", simText{object})
	}
}

// checkLeftovers finds what nobody would ever remove: the garbage collector has
// been here, so whatever is left of a Service that is gone is somebody's own.
func (w *simWorld) checkLeftovers() {
	for _, slice := range simAll[*discoveryv1.EndpointSlice](w.api.simStore) {
		service := w.api.objects[simServices][endpointslice.ServiceOf(slice)]
		if service == nil && slice.DeletionTimestamp == nil && endpointslice.WrittenByControllers(slice) {
			w.breaksf("%s is left of a Service that is gone", simText{slice})
		}
	}
	for _, object := range simAll[*corev1.Endpoints](w.api.simStore) {
		if w.api.objects[simServices][client.ObjectKeyFromObject(object)] == nil && endpoints.Owned(object) {
			w.breaksf("%s are left of a Service that is gone", simText{object})
		}
	}
}

// checkCache finds objects of the cache that are not as the server has them
// although everything has arrived: somebody changed what all readers share.
func (w *simWorld) checkCache() {
	for _, kind := range simKinds() {
		for _, object := range w.api.sorted(kind) {
			held := w.leader.cache.objects[kind][client.ObjectKeyFromObject(object)]
			if want := simStrip(simCopy(object)); !apiequality.Semantic.DeepEqual(held, want) {
				w.breaksf("the cache holds something else than the server (-server +cache):\n%s", cmp.Diff(want, held))
			}
		}
	}
}

// checkRest looks whether all that is at rest stays so when everything is told
// once more, and when another process takes over.
func (w *simWorld) checkRest() {
	w.checkCache()
	before := w.writes
	w.tracef("resync")
	w.leader.cache.resync()
	w.settle()
	w.restart()
	w.settle()
	if w.writes != before {
		w.breaksf("%d writes although nothing had changed", w.writes-before)
	}
}
