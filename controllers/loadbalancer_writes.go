// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/loadbalancer"
)

// syncsPerCall is how many times as many Services are worked on as may be read or written
// at a time: most of them wait for a write of the ledger, which they share.
const syncsPerCall = 16

// call waits until not too many Services are being read or written.
func (b *loadBalancers) call() (done func()) {
	b.calls <- struct{}{}
	return func() { <-b.calls }
}

// confirmSaid asks the API server for what a status is about to say that it did not say
// before, and that was not given just now. The cache of Services may be ahead of that of
// the ledger: another leader may have taken the address from the Service in between.
func (b *loadBalancers) confirmSaid(ctx context.Context, service *corev1.Service, is *ensured) error {
	shown := loadbalancer.Shown(service)
	for i := range is.Entries {
		address := is.Entries[i].Address
		if slices.Contains(shown, address) || slices.Contains(is.given, address) {
			continue
		}
		switch has, err := b.store.Confirm(ctx, placeOf(address), service.UID); {
		case err != nil:
			return err
		case !has:
			return fmt.Errorf("%w: Service %s does not have %s any more", errStale, service.Name, address)
		}
	}
	return nil
}

// landsLate is for how long after it was made a write may land whose answer did not
// come: no request lives longer in the API server.
const landsLate = 35 * time.Second

// confirmRead makes sure that the status of a Service is what the cache shows, and stays
// so: nobody has written it meanwhile, and no write of ours may still land, which it
// returns how long to wait for.
func (b *loadBalancers) confirmRead(ctx context.Context, service *corev1.Service) (wait time.Duration, err error) {
	b.mu.Lock()
	unclear, is := b.unclear[service.UID]
	b.mu.Unlock()
	if wait := unclear.Add(landsLate).Sub(b.clock.Now()); is && wait > 0 {
		return wait, nil
	}
	var now corev1.Service
	defer b.call()()
	if err := client.IgnoreNotFound(b.live.Get(ctx, client.ObjectKeyFromObject(service), &now)); err != nil {
		return 0, fmt.Errorf("reading Service %s: %w", service.Name, err)
	}
	if now.UID != service.UID || now.ResourceVersion != service.ResourceVersion {
		return 0, fmt.Errorf("%w: Service %s has changed", errStale, service.Name)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.unclear, service.UID)
	return 0, nil
}

// noteOutcome notes whether it is known what became of a write of a status. Where one is
// refused since the Service has changed, those before it are, too.
func (b *loadBalancers) noteOutcome(service *corev1.Service, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil || apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		delete(b.unclear, service.UID)
	} else {
		b.unclear[service.UID] = b.clock.Now()
	}
}

// say writes what a status is to say, if it does not say that already, makes events of
// what is new, and returns the Service as it is then.
func (b *loadBalancers) say(ctx context.Context, service *corev1.Service, is *ensured) (*corev1.Service, error) {
	status := loadbalancer.Change(service, &is.Desired, metav1.NewTime(b.clock.Now()).Rfc3339Copy())
	if status == nil {
		return service, nil
	}
	list := map[string]any{"ingress": nil}
	if len(status.LoadBalancer.Ingress) > 0 {
		list["ingress"] = status.LoadBalancer.Ingress
	}
	change := map[string]any{"status": map[string]any{"loadBalancer": list, "conditions": status.Conditions}}
	after, err := b.patch(ctx, service, change, "status")
	if err != nil {
		return nil, err
	}
	after.Status = *status
	b.tellOf(service, after, is)
	return after, nil
}

// putFinalizer puts our finalizer on a Service, of which it returns the new version.
func (b *loadBalancers) putFinalizer(ctx context.Context, service *corev1.Service) (*corev1.Service, error) {
	all := append(slices.Clone(service.Finalizers), servicenetv1alpha1.LoadBalancerFinalizer)
	return b.patch(ctx, service, map[string]any{"metadata": map[string]any{"finalizers": all}})
}

// takeFinalizer takes it off.
func (b *loadBalancers) takeFinalizer(ctx context.Context, service *corev1.Service) error {
	rest := slices.DeleteFunc(slices.Clone(service.Finalizers), func(finalizer string) bool {
		return finalizer == servicenetv1alpha1.LoadBalancerFinalizer
	})
	_, err := b.patch(ctx, service, map[string]any{"metadata": map[string]any{"finalizers": rest}})
	return err
}

// patch changes a Service that is still the one that was read, and returns what it is
// then. It changes nothing, and is no fault, if the Service is gone.
func (b *loadBalancers) patch(
	ctx context.Context, service *corev1.Service, change map[string]any, subresource ...string,
) (*corev1.Service, error) {
	meta, _ := change["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		change["metadata"] = meta
	}
	meta["resourceVersion"] = service.ResourceVersion
	content, err := json.Marshal(change)
	if err != nil {
		return nil, fmt.Errorf("encoding a change of Service %s: %w", service.Name, err)
	}
	// The answer is metadata alone: the rest is known.
	object := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: service.Namespace, Name: service.Name},
	}
	patch := client.RawPatch(types.MergePatchType, content)
	defer b.call()()
	defer b.tracker.Begin(client.ObjectKeyFromObject(service))()
	if len(subresource) > 0 {
		err = b.statuses.Status().Patch(ctx, object, patch)
		b.noteOutcome(service, err)
	} else {
		err = b.writer.Patch(ctx, object, patch)
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("%w: Service %s is gone", errStale, service.Name)
	case apierrors.IsConflict(err):
		return nil, fmt.Errorf("%w: changing Service %s: %w", errStale, service.Name, err)
	case err != nil:
		return nil, fmt.Errorf("changing Service %s: %w", service.Name, err)
	}
	after := service.DeepCopy()
	after.ResourceVersion, after.UID = object.ResourceVersion, object.UID
	after.Finalizers, after.DeletionTimestamp = object.Finalizers, object.DeletionTimestamp
	if after.DeletionTimestamp == nil || len(after.Finalizers) > 0 {
		b.tracker.Wrote(after)
	}
	return after, nil
}

// tellOf makes events of what is new in a status.
func (b *loadBalancers) tellOf(before, after *corev1.Service, is *ensured) {
	was, had := loadbalancer.Reason(before)
	reason, has := loadbalancer.Reason(after)
	shown, shows := loadbalancer.Shown(before), loadbalancer.Shown(after)
	got, gone := without(shows, shown), without(shown, shows)
	regarding := referenceToService(before)
	switch {
	case !is.acted && had && has:
		if len(got)+len(gone) > 0 {
			b.recorder.Eventf(regarding, nil, corev1.EventTypeWarning, loadbalancer.EventRestored, "UpdateStatus",
				"Somebody had changed the addresses in the status: they are %s", addressTexts(shows))
		}
		return
	case len(got) > 0:
		b.recorder.Eventf(regarding, nil, corev1.EventTypeNormal, loadbalancer.EventAllocated, "Allocate",
			"Has %s now", addressTexts(got))
	}
	if len(gone) > 0 {
		b.recorder.Eventf(regarding, nil, corev1.EventTypeNormal, loadbalancer.EventReleased, "Release",
			"Has %s no more", addressTexts(gone))
	}
	if !has && reason != "" && (had || was != reason) {
		b.recorder.Eventf(regarding, nil, corev1.EventTypeWarning, loadbalancer.EventFailed, "Allocate",
			"%s: %s", reason, messageOf(&after.Status))
	}
}

// messageOf returns that of the condition that says why there is no address.
func messageOf(status *corev1.ServiceStatus) string {
	for i := range status.Conditions {
		if status.Conditions[i].Type == servicenetv1alpha1.ConditionAddressAllocated {
			return status.Conditions[i].Message
		}
	}
	return ""
}

func without(all, some []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(all), func(a netip.Addr) bool { return slices.Contains(some, a) })
}

func addressTexts(of []netip.Addr) string {
	words := make([]string, len(of))
	for i, address := range of {
		words[i] = address.String()
	}
	return strings.Join(words, ", ")
}

// referenceToRecord names a Service in events.
func referenceToRecord(record *serviceRecord) *corev1.ObjectReference {
	return referenceToService(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: record.Namespace, Name: record.Name, UID: record.UID},
	})
}
