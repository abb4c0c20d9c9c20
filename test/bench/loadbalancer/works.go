// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// How many Services there are.
const (
	crowdSize   = 2000
	waitingSize = 10000
	// holders have the addresses of a pool, waiters none.
	holders = 256
	waiters = 1000
	// times is how often an address is freed.
	times = 9
)

// crowd has Services created by all clients, with a pool that has room for all.
func crowd(ctx context.Context, w *world, r *results) error {
	count := w.scaled(crowdSize)
	if err := w.makePool(ctx, "172.16.0.0/16"); err != nil {
		return err
	}
	manager, err := w.start(ctx)
	if err != nil {
		return err
	}
	shown, err := w.watch(ctx)
	if err != nil {
		return err
	}
	defer shown.stop()
	before, err := w.writes(ctx)
	if err != nil {
		return err
	}
	spent, err := processor(ctx, manager)
	if err != nil {
		return err
	}
	begun, created := time.Now(), make([]time.Time, count)
	made := make(chan error, 1)
	go func() {
		made <- w.inParallel(ctx, count, func(ctx context.Context, i int) error {
			err := w.api.Create(ctx, newService(i))
			created[i] = time.Now()
			return err
		})
	}()
	if err := shown.until(ctx, func(s *seen) bool { return len(s.has) == count }); err != nil {
		return err
	}
	if err := <-made; err != nil {
		return err
	}
	r.just("a crowd: seconds until all have an address", time.Since(begun).Seconds())
	// Events go out at a bounded rate. They are part of the work, too.
	if err := w.untilTold(ctx); err != nil {
		return err
	}
	var delays []float64
	for i := range count {
		at, _ := shown.when(i)
		delays = append(delays, max(0, milliseconds(at.Sub(created[i]))))
	}
	slices.Sort(delays)
	after, err := w.writes(ctx)
	if err != nil {
		return err
	}
	now, err := processor(ctx, manager)
	if err != nil {
		return err
	}
	r.most(fmt.Sprintf("a crowd: status writes for %d Services", count), after.statuses-before.statuses, float64(count))
	r.just("a crowd: other writes to Services", after.all-after.statuses-before.all+before.statuses)
	r.most("a crowd: processor time of the manager, s", now-spent, 2*w.scale)
	r.most("a crowd: from the answer to create until the address is seen, p50, ms", delays[len(delays)/2], 100)
	r.just("a crowd: the same, p99, ms", delays[len(delays)*99/100])
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// waiting has many Services wait for a pool, restarts the manager when all have an
// address, and has a bare client write their status in the end.
func waiting(ctx context.Context, w *world, r *results) error {
	count := w.scaled(waitingSize)
	if err := w.put(ctx, count); err != nil {
		return err
	}
	shown, err := w.watch(ctx)
	if err != nil {
		return err
	}
	defer shown.stop()
	manager, err := w.start(ctx)
	if err != nil {
		return err
	}
	if err := shown.until(ctx, func(s *seen) bool { return len(s.told) == count }); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d Services wait\n", count)
	begun := time.Now()
	if err := w.makePool(ctx, "172.16.0.0/16"); err != nil {
		return err
	}
	if err := shown.until(ctx, func(s *seen) bool { return len(s.has) == count }); err != nil {
		return err
	}
	rate := float64(count) / time.Since(begun).Seconds()
	if err := rests(ctx, settle); err != nil {
		return err
	}
	if err := manager.Stop(ctx); err != nil {
		return err
	}
	if err := restart(ctx, w, r, count); err != nil {
		return err
	}
	bare, err := bareRate(ctx, w, count)
	r.just("waiting for a pool: addresses a second by a bare client", bare)
	r.least(fmt.Sprintf("waiting for a pool: addresses a second for %d Services", count), rate, 0.8*bare)
	return err
}

// restart starts a manager where all have an address, and stops it.
func restart(ctx context.Context, w *world, r *results, count int) error {
	const watched = 15 * time.Second
	before, err := w.writes(ctx)
	if err != nil {
		return err
	}
	manager, err := w.start(ctx)
	if err != nil {
		return err
	}
	if err := rests(ctx, watched); err != nil {
		return err
	}
	after, err := w.writes(ctx)
	if err != nil {
		return err
	}
	spent, err := processor(ctx, manager)
	if err != nil {
		return err
	}
	r.most(fmt.Sprintf("restart with %d Services that have an address: writes to Services", count), after.all-before.all, 0)
	r.just("restart: processor time, s", spent)
	return manager.Stop(ctx)
}

// bareRate returns how many statuses a second a client writes that does nothing else,
// each as the manager writes it.
func bareRate(ctx context.Context, w *world, count int) (float64, error) {
	var all corev1.ServiceList
	if err := w.api.List(ctx, &all, client.InNamespace(metav1.NamespaceDefault)); err != nil {
		return 0, err
	}
	versions := map[types.NamespacedName]string{}
	for i := range all.Items {
		versions[client.ObjectKeyFromObject(&all.Items[i])] = all.Items[i].ResourceVersion
	}
	shown, err := w.watch(ctx) // as there is one while the manager works
	if err != nil {
		return 0, err
	}
	defer shown.stop()
	begun := time.Now()
	err = w.inParallel(ctx, count, func(ctx context.Context, i int) error {
		change, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"resourceVersion": versions[nameOf(i)]},
			"status": map[string]any{
				"loadBalancer": map[string]any{"ingress": []map[string]string{{"ip": nth("172.20.0.0", i), "ipMode": "VIP"}}},
				"conditions": []metav1.Condition{{
					Type: servicenetv1alpha1.ConditionAddressAllocated, Status: metav1.ConditionTrue, Reason: "Allocated",
					Message: "has " + nth("172.20.0.0", i), LastTransitionTime: metav1.NewTime(begun), ObservedGeneration: 1,
				}},
			},
		})
		if err != nil {
			return err
		}
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: nameOf(i).Namespace, Name: nameOf(i).Name}}
		return w.api.Status().Patch(ctx, service, client.RawPatch(types.MergePatchType, change))
	})
	return float64(count) / time.Since(begun).Seconds(), err
}

// freed has many Services wait for an address of a full pool, and frees one, some times.
func freed(ctx context.Context, w *world, r *results) error {
	count := holders + w.scaled(waiters)
	if err := w.put(ctx, count); err != nil {
		return err
	}
	if err := w.makePool(ctx, "172.16.0.0/24"); err != nil {
		return err
	}
	shown, err := w.watch(ctx)
	if err != nil {
		return err
	}
	defer shown.stop()
	if _, err := w.start(ctx); err != nil {
		return err
	}
	if err := shown.until(ctx, func(s *seen) bool { return len(s.has) == holders && len(s.told) == count }); err != nil {
		return err
	}
	if err := rests(ctx, settle); err != nil {
		return err
	}
	before, err := w.writes(ctx)
	if err != nil {
		return err
	}
	delays, err := freeSome(ctx, w, shown, count)
	if err != nil {
		return err
	}
	if err := rests(ctx, settle); err != nil {
		return err
	}
	after, err := w.writes(ctx)
	if err != nil {
		return err
	}
	r.most(fmt.Sprintf("%d wait for an address: from delete until the longest waiter has it, p50, ms", count-holders),
		delays[len(delays)/2], 100)
	r.just("waiting for an address: the same at most, ms", delays[len(delays)-1])
	r.most("waiting for an address: writes to Services for each", (after.all-before.all)/float64(len(delays)), 2)
	return nil
}

// freeSome deletes Services that have an address, one after the other, and returns how
// many milliseconds it took each time until the longest waiter had it, in their order.
func freeSome(ctx context.Context, w *world, shown *watching, count int) ([]float64, error) {
	var delays []float64
	gone := map[int]bool{}
	for deleted := range min(times, count-holders) {
		// Who came first when the manager started is no matter here.
		holder := firstOf(count, func(i int) bool { return has(shown, i) && !gone[i] })
		next := firstOf(count, func(i int) bool { return !has(shown, i) })
		gone[holder] = true
		begun := time.Now()
		if err := w.api.Delete(ctx, newService(holder)); err != nil {
			return nil, err
		}
		if err := shown.until(ctx, func(s *seen) bool { return len(s.has) == holders+deleted+1 }); err != nil {
			return nil, err
		}
		at, got := shown.when(next)
		if !got {
			return nil, fmt.Errorf("%s has waited for longest, and another Service has got the address", nameOf(next).Name)
		}
		delays = append(delays, milliseconds(at.Sub(begun)))
	}
	slices.Sort(delays)
	return delays, nil
}

func has(shown *watching, i int) bool {
	_, found := shown.when(i)
	return found
}

// firstOf returns the number of the first Service of some.
func firstOf(count int, is func(i int) bool) int {
	for i := range count {
		if is(i) {
			return i
		}
	}
	return count
}
