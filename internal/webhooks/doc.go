// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package webhooks answers the API server: it decodes what is asked, reads what the
// package admission needs to decide on it, takes numbers of the ledger, and says what
// came of it.
//
//	hook := &webhooks.Hook{Name: "mutate-services", Judge: services.Mutate, ...}
//	hook.Register(server, webhooks.MutateServicesPath)
//
// A Hook is what all webhooks have in common: the deadline, the code of the answer,
// metrics, a word about slow answers. What it asks, a Judge, is given a request and
// returns a Verdict, or an error:
//
//	a verdict with a refusal    its code, 422 with a cause for each fault
//	another verdict             allowed, with a patch or not, with warnings
//	a MalformedError            400: the API server asks nothing of the kind
//	a ledger.UnavailableError   503, and when to come again
//	any other error, a panic    503, and the log says what went wrong
//
// So it never answers 500, whatever it is sent. While caches are not synced, or the
// replica does not give numbers out any more, the answer is 503.
//
// Services is the Judge of Services. Its Facts come from caches. The API server
// itself is asked only whether a Service exists that is to be created: when the cache
// shows one, and before one is refused that the cache does not show.
//
// # Limits
//
// How many numbers a namespace has of a pool with a limit is counted when one is to
// be taken: those of its Services by the cache, those given to Services that the cache
// does not show yet, and those kept for deleted ones. Requests of a namespace take
// such numbers one after the other, so that one replica never goes past the limit.
// What other replicas gave in the time that a watch needs, it does not know: of n
// replicas, a namespace that asks all of them within that time can have n times the
// limit at most. Nothing is taken back from it then, and it gets no more.
//
// A number given for a Service that never came counts for a minute, unless a Service
// of the same name asks again.
package webhooks
