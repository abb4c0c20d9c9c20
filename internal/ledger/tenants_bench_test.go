// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/allocator"
)

// tenantNumbered returns a Service as many are: with a UUID, a name of 20 bytes, one
// of 50 namespaces, and a port.
func tenantNumbered(i int, adjust ...func(*Terms)) Tenant {
	t := sharerOf(fmt.Sprintf("namespace-%d", i%50), fmt.Sprintf("service-number-%05d", i), adjust...)
	t.UID = types.UID(fmt.Sprintf("01234567-89ab-cdef-0123-%012x", i))
	return t
}

// fullOfTenants returns a block of which each number has tenants of its own.
func fullOfTenants(tb testing.TB, each int) *Block {
	tb.Helper()
	b := NewBlock(1)
	for i := range allocator.BlockSize * each {
		admit(tb, b, i/each, tenantNumbered(i, onPorts(tcp(int32(80+i%each))))) //nolint:gosec // small
	}
	return b
}

// A block of 4,096 tenants is written whenever one of them comes or goes. A write
// takes a copy, a change and the encoding.
func BenchmarkTenantComesAndGoes(b *testing.B) {
	for _, tenants := range []int{1, allocator.BlockSize} {
		b.Run(fmt.Sprintf("of %d", tenants), func(b *testing.B) {
			block := NewBlock(1)
			for i := range tenants {
				admit(b, block, i, tenantNumbered(i))
			}
			b.ResetTimer()
			for i := range b.N {
				next := block.Clone()
				next.Evict(i%tenants, block.Tenants(i % tenants)[0].UID, Retention{})
				admit(b, next, i%tenants, tenantNumbered(i+tenants))
				encode(b, next)
				block = next
			}
		})
	}
}

func BenchmarkTenantsAreRead(b *testing.B) {
	data := encode(b, fullOfTenants(b, 1))
	for b.Loop() {
		decode(b, data)
	}
	b.ReportMetric(float64(len(data)), "bytes")
}

// BenchmarkTenantShares has one address that 1,000 Services share.
func BenchmarkTenantShares(b *testing.B) {
	block := NewBlock(1)
	for i := range 1000 {
		admit(b, block, 7, tenantNumbered(i, anywhere, onPorts(tcp(int32(1+i)))))
	}
	b.ResetTimer()
	for i := range b.N {
		next := block.Clone()
		next.Evict(7, tenantNumbered(i%1000).UID, Retention{})
		admit(b, next, 7, tenantNumbered(i%1000, anywhere, onPorts(tcp(int32(1+i%1000)))))
		encode(b, next)
		block = next
	}
}
