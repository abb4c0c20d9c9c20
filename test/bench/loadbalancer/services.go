// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/watch"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

const (
	clusterIPs = "10.96.0.0/12"
	// first is the ClusterIP of the first Service that is put into etcd.
	first = "10.97.0.0"
)

func nameOf(i int) types.NamespacedName {
	return types.NamespacedName{Namespace: metav1.NamespaceDefault, Name: fmt.Sprintf("web-%05d", i)}
}

// newService is one of an ordinary size, as people make it, with our finalizer.
func newService(i int) *corev1.Service {
	name := nameOf(i)
	labels := map[string]string{
		"app.kubernetes.io/name": name.Name, "app.kubernetes.io/instance": name.Name + "-production",
		"app.kubernetes.io/managed-by": "Helm",
	}
	return &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: name.Namespace, Name: name.Name, Labels: labels,
			Finalizers: []string{servicenetv1alpha1.LoadBalancerFinalizer},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: new(servicenetv1alpha1.LoadBalancerClass),
			AllocateLoadBalancerNodePorts: new(false), Selector: labels,
			Ports: []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(80)}},
		},
	}
}

// put stores so many Services in etcd, each a second older than the next.
func (w *world) put(ctx context.Context, count int) error {
	begun, stored := time.Now().Add(-time.Duration(count)*time.Second), map[string][]byte{}
	for i := range count {
		service := newService(i)
		service.UID, service.Generation = uuid.NewUUID(), 1
		service.CreationTimestamp = metav1.NewTime(begun.Add(time.Duration(i) * time.Second))
		spec := &service.Spec
		spec.ClusterIP = nth(first, i)
		spec.ClusterIPs, spec.IPFamilies = []string{spec.ClusterIP}, []corev1.IPFamily{corev1.IPv4Protocol}
		spec.IPFamilyPolicy = new(corev1.IPFamilyPolicySingleStack)
		spec.SessionAffinity = corev1.ServiceAffinityNone
		spec.InternalTrafficPolicy = new(corev1.ServiceInternalTrafficPolicyCluster)
		spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
		data, err := json.Marshal(service)
		if err != nil {
			return err
		}
		stored["/registry/services/specs/"+service.Namespace+"/"+service.Name] = data
	}
	return w.plane.PutInEtcd(ctx, stored)
}

// nth returns the address that comes so many after one of IPv4.
func nth(address string, i int) string {
	of := netip.MustParseAddr(address).As4()
	binary.BigEndian.PutUint32(of[:], binary.BigEndian.Uint32(of[:])+uint32(i)) //nolint:gosec // there are not so many
	return netip.AddrFrom4(of).String()
}

// seen is what a watch has shown of Services, and when.
type seen struct {
	// has is when each Service had an address first, told when each had a condition.
	has, told map[types.NamespacedName]time.Time
}

// watching is a watch that goes on. It notes all as it comes, so that the API server
// never waits for it.
type watching struct {
	stop context.CancelFunc
	// news has a value if something was noted since it was taken.
	news chan struct{}

	mu sync.Mutex
	seen
}

// watch begins to watch Services. If the API server ends a watch, another begins.
func (w *world) watch(ctx context.Context) (*watching, error) {
	watcher, err := w.api.Watch(ctx, &corev1.ServiceList{})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	shown := &watching{
		stop: stop, news: make(chan struct{}, 1),
		seen: seen{has: map[types.NamespacedName]time.Time{}, told: map[types.NamespacedName]time.Time{}},
	}
	go func() {
		for err == nil && ctx.Err() == nil {
			shown.take(ctx, watcher)
			watcher, err = w.api.Watch(ctx, &corev1.ServiceList{})
		}
	}()
	return shown, nil
}

// take notes what a watch shows, until it or the context ends.
func (w *watching) take(ctx context.Context, from watch.Interface) {
	defer from.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-from.ResultChan():
			if !open {
				return
			}
			if service, is := event.Object.(*corev1.Service); is {
				w.note(service)
			}
		}
	}
}

func (w *watching) note(service *corev1.Service) {
	now, name := time.Now(), types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.has[name]; !known && len(service.Status.LoadBalancer.Ingress) > 0 {
		w.has[name] = now
	}
	if _, known := w.told[name]; !known && len(service.Status.Conditions) > 0 {
		w.told[name] = now
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// until waits until there is enough of what the watch shows.
func (w *watching) until(ctx context.Context, enough func(s *seen) bool) error {
	for {
		w.mu.Lock()
		done := enough(&w.seen)
		w.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.news:
		}
	}
}

// when returns when a Service was seen to have an address, and whether it was.
func (w *watching) when(i int) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, found := w.has[nameOf(i)]
	return at, found
}
