// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"iter"

	"servicenet.dev/servicenet/internal/ledger"
)

// RestoreTenants makes a block of load-balancer addresses say again who has them,
// as Restore does with other numbers: one that is new, because the old one can't be
// read, or one that others brought back to an earlier state. Claims are numbers and
// the Services that should have them, those first that matter most: which they show
// in their status, and which the ledger had for them last. A claim that does not fit
// in with an earlier one counts for nothing. Nothing is in flight: who was told of an
// address and does not show it yet asks again.
//
// Last is the block as it was last seen, nil if it never was. It tells for whom
// addresses are kept.
func RestoreTenants(block, last *ledger.Block, claims iter.Seq2[int, ledger.Tenant]) {
	for number, tenant := range claims {
		// Why it does not fit is told to the Service when it asks again.
		_, _ = block.Admit(number, tenant)
	}
	if last == nil {
		return
	}
	for number, hold := range last.Holds() {
		if block.State(number) == ledger.Free && !hold.For.Nobody() {
			block.Adopt(number)
			block.Release(number, hold.Retention)
		}
	}
}
