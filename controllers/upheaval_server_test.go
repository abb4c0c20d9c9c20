// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// heavedServer is an API server in memory for a bubble, where what it does takes time.
// Its writes keep the promises of the real one that the controller relies on: one order
// of versions, compare-and-swap, finalizers, and no event for what changes nothing.
type heavedServer struct {
	mu       sync.Mutex
	rng      *rand.Rand
	revision int
	objects  map[string]map[types.NamespacedName]client.Object
	watchers []*heavedWatch
	// faults is the chance that a call goes wrong, in percent, and slow is the longest
	// that half of one takes.
	faults int
	slow   time.Duration
	// changed is called with each change, by a replica or, with no name, by users,
	// before watches show it. What was not there, or is no more, is nil. mu is held.
	changed func(by string, before, after client.Object)
	// refuses says why a Service may not be changed, nil if it may. mu is held.
	refuses func(client.Object) error
}

// heavedEvent is what a watch shows. The end of an object is missed if the watch was
// broken meanwhile.
type heavedEvent struct {
	object          client.Object
	deleted, missed bool
}

// heavedWatch is what a replica is yet to be shown, by kind.
type heavedWatch struct {
	events map[string][]heavedEvent
	news   map[string]bell
}

func newHeavedServer(seed uint64) *heavedServer {
	v := &heavedServer{
		rng: rand.New(rand.NewPCG(seed, 7)), revision: 100, slow: 5 * time.Millisecond, objects: map[string]map[types.NamespacedName]client.Object{},
		changed: func(string, client.Object, client.Object) {}, refuses: func(client.Object) error { return nil },
	}
	return v
}

// heavedKind names the kind of an object, or of the items of a list.
func heavedKind(object any) string {
	if _, meta := object.(*metav1.PartialObjectMetadata); meta {
		return heavedKind(&corev1.Service{}) // nothing else is written so
	}
	text := fmt.Sprintf("%T", object)
	return strings.TrimSuffix(text[strings.LastIndex(text, ".")+1:], "List")
}

func (v *heavedServer) chance(limit int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rng.IntN(limit)
}

func (v *heavedServer) upTo(limit time.Duration) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Duration(v.rng.Int64N(int64(limit))) + 1
}

// pace returns how long half a call takes.
func (v *heavedServer) pace() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Duration(v.rng.Int64N(int64(v.slow))) + 1
}

// luck tells whether a call goes wrong, how, and how late it lands then.
func (v *heavedServer) luck() (fault bool, kind int, late time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rng.IntN(100) < v.faults, v.rng.IntN(3), time.Duration(v.rng.Int64N(int64(8 * time.Second)))
}

// lapse lets time go by, or fails when the context ends before.
func lapse(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// all returns the objects of a kind, by name. mu is held.
func (v *heavedServer) all(kind string) []client.Object {
	return slices.SortedFunc(maps.Values(v.objects[kind]), func(a, b client.Object) int {
		return strings.Compare(client.ObjectKeyFromObject(a).String(), client.ObjectKeyFromObject(b).String())
	})
}

func heavedAll[T client.Object](v *heavedServer) []T {
	var none T
	var found []T
	for _, object := range v.all(heavedKind(none)) {
		found = append(found, object.(T)) //nolint:errcheck // of the kind
	}
	return found
}

// stored returns an object, nil if there is none. mu is held.
func (v *heavedServer) stored(object client.Object) client.Object {
	return v.objects[heavedKind(object)][client.ObjectKeyFromObject(object)]
}

// put stores an object that nobody changes any more, and shows it. mu is held.
func (v *heavedServer) put(by string, object client.Object) {
	kind, key := heavedKind(object), client.ObjectKeyFromObject(object)
	if v.objects[kind] == nil {
		v.objects[kind] = map[types.NamespacedName]client.Object{}
	}
	before := v.objects[kind][key]
	v.revision++
	object.SetResourceVersion(strconv.Itoa(v.revision))
	if before == nil {
		object.SetUID(types.UID(fmt.Sprintf("%s-%d", key.Name, v.revision)))
		object.SetGeneration(1)
		object.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
	}
	v.objects[kind][key] = object
	v.changed(by, before, object)
	v.show(kind, heavedEvent{object: object})
}

// remove ends an object. mu is held.
func (v *heavedServer) remove(by string, object client.Object) {
	kind, key := heavedKind(object), client.ObjectKeyFromObject(object)
	v.revision++
	last := copyOf(v.objects[kind][key])
	last.SetResourceVersion(strconv.Itoa(v.revision))
	delete(v.objects[kind], key)
	v.changed(by, last, nil)
	v.show(kind, heavedEvent{object: last, deleted: true})
}

func (v *heavedServer) show(kind string, event heavedEvent) {
	for _, w := range v.watchers {
		if w.news[kind] != nil {
			w.events[kind] = append(w.events[kind], event)
			w.news[kind].ring()
		}
	}
}

func copyOf(object client.Object) client.Object {
	return object.DeepCopyObject().(client.Object) //nolint:errcheck // of the same type
}

// heavedLink is a replica's connection to the server.
type heavedLink struct {
	client.Client // what is not called is missing
	v             *heavedServer
	name          string

	mu   sync.Mutex
	down bool
	// cut tells that the process has died, and fuse in how many writes it will.
	cut  bool
	fuse int
}

var errHeaved = errors.New("connection lost")

func (l *heavedLink) set(change func(*heavedLink)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

func (l *heavedLink) broken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down || l.cut
}

func (l *heavedLink) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// burns tells whether the process dies with this write.
func (l *heavedLink) burns() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fuse--
	l.cut = l.cut || l.fuse == 0
	return l.fuse == 0
}

// call makes a call. It may go wrong before it is done or after that, and be done after
// it went wrong.
func (l *heavedLink) call(ctx context.Context, writes bool, do func() error) error {
	v := l.v
	if err := lapse(ctx, v.pace()); err != nil || l.broken() {
		return errors.Join(errHeaved, err)
	}
	fault, kind, late := v.luck()
	dies := writes && l.burns()
	locked := func() error {
		v.mu.Lock()
		defer v.mu.Unlock()
		return do()
	}
	var err error
	switch {
	case (fault || dies) && kind == 0:
		return errHeaved
	case (fault || dies) && kind == 1:
		time.AfterFunc(late, func() { _ = locked() })
		return errHeaved
	default:
		err = locked()
	}
	if errLapse := lapse(ctx, v.pace()); errLapse != nil || l.broken() || fault {
		return errors.Join(errHeaved, errLapse)
	}
	return err
}

func resourceOf(object any) schema.GroupResource {
	return schema.GroupResource{Resource: heavedKind(object)}
}

func assign(to, from client.Object) {
	reflect.ValueOf(to).Elem().Set(reflect.ValueOf(copyOf(from)).Elem())
}

// Get is of client.Client, as are those that follow.
func (l *heavedLink) Get(ctx context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	return l.call(ctx, false, func() error {
		is := l.v.objects[heavedKind(into)][key]
		if is == nil {
			return apierrors.NewNotFound(resourceOf(into), key.Name)
		}
		assign(into, is)
		return nil
	})
}

// List is of client.Client.
func (l *heavedLink) List(ctx context.Context, into client.ObjectList, _ ...client.ListOption) error {
	return l.call(ctx, false, func() error {
		fill(into, l.v.all(heavedKind(into)))
		return nil
	})
}

// fill puts copies of objects into a list of their kind.
func fill(into client.ObjectList, objects []client.Object) {
	items := reflect.ValueOf(into).Elem().FieldByName("Items")
	items.SetLen(0)
	for _, object := range objects {
		items.Set(reflect.Append(items, reflect.ValueOf(copyOf(object)).Elem()))
	}
}

// Create is of client.Client.
func (l *heavedLink) Create(ctx context.Context, object client.Object, _ ...client.CreateOption) error {
	made := copyOf(object)
	err := l.call(ctx, true, func() error {
		if l.v.stored(made) != nil {
			return apierrors.NewAlreadyExists(resourceOf(made), made.GetName())
		}
		made = copyOf(made)
		l.v.put(l.name, made)
		return nil
	})
	if err == nil {
		assign(object, made)
	}
	return err
}

// Update is of client.Client.
func (l *heavedLink) Update(ctx context.Context, object client.Object, _ ...client.UpdateOption) error {
	made := copyOf(object)
	err := l.call(ctx, true, func() error {
		is := l.v.stored(made)
		switch {
		case is == nil:
			return apierrors.NewNotFound(resourceOf(made), made.GetName())
		case is.GetResourceVersion() != made.GetResourceVersion() || is.GetUID() != made.GetUID():
			return apierrors.NewConflict(resourceOf(made), made.GetName(), errors.New("changed"))
		}
		made = copyOf(made)
		l.v.put(l.name, made)
		return nil
	})
	if err == nil {
		assign(object, made)
	}
	return err
}

// Delete is of client.Client.
func (l *heavedLink) Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error {
	wanted, applied := copyOf(object), (&client.DeleteOptions{}).ApplyOptions(options)
	return l.call(ctx, true, func() error {
		is := l.v.stored(wanted)
		if is == nil {
			return apierrors.NewNotFound(resourceOf(wanted), wanted.GetName())
		}
		if only := applied.Preconditions; only != nil && (*only.UID != is.GetUID() || *only.ResourceVersion != is.GetResourceVersion()) {
			return apierrors.NewConflict(resourceOf(wanted), wanted.GetName(), errors.New("changed"))
		}
		l.v.remove(l.name, is)
		return nil
	})
}

// Patch is of client.Client. Only Services are patched.
func (l *heavedLink) Patch(ctx context.Context, object client.Object, patch client.Patch, _ ...client.PatchOption) error {
	return l.merge(ctx, object, patch, false)
}

// Status is of client.Client.
func (l *heavedLink) Status() client.SubResourceWriter { return heavedStatus{link: l} }

// heavedStatus writes the status alone.
type heavedStatus struct {
	client.SubResourceWriter // what is not called is missing
	link                     *heavedLink
}

// Patch is of client.SubResourceWriter.
func (s heavedStatus) Patch(ctx context.Context, object client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	return s.link.merge(ctx, object, patch, true)
}

// merge makes a merge patch of a Service or of its status.
func (l *heavedLink) merge(ctx context.Context, object client.Object, patch client.Patch, status bool) error {
	content, err := patch.Data(object)
	if err != nil {
		return err
	}
	var change map[string]any
	if err := json.Unmarshal(content, &change); err != nil {
		return err
	}
	var after *corev1.Service
	err = l.call(ctx, true, func() error {
		stored := l.v.stored(object)
		if stored == nil {
			return apierrors.NewNotFound(resourceOf(object), object.GetName())
		}
		is := stored.(*corev1.Service) //nolint:errcheck // of the kind
		meta, _ := change["metadata"].(map[string]any)
		if version, named := meta["resourceVersion"]; named && version != is.ResourceVersion {
			return apierrors.NewConflict(resourceOf(object), is.Name, errors.New("changed"))
		}
		err := l.v.refuses(is)
		if err != nil {
			return err
		}
		if after, err = merged(is, change, status); err == nil {
			l.v.putService(l.name, is, after)
		}
		return err
	})
	if err == nil {
		object.SetResourceVersion(after.ResourceVersion)
		object.SetUID(after.UID)
		object.SetFinalizers(after.Finalizers)
		object.SetDeletionTimestamp(after.DeletionTimestamp)
	}
	return err
}

// merged returns a Service as a patch makes it, of its status or of all else.
func merged(is *corev1.Service, change map[string]any, status bool) (*corev1.Service, error) {
	content, err := json.Marshal(is)
	if err != nil {
		return nil, err
	}
	var whole map[string]any
	if err := json.Unmarshal(content, &whole); err != nil {
		return nil, err
	}
	mergeInto(whole, change)
	if content, err = json.Marshal(whole); err != nil {
		return nil, err
	}
	next := &corev1.Service{}
	if err := json.Unmarshal(content, next); err != nil {
		return nil, err
	}
	after := is.DeepCopy()
	if !status {
		after.Finalizers, after.Spec = next.Finalizers, next.Spec
		return after, nil
	}
	if next.Spec.Type != corev1.ServiceTypeLoadBalancer && len(next.Status.LoadBalancer.Ingress) > 0 {
		return nil, apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, is.Name, nil)
	}
	after.Status = next.Status
	return after, nil
}

func mergeInto(whole, change map[string]any) {
	for key, value := range change {
		part, isMap := value.(map[string]any)
		under, isUnder := whole[key].(map[string]any)
		switch {
		case value == nil:
			delete(whole, key)
		case isMap && isUnder:
			mergeInto(under, part)
		default:
			whole[key] = value
		}
	}
}

// putService stores a Service that was changed, or ends it with its last finalizer.
// mu is held.
func (v *heavedServer) putService(by string, before, after *corev1.Service) {
	after.ResourceVersion = before.ResourceVersion
	switch {
	case apiequality.Semantic.DeepEqual(before, after):
	case after.DeletionTimestamp != nil && len(after.Finalizers) == 0:
		v.remove(by, before)
	default:
		if !apiequality.Semantic.DeepEqual(before.Spec, after.Spec) {
			after.Generation++
		}
		v.put(by, after)
	}
}
