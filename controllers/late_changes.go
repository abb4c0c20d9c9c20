// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"slices"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// mostLate is how many pods are remembered at least, of those that changed last.
	mostLate = 1000
	// latePriority lies between that of the initial list and that of what happens now.
	latePriority = handler.LowPriority / 2
)

// lateChanges are pods that changed after anything was published last: while no
// manager ran, or while this one read its caches. At start they look like thousands
// of others, and so do their Services, of which all the others are as they should be.
// resourceVersions tell them apart. They are those of one store (KEP-5504 compares
// them within a resource only): where that is not so, the order in which Services are
// looked at is another, and nothing else.
type lateChanges struct {
	// note notes a pod for the Services that select it, and returns them.
	note func(*corev1.Pod) []types.NamespacedName

	mu        sync.Mutex
	over      bool
	published uint64    // the newest version of what is published
	pods      []latePod // those of the newest versions, and as many older ones
	forgotten uint64    // the newest version that is not among them
	queue     queue
}

// latePod is a pod and its version.
type latePod struct {
	pod     *corev1.Pod
	version uint64
}

// seePod takes notice of a pod of the initial list.
func (l *lateChanges) seePod(q queue, pod *corev1.Pod) {
	version := versionOf(pod)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || version <= max(l.published, l.forgotten) {
		return
	}
	l.queue = q
	l.pods = append(l.pods, latePod{pod, version})
	if len(l.pods) == 2*mostLate {
		l.forgetOldest()
	}
}

func (l *lateChanges) forgetOldest() {
	slices.SortFunc(l.pods, func(a, b latePod) int { return cmp.Compare(b.version, a.version) })
	l.forgotten = l.pods[mostLate].version
	clear(l.pods[mostLate:])
	l.pods = l.pods[:mostLate]
}

// seePublished takes notice of an object of the initial list that publishes pods.
func (l *lateChanges) seePublished(object metav1.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.published = max(l.published, versionOf(object))
}

// enqueue enqueues the Services of the late pods, the first time. It is to be called
// once the caches are synced.
func (l *lateChanges) enqueue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	late, q := l.pods, l.queue
	l.over, l.pods, l.queue = true, nil, nil
	for _, p := range late {
		if p.version <= l.published {
			continue
		}
		for _, service := range l.note(p.pod) {
			request := reconcile.Request{NamespacedName: service}
			if prioritized, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
				prioritized.AddWithOpts(priorityqueue.AddOpts{Priority: new(latePriority)}, request)
			} else {
				q.Add(request)
			}
		}
	}
}

// versionOf returns an object's resourceVersion, 0 if that is no number.
func versionOf(object metav1.Object) uint64 {
	version, err := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return version
}
