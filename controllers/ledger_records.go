// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/repair"
)

// serviceRecord is what is cached of a Service: which numbers it has, and what pools
// see of it. The object itself would take three times the memory, even stripped.
type serviceRecord struct {
	metav1.Object
	repair.Service

	version string
	// slots say which of its numbers each of Numbers is. There are none if it has
	// addresses alone.
	slots []ledger.Slot
	// labels are as labels.Set writes them.
	labels string
	// balanced is what matters of it to the controller of load balancers, nil if that
	// has nothing to do with it.
	balanced *corev1.Service
}

// addressRecord is what is cached of an IPAddress object.
type addressRecord struct {
	metav1.Object
	repair.Address

	name, version string
	// err tells that the name is no address.
	err error
	// foreign tells that it is not a Service's.
	foreign bool
}

// recorder makes records.
type recorder struct {
	// families are those of the numbers that matter.
	families []servicenetv1alpha1.NumberFamily
	// balances tells which Services matter to the controller of load balancers.
	balances func(*corev1.Service) bool
	// empty is the metadata of all records, but for what they say themselves.
	empty metav1.Object
}

func newRecorder(options Options) *recorder {
	r := &recorder{families: familiesOf(options), empty: &metav1.ObjectMeta{}, balances: func(*corev1.Service) bool { return false }}
	if options.runs(LoadBalancerName) {
		r.balances = termsOf(options).Matters
	}
	return r
}

// familiesOf returns the families of the controllers that run.
func familiesOf(options Options) (families []servicenetv1alpha1.NumberFamily) {
	if options.runs(ClusterIPName) {
		families = append(families, servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6)
	}
	if options.runs(NodePortName) {
		families = append(families, servicenetv1alpha1.NodePort)
	}
	return families
}

// service returns the record of a Service, with each of its numbers once: a port may
// serve two protocols.
func (r *recorder) service(object *corev1.Service) *serviceRecord {
	var numbers []ledger.Place
	for _, place := range store.Numbers(object) {
		if slices.Contains(r.families, place.Family) && !slices.Contains(numbers, place) {
			numbers = append(numbers, place)
		}
	}
	record := &serviceRecord{
		Object: r.empty, Service: repair.NewService(object, numbers),
		version: object.ResourceVersion, labels: labels.Set(object.Labels).String(),
	}
	if r.balances(object) {
		record.balanced = loadbalancer.Strip(object)
	}
	for i, place := range numbers {
		if slot := slotOf(object, place); slot != 0 {
			if record.slots == nil {
				record.slots = make([]ledger.Slot, len(numbers))
			}
			record.slots[i] = slot
		}
	}
	return record
}

// address returns the record of an IPAddress object.
func (r *recorder) address(object *networkingv1.IPAddress) *addressRecord {
	record := &addressRecord{
		Object: r.empty, name: object.Name, version: object.ResourceVersion, foreign: store.FindingOf(object).Foreign,
	}
	record.Address, record.err = repair.NewAddress(object)
	return record
}

// recordedBy is the cache setting of a kind of which records are stored. They can't
// be read with a client, which knows objects alone.
func recordedBy[T client.Object, R any](record func(T) R) cache.ByObject {
	return cache.ByObject{Transform: toolscache.TransformFunc(func(object any) (any, error) {
		if typed, ok := object.(T); ok {
			return record(typed), nil
		}
		return object, nil // a record already, or a tombstone with one
	})}
}

// GetNamespace and those that follow are of metav1.Object: they tell objects and
// their versions apart.
func (r *serviceRecord) GetNamespace() string { return r.Namespace }

// GetName is of metav1.Object.
func (r *serviceRecord) GetName() string { return r.Name }

// GetResourceVersion is of metav1.Object.
func (r *serviceRecord) GetResourceVersion() string { return r.version }

// GetName is of metav1.Object.
func (r *addressRecord) GetName() string { return r.name }

// GetResourceVersion is of metav1.Object.
func (r *addressRecord) GetResourceVersion() string { return r.version }

// numbers returns the numbers of a Service, none of nil.
func (r *serviceRecord) numbers() []ledger.Place {
	if r == nil {
		return nil
	}
	return r.Numbers
}

// slot tells which of its numbers a Service has in a place: a port by the name that
// the Service has for it.
func (r *serviceRecord) slot(place ledger.Place) ledger.Slot {
	if i := slices.Index(r.Numbers, place); i >= 0 && i < len(r.slots) {
		return r.slots[i]
	}
	return 0
}

// same tells whether a Service has nothing that is new but its version.
func (r *serviceRecord) same(other *serviceRecord) bool {
	return r.Owner == other.Owner && r.labels == other.labels && slices.Equal(r.Numbers, other.Numbers) &&
		slices.Equal(r.slots, other.slots) && slices.Equal(r.Invalid, other.Invalid) && slices.Equal(r.Twice, other.Twice)
}

// labelSet returns the labels of a Service.
func (r *serviceRecord) labelSet() map[string]string {
	set := map[string]string{}
	for pair := range strings.SplitSeq(r.labels, ",") {
		if key, value, found := strings.Cut(pair, "="); found {
			set[key] = value
		}
	}
	return set
}
