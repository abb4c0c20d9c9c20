// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
)

// Smuggle stores a Service like another one in etcd, past the API server and all
// that it checks: what a mistake of an allocator or a changed flag leaves behind.
// Change may be nil.
func (in Space) Smuggle(ctx context.Context, like, name string, change func(spec *corev1.ServiceSpec)) {
	GinkgoHelper()
	service := in.stored(ctx, like)
	service.Name, service.UID = name, uuid.NewUUID()
	if change != nil {
		change(&service.Spec)
	}
	Expect(in.Plane.PutInEtcd(ctx, map[string][]byte{in.key(name): encoded(service)})).To(Succeed())
}

// SmuggleMany stores so many Services like another one in etcd, at one address after
// the other, with their IPAddress objects: to make so many takes minutes.
func (in Space) SmuggleMany(ctx context.Context, like, first string, count int) {
	GinkgoHelper()
	service, owned := in.stored(ctx, like), &networkingv1.IPAddress{}
	Expect(in.API.Get(ctx, client.ObjectKey{Name: service.Spec.ClusterIP}, owned)).To(Succeed())
	owned.APIVersion, owned.Kind = networkingv1.SchemeGroupVersion.String(), "IPAddress"
	owned.ResourceVersion, owned.ManagedFields = "", nil
	// An object that is a minute old, and whose Service kube-apiserver has not seen yet,
	// it deletes.
	owned.CreationTimestamp = metav1.Now()
	objects := map[string][]byte{}
	address := netip.MustParseAddr(first)
	for i := range count {
		service.Name, service.UID = fmt.Sprintf("like-%s-%d", like, i), uuid.NewUUID()
		Address(&service.Spec, address.String())
		objects[in.key(service.Name)] = encoded(service)
		owned.Name, owned.UID, owned.Spec.ParentRef.Name = address.String(), uuid.NewUUID(), service.Name
		objects["/registry/ipaddresses/"+owned.Name] = encoded(owned)
		address = address.Next()
	}
	Expect(in.Plane.PutInEtcd(ctx, objects)).To(Succeed())
}

// stored returns a Service as it is stored, with nothing in it that etcd says.
func (in Space) stored(ctx context.Context, name string) *corev1.Service {
	GinkgoHelper()
	service := &corev1.Service{}
	Expect(in.API.Get(ctx, client.ObjectKey{Namespace: in.Name, Name: name}, service)).To(Succeed())
	service.APIVersion, service.Kind = "v1", "Service"
	service.ResourceVersion, service.ManagedFields = "", nil
	return service
}

// key returns what a Service of the space is called in etcd.
func (in Space) key(service string) string {
	return "/registry/services/specs/" + in.Name + "/" + service
}

func encoded(object client.Object) []byte {
	GinkgoHelper()
	data, err := json.Marshal(object)
	Expect(err).NotTo(HaveOccurred())
	return data
}

// Headless takes the addresses from a Service.
func Headless(spec *corev1.ServiceSpec) { Address(spec, corev1.ClusterIPNone) }

// Address gives a Service one address alone, of whatever family.
func Address(spec *corev1.ServiceSpec, address string) {
	spec.ClusterIP, spec.ClusterIPs = address, []string{address}
	spec.IPFamilies, spec.IPFamilyPolicy = spec.IPFamilies[:1], new(corev1.IPFamilyPolicySingleStack)
}

// Free makes a block forget a number that a Service has.
func Free(block *ledger.Block, number int) {
	block.Release(number, ledger.Retention{})
	hold, _ := block.Hold(number)
	block.Clear(number, hold.Serial)
}
