// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hosts decides what a cloud provider is asked for on behalf of a Service of
// type LoadBalancer, and what the Service's status says of the answer: whether the
// Service is the provider's, which nodes its load balancer leads to, and whether the
// provider is to be called at all.
//
//	switch terms.Duty(service) {
//	case Serve:
//		switch record.Owed(service, nodes.ID) {
//		case Ensure:
//			// have the provider make it, and say so with record.Ensured
//		case Update:
//			// have the provider take these nodes
//		}
//		// then write what record.Ingress returns, if that differs
//	case CleanUp:
//		// have the provider delete it, then take the finalizer off
//	}
//
// A provider is called when a Service has changed in what its load balancer is made
// from, when its nodes have, or when an earlier call failed; a status that somebody
// else has changed is put right from memory.
//
// It does no I/O and reads no clock.
package hosts
