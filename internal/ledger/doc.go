// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps, as values, which Service has which number: ClusterIPs,
// NodePorts and load-balancer addresses, block by block. It says what a change
// of a block may do and how a block is written down. Package store does the same
// in the API server.
//
// # The life of a number
//
//	       Lend            Settle          Release           Clear
//	free --------> lent -----------> used ---------> held ----------> free
//	     <--------                        <---------
//	       Return                           Keep
//
// A replica of the manager puts numbers on loan to itself in one swap of the
// block and gives them to Services from memory (a magazine). Once it sees a
// Service carry one, it settles the number. When the Service is gone, the number
// is held: for its last owner if it is to be retained, and in any case until it
// is certain that nothing uses it, which only what is found after the hold was
// made can tell. A number that is taken from its hold (Claim), or carried all the
// same (Keep), ends the hold, so that nothing that was found before can clear it: no
// number is freed on evidence that is out of date.
//
// A loan belongs to a replica. If that is no more, its numbers are held
// (Reclaim) and cleared like all others. Whoever wants a number that is on loan
// asks for it in the block (Ask), and the holder answers there (HandOver,
// Refuse).
//
// # Load-balancer addresses
//
// No stock allocator stands behind these, so that the ledger alone decides: it says
// which Services have an address (tenants), and whether they may have it together is
// decided by the move that lets another in. None is lent, and none waits for evidence:
//
//	free --Admit--> used --Evict--> held --Expire--> free
//	                used <--Admit-- held
//	free <--Evict-- used
package ledger
