// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// simAPI is a tiny API server. Its writes keep the promises of the real one that
// controllers rely on: one order of versions, compare-and-swap on update,
// preconditions on delete, finalizers, and no event for a write that changes
// nothing.
type simAPI struct {
	*simStore
	random   *rand.Rand
	version  int
	watchers []*simCache
	// dropsEndpoints makes it delete Endpoints with the Service of their name, as
	// API servers do before Kubernetes 1.37.
	dropsEndpoints bool
}

// simChange is one event of a watch.
type simChange struct {
	object  client.Object
	deleted bool
}

func (a *simAPI) nextVersion() string {
	a.version++
	return strconv.Itoa(a.version)
}

// put stores a new version and tells the watchers.
func (a *simAPI) put(object client.Object, deleted bool) {
	object.SetResourceVersion(a.nextVersion())
	kind, key := simKindOf(object), client.ObjectKeyFromObject(object)
	a.objects[kind][key] = object
	if deleted {
		delete(a.objects[kind], key)
	}
	for _, cache := range a.watchers {
		cache.watch[kind] = append(cache.watch[kind], simChange{object: object, deleted: deleted})
	}
	if kind == simServices && deleted && a.dropsEndpoints {
		if endpoints, found := a.objects[simEndpoints][key]; found {
			a.put(simCopy(endpoints), true)
		}
	}
}

// Get returns a copy, as everything that comes over the network is.
func (a *simAPI) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if err := a.simStore.Get(ctx, key, into, opts...); err != nil {
		return err
	}
	simAssign(into, simCopy(into))
	return nil
}

// Create gives an object its name if it has none, and its UID.
func (a *simAPI) Create(_ context.Context, object client.Object, opts ...client.CreateOption) error {
	kind := simKindOf(object)
	if object.GetName() == "" {
		object.SetName(object.GetGenerateName() + strconv.Itoa(a.random.IntN(100_000)))
	}
	if a.objects[kind][client.ObjectKeyFromObject(object)] != nil {
		return apierrors.NewAlreadyExists(kind.resource(), object.GetName())
	}
	stored := simCopy(object)
	stored.SetGeneration(1)
	stored.SetManagedFields(nil)
	simRecord(stored, (&client.CreateOptions{}).ApplyOptions(opts).FieldManager)
	stored.SetUID(types.UID(string(kind) + "-" + strconv.Itoa(a.version)))
	a.put(stored, false)
	simAssign(object, simCopy(stored))
	return nil
}

// Update refuses what was read before somebody else's write. An update without a
// resourceVersion overwrites whatever is there. An object that is being deleted
// goes with its last finalizer.
func (a *simAPI) Update(_ context.Context, object client.Object, opts ...client.UpdateOption) error {
	kind := simKindOf(object)
	current := a.objects[kind][client.ObjectKeyFromObject(object)]
	if current == nil {
		return apierrors.NewNotFound(kind.resource(), object.GetName())
	}
	if err := simPreconditions(current, object.GetUID(), object.GetResourceVersion()); err != nil {
		return err
	}
	if a.changesAddressType(current, object) {
		return apierrors.NewBadRequest("the addressType of an EndpointSlice is immutable")
	}
	stored := simCopy(object)
	stored.SetUID(current.GetUID())
	stored.SetGeneration(current.GetGeneration())
	stored.SetDeletionTimestamp(current.GetDeletionTimestamp())
	stored.SetResourceVersion(current.GetResourceVersion())
	stored.SetManagedFields(current.GetManagedFields())
	if !apiequality.Semantic.DeepEqual(current, stored) {
		stored.SetGeneration(current.GetGeneration() + 1)
		simRecord(stored, (&client.UpdateOptions{}).ApplyOptions(opts).FieldManager)
		lastFinalizer := len(current.GetFinalizers()) > 0 && len(stored.GetFinalizers()) == 0
		a.put(stored, stored.GetDeletionTimestamp() != nil && lastFinalizer)
	}
	simAssign(object, simCopy(stored))
	return nil
}

func (a *simAPI) changesAddressType(current, object client.Object) bool {
	before, isSlice := current.(*discoveryv1.EndpointSlice)
	return isSlice && before.AddressType != simAs[*discoveryv1.EndpointSlice](object).AddressType
}

// Delete removes an object, or marks it if it has finalizers.
func (a *simAPI) Delete(_ context.Context, object client.Object, opts ...client.DeleteOption) error {
	kind := simKindOf(object)
	current := a.objects[kind][client.ObjectKeyFromObject(object)]
	if current == nil {
		return apierrors.NewNotFound(kind.resource(), object.GetName())
	}
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	if only := options.Preconditions; only != nil {
		if err := simPreconditions(current, ptr.Deref(only.UID, ""), ptr.Deref(only.ResourceVersion, "")); err != nil {
			return err
		}
	}
	switch {
	case len(current.GetFinalizers()) == 0:
		a.put(simCopy(current), true)
	case current.GetDeletionTimestamp() == nil:
		a.markDeleted(current)
	}
	return nil
}

// markDeleted is the first half of a graceful deletion.
func (a *simAPI) markDeleted(object client.Object) {
	stored := simCopy(object)
	stored.SetDeletionTimestamp(&metav1.Time{})
	stored.SetGeneration(object.GetGeneration() + 1)
	a.put(stored, false)
}

// simRecord notes who wrote to an object. Who has written once stays on record;
// without a name it is some user.
func simRecord(object client.Object, manager string) {
	entry := metav1.ManagedFieldsEntry{Manager: cmp.Or(manager, "some-user")}
	known := slices.Clone(object.GetManagedFields())
	if !slices.ContainsFunc(known, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == entry.Manager }) {
		object.SetManagedFields(append(known, entry))
	}
}

// simPreconditions compares an object with the UID and version a write demands;
// empty ones demand nothing.
func simPreconditions(current client.Object, uid types.UID, version string) error {
	if (uid != "" && uid != current.GetUID()) || (version != "" && version != current.GetResourceVersion()) {
		return apierrors.NewConflict(simKindOf(current).resource(), current.GetName(), errors.New("the object has been modified"))
	}
	return nil
}
