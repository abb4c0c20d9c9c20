// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// Family is a kind of control plane, and what there is to get from it.
type Family struct {
	// Name stands in the names of the specs.
	Name string
	// ClusterIPs are the ranges of the API server. The first one has room for blocks.
	ClusterIPs string
	// Small are ranges of so few addresses that they are soon given.
	Small string
	// Few is a further range, and OfFew an address of it.
	Few, OfFew string
	// Outside is an address in no range, and Garbled one that is none at all.
	Outside, Garbled string

	on *numbers.Server
}

// Specs declares the specs of a kind of control plane as those of a suite.
func Specs(f *Family) bool {
	BeforeSuite(func(ctx SpecContext) { f.on = numbers.Start(ctx, f.ClusterIPs) }, NodeTimeout(numbers.StartTimeout))
	BeforeEach(func() { f.on.AbortIfDead() })
	return Describe("Repair with "+f.Name, func() {
		Describe("of mistakes", Ordered, ContinueOnFailure, f.mistakes)
		Describe("of blocks", Ordered, ContinueOnFailure, f.blocks)
		Describe("of nothing", Ordered, ContinueOnFailure, f.nothing)
		Describe("in a range that is full", Ordered, ContinueOnFailure, f.full)
	})
}

// place returns a number of the first range: of the block with this index, so far
// from the beginning of the block.
func (f *Family) place(block, number int) ledger.Place {
	prefix := netip.MustParsePrefix(f.ClusterIPs[:slices.Index([]byte(f.ClusterIPs+","), ',')])
	bytes := prefix.Addr().AsSlice()
	low := bytes[len(bytes)-2:]
	//nolint:gosec // all ranges have 16 bits at least
	binary.BigEndian.PutUint16(low, binary.BigEndian.Uint16(low)+uint16(block*4096+number))
	address, _ := netip.AddrFromSlice(bytes)
	if address.Is4() {
		return ledger.Address(servicenetv1alpha1.ClusterIPv4, address)
	}
	return ledger.Address(servicenetv1alpha1.ClusterIPv6, address)
}

// block returns the name of a block of addresses.
func (f *Family) block(index int) string { return f.place(index, 0).Key.String() }

// expose makes a Service with an address of each family there is, the first of them
// as named.
func (f *Family) expose(ctx context.Context, in numbers.Space, name, address string, ports ...int32) {
	GinkgoHelper()
	of := corev1.ServiceTypeClusterIP
	if len(ports) > 0 {
		of = corev1.ServiceTypeNodePort
	}
	service := in.New(name, of, address, ports...)
	service.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyPreferDualStack)
	Expect(in.API.Create(ctx, service)).To(Succeed())
}
