// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
)

// Smuggle stores a Service like another one in etcd, past the API server and all
// that it checks: what a mistake of an allocator or a changed flag leaves behind.
// Change may be nil.
func (in Space) Smuggle(ctx context.Context, like, name string, change func(spec *corev1.ServiceSpec)) {
	GinkgoHelper()
	service := &corev1.Service{}
	Expect(in.API.Get(ctx, client.ObjectKey{Namespace: in.Name, Name: like}, service)).To(Succeed())
	service.APIVersion, service.Kind = "v1", "Service"
	service.Name, service.UID, service.ResourceVersion, service.ManagedFields = name, uuid.NewUUID(), "", nil
	if change != nil {
		change(&service.Spec)
	}
	stored, err := json.Marshal(service)
	Expect(err).NotTo(HaveOccurred())
	Expect(in.Plane.PutInEtcd(ctx, "/registry/services/specs/"+in.Name+"/"+name, stored)).To(Succeed())
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
