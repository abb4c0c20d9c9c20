// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package loadbalancer decides what becomes of a Service of type LoadBalancer: whether
// it is ours, what it asks for, which of its addresses it keeps, which it needs and
// which it gives up, who gets what comes free, and what its status says.
//
//	switch terms.Duty(service) {
//	case Serve:
//		request, faults := Read(service)
//		plan := Make(&request, holdings)
//		// take what plan.Needs, then write what Change returns, then give up
//	case CleanUp:
//		// give up everything, then take the finalizer off
//	}
//
// # The rules
//
// The ledger alone says which addresses a Service has. A status says what it had when
// somebody wrote it: it is a claim (Claims) where the ledger knows nothing, and
// otherwise it is made equal to the ledger, whoever changed it.
//
// What a Service has, it keeps: whether its pool shrank or has a better address is no
// reason to move. It moves if it asks for something else, if it may not share its
// address any more, or if its pools say that addresses outside of them are to be
// replaced; then it has the new address before the old one is given up.
//
// Who gets none waits in a queue (Waiters) for each thing that it could get, in the
// order of creation. What comes free wakes the one that waits longest; it passes the
// call on unless it found that nothing is left. So the work for an address that comes
// free does not grow with those who wait, and no call is lost when one of them fails.
//
// Of a list of addresses in a status (Change) only those that pools or the ledger know
// are ours. What others have put there stays where it is.
//
// It does no I/O and reads no clock.
package loadbalancer
