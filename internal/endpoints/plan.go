// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// MaxAddresses is how many addresses an Endpoints object lists at most, ready
// and not. An address counts once for each subset it is in (KEP-752).
const MaxAddresses = 1000

// truncated is the value of the over-capacity annotation on an object that
// lists less than there is.
const truncated = "truncated"

// Input is all that a plan is made from. Nothing in it is changed.
type Input struct {
	Service *corev1.Service
	// Pods are those of the Service's namespace that its selector matches.
	Pods []*corev1.Pod
	// Current is the Endpoints object of the Service's name, whoever made it; nil
	// when there is none.
	Current *corev1.Endpoints
	// TriggerTime is when the change happened that is being published. With the
	// zero time a write removes the annotation of an earlier one.
	TriggerTime time.Time
}

// Changes are the writes of a plan: one at most.
type Changes struct {
	// Create holds a new object.
	Create *corev1.Endpoints
	// Update holds the object with the resourceVersion it was planned from: a
	// write that meets a newer one conflicts, and the Service is planned again.
	Update *corev1.Endpoints
	// LeftOut is how many addresses the Service has above MaxAddresses. It is told
	// whether or not there is something to write; EndpointSlices list them all.
	LeftOut int
}

// Empty tells whether there is nothing to write.
func (c *Changes) Empty() bool { return c.Create == nil && c.Update == nil }

// Plan returns the write that makes the Endpoints object of a Service list its
// endpoints. Equal input gives an equal plan, and a plan carried out leaves
// nothing to do.
func Plan(in Input) Changes {
	if !Managed(in.Service) {
		return Changes{}
	}
	return planFor(in.Service, desire(in.Service, in.Pods), in.Current, in.TriggerTime)
}

// planFor plans for an object that lists the given subsets.
func planFor(service *corev1.Service, subsets []corev1.EndpointSubset, current *corev1.Endpoints, trigger time.Time) Changes {
	content, _ := regroup(subsets)
	want := wanted{labels: labelsOf(service), content: content}
	leftOut := max(countAddresses(content)-MaxAddresses, 0)
	if leftOut > 0 {
		want.cut = truncate(inStockOrder(content))
		want.content, _ = regroup(want.cut)
	}
	return want.changes(service, current, current != nil && want.isIn(current), leftOut, trigger)
}

// wanted is what an Endpoints object should say.
type wanted struct {
	labels map[string]string
	// content is what regroup returns for the subsets to write.
	content []corev1.EndpointSubset
	// cut holds the subsets to write when they do not hold every address. It is
	// nil as long as there is room.
	cut []corev1.EndpointSubset
}

// changes returns what is to be written, unless the current object says it all.
func (w *wanted) changes(service *corev1.Service, current *corev1.Endpoints, saysAll bool, leftOut int, trigger time.Time) Changes {
	changes := Changes{LeftOut: leftOut}
	switch {
	case current == nil:
		blank := metav1.ObjectMeta{Namespace: service.Namespace, Name: service.Name}
		changes.Create = w.object(blank, trigger)
	case !saysAll:
		changes.Update = w.object(current.ObjectMeta, trigger)
	}
	return changes
}

// object returns the object to write. Of the metadata it keeps all but the
// labels and the two annotations that the controller sets.
func (w *wanted) object(meta metav1.ObjectMeta, trigger time.Time) *corev1.Endpoints {
	subsets := w.cut
	if subsets == nil {
		subsets = inStockOrder(w.content)
	}
	// The copy shares nothing with the caches, nor one address of it with another:
	// a client decodes the server's answer into the object it sends.
	object := (&corev1.Endpoints{ObjectMeta: meta, Subsets: subsets}).DeepCopy()
	object.Labels = w.labels
	if object.Annotations == nil {
		object.Annotations = map[string]string{}
	}
	if capacity := w.capacity(); capacity != "" {
		object.Annotations[corev1.EndpointsOverCapacity] = capacity
	} else {
		delete(object.Annotations, corev1.EndpointsOverCapacity)
	}
	object.Annotations = endpointslice.StampTrigger(object.Annotations, trigger)
	return object
}

// capacity returns the value of the over-capacity annotation, empty for none.
func (w *wanted) capacity() string {
	if w.cut == nil {
		return ""
	}
	return truncated
}

// labelsOf returns the labels of a Service's object: the Service's own, and over
// them the two that only the controller sets.
func labelsOf(service *corev1.Service) map[string]string {
	labels := make(map[string]string, len(service.Labels)+2)
	maps.Copy(labels, service.Labels)
	delete(labels, corev1.IsHeadlessService)
	if endpointslice.Headless(service) {
		labels[corev1.IsHeadlessService] = ""
	}
	labels[LabelManagedBy] = ManagedBy
	return labels
}
