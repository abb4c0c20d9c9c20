// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// instant is an API server that has blocks alone and takes no time.
type instant struct {
	mu       sync.Mutex
	revision int
	blocks   map[string]*servicenetv1alpha1.AllocationBlock
}

func (i *instant) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	is, into := i.blocks[key.Name], object.(*servicenetv1alpha1.AllocationBlock) //nolint:errcheck // of that kind
	if is == nil {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	is.DeepCopyInto(into)
	return nil
}

func (*instant) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

func (i *instant) Create(ctx context.Context, object client.Object, _ ...client.CreateOption) error {
	object.SetUID(types.UID(object.GetName()))
	return i.Update(ctx, object)
}

func (i *instant) Update(_ context.Context, object client.Object, _ ...client.UpdateOption) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.revision++
	object.SetResourceVersion(strconv.Itoa(i.revision))
	i.blocks[object.GetName()] = object.DeepCopyObject().(*servicenetv1alpha1.AllocationBlock) //nolint:errcheck // of that kind
	return nil
}

func (*instant) Delete(context.Context, client.Object, ...client.DeleteOption) error { return nil }

// inUse returns a Store whose range has so many addresses in use, and who has them.
func inUse(b *testing.B, of *allocator.Range, count int) *Store {
	b.Helper()
	s := New(b.Context(), Options{
		Client: &instant{blocks: map[string]*servicenetv1alpha1.AllocationBlock{}}, Seen: func(ledger.Place) Finding { return Finding{} },
		Holder: 1, Seed: 1,
	})
	each(count, 256, func(i int) {
		if _, err := s.AssignAny(b.Context(), lb4, of, numbered(i)); err != nil {
			b.Error(err)
		}
	})
	s.Client = slow{s.Client}
	b.ResetTimer()
	return s
}

// each does something count times, so many at a time.
func each(count, callers int, do func(int)) {
	var all sync.WaitGroup
	var next atomic.Int64
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

func numbered(i int) ledger.Tenant {
	return ledger.NewTenant(ledger.Owner{
		NamespacedName: types.NamespacedName{Namespace: fmt.Sprintf("namespace-%d", i%50), Name: fmt.Sprintf("service-%d", i)},
		UID:            types.UID(fmt.Sprintf("01234567-89ab-cdef-0123-%012x", i)),
	}, ledger.Terms{Sockets: []ledger.Socket{socket(80)}})
}

// BenchmarkAssignAny gives addresses of a /15 to Services, 64 at a time as a controller
// does, and takes them back.
func BenchmarkAssignAny(b *testing.B) {
	for _, count := range []int{100, 50_000} {
		b.Run(fmt.Sprintf("%d in use", count), func(b *testing.B) {
			of := pool(b, "10.0.0.0/15")
			s := inUse(b, of, count)
			each(b.N, 64, func(i int) {
				tenant := numbered(count + i)
				place, err := s.AssignAny(b.Context(), lb4, of, tenant)
				if err != nil {
					b.Error(err)
				}
				if err := s.Vacate(b.Context(), place, tenant.UID, ledger.Retention{}); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// BenchmarkFull refuses an address of a /28 and of a /16 that are full, where 10,000
// Services wait.
func BenchmarkFull(b *testing.B) {
	for prefix, count := range map[string]int{"10.0.0.0/28": 16, "10.0.0.0/16": 1 << 16} {
		b.Run(prefix[len("10.0.0.0"):], func(b *testing.B) {
			of := pool(b, prefix)
			s := inUse(b, of, count)
			for i := range b.N {
				_, err := s.AssignAny(b.Context(), lb4, of, numbered(count+i%10_000))
				if full := (*ledger.FullError)(nil); !errors.As(err, &full) {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAssignAnyAlone has one caller, each of whose changes is a write.
func BenchmarkAssignAnyAlone(b *testing.B) {
	for _, count := range []int{100, 50_000} {
		b.Run(fmt.Sprintf("%d in use", count), func(b *testing.B) {
			of := pool(b, "10.0.0.0/15")
			s := inUse(b, of, count)
			for i := range b.N {
				tenant := numbered(count + i)
				place, err := s.AssignAny(b.Context(), lb4, of, tenant)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Vacate(b.Context(), place, tenant.UID, ledger.Retention{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// slow is a client whose writes take 1 ms.
type slow struct{ Client }

func (s slow) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	if err := sleep(ctx, time.Millisecond); err != nil {
		return err
	}
	return s.Client.Update(ctx, object, options...)
}
