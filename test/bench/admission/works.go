// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How many Services works create.
const (
	few     = 2000
	many    = 8000
	singles = 300
	// cycles is how many Services with a port come and go, live how many there are at
	// a time. There are 2,768 ports.
	cycles = 8000
	live   = 1400
)

// works does all works one after the other, the smaller before the larger.
func (t *trial) works(ctx context.Context) error {
	for _, work := range []func(context.Context) error{t.ports, t.fill, t.single, t.grow} {
		if err := work(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ports has Services with a node port come and go, more of them than there are ports.
func (t *trial) ports(ctx context.Context) error {
	count, perClient := t.scaled(cycles), live/t.clients
	var refused atomic.Int64
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for id := range t.clients {
		group.Go(func() error {
			var mine []*corev1.Service
			for i := id; i < count; i += t.clients {
				service := newService(fmt.Sprintf("port-%d", i), corev1.ServiceTypeNodePort)
				switch err := t.api.Create(ctx, service); {
				case apierrors.IsInvalid(err) || apierrors.IsInternalError(err) || apierrors.IsServiceUnavailable(err):
					refused.Add(1)
					continue
				case err != nil:
					return err
				}
				mine = append(mine, service)
				if len(mine) >= perClient {
					if err := t.api.Delete(ctx, mine[0]); err != nil {
						return err
					}
					mine = mine[1:]
				}
			}
			return t.deleteAll(ctx, mine)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	t.note(portsPerSecond, 2*float64(count)/time.Since(begun).Seconds())
	t.note(portsRefused, float64(refused.Load()))
	return nil
}

func (t *trial) deleteAll(ctx context.Context, services []*corev1.Service) error {
	for _, service := range services {
		if err := t.api.Delete(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// fill creates the first Services.
func (t *trial) fill(ctx context.Context) error {
	rate, err := t.create(ctx, "first", t.scaled(few))
	t.note(fillPerSecond, rate)
	return err
}

// grow creates some more where there are many.
func (t *trial) grow(ctx context.Context) error {
	if err := t.crowd(ctx, t.scaled(many)-t.scaled(few)-t.scaled(singles)); err != nil {
		return err
	}
	rate, err := t.create(ctx, "last", t.scaled(few))
	t.note(growPerSecond, rate)
	return err
}

// create creates Services with all clients and returns how many a second.
func (t *trial) create(ctx context.Context, name string, count int) (perSecond float64, err error) {
	begun := time.Now()
	err = t.inParallel(ctx, count, func(ctx context.Context, i int) error {
		return t.api.Create(ctx, newService(fmt.Sprintf("%s-%d", name, i), corev1.ServiceTypeClusterIP))
	})
	return float64(count) / time.Since(begun).Seconds(), err
}

func (t *trial) inParallel(ctx context.Context, count int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(t.clients)
	for i := range count {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// single creates Services one after the other.
func (t *trial) single(ctx context.Context) error {
	count := t.scaled(singles)
	took := make([]float64, 0, count)
	for i := range count {
		begun := time.Now()
		if err := t.api.Create(ctx, newService(fmt.Sprintf("single-%d", i), corev1.ServiceTypeClusterIP)); err != nil {
			return err
		}
		took = append(took, time.Since(begun).Seconds()*1000)
	}
	slices.Sort(took)
	t.note(singleP50, took[len(took)/2])
	t.note(singleP99, took[len(took)*99/100])
	return nil
}

// crowd makes Services whose addresses lie anywhere, around the webhooks.
func (t *trial) crowd(ctx context.Context, count int) error {
	const seed = 1
	addresses := anywhere(rand.New(rand.NewPCG(seed, seed)), netip.MustParsePrefix(clusterIPs), count)
	return t.inParallel(ctx, count, func(ctx context.Context, i int) error {
		service := newService(fmt.Sprintf("crowd-%d", i), corev1.ServiceTypeClusterIP)
		service.Spec.ClusterIP = addresses[i].String()
		err := t.around.Create(ctx, service)
		if apierrors.IsInvalid(err) { // one of the others has it
			service.Spec.ClusterIP = ""
			return t.around.Create(ctx, service)
		}
		return err
	})
}

// anywhere returns different addresses of a prefix of IPv4.
func anywhere(random *rand.Rand, of netip.Prefix, count int) []netip.Addr {
	base, seen := of.Masked().Addr().As4(), map[uint32]bool{}
	all := make([]netip.Addr, 0, count)
	for len(all) < count {
		at := binary.BigEndian.Uint32(base[:]) + 1 + random.Uint32N(1<<(32-of.Bits())-2)
		if seen[at] {
			continue
		}
		seen[at] = true
		var address [4]byte
		binary.BigEndian.PutUint32(address[:], at)
		all = append(all, netip.AddrFrom4(address))
	}
	return all
}

// newService is one of an ordinary size.
func newService(name string, of corev1.ServiceType) *corev1.Service {
	labels := map[string]string{
		"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name + "-production", "app.kubernetes.io/managed-by": "Helm",
	}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name, Labels: labels},
		Spec:       corev1.ServiceSpec{Type: of, Selector: labels, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
}
