// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package standby decides whether an endpoint controller acts or stands by, where
// nobody has said whether another one does the same work.
//
// It is found out by asking. Two Services of our own, which lead nowhere, bear a
// question: a label with a word that nobody has seen before. Whoever writes endpoints
// copies the labels of a Service, or of Endpoints it mirrors, to what it writes, and so
// answers. Our own controllers leave these Services alone.
//
//	              an answer                         an answer
//	      ┌───────────────────────────┐      ┌──────────────────────────┐
//	      ▼                           │      ▼                          │
//	standing by ──── asked anew ───► waiting ──── silence for long ──► acting
//
// Silence counts while a question is open, while no Lease of kube-controller-manager
// is renewed, which tells of one that is still starting, and while this process sees:
// time in which nobody could look is no silence. Time is that of the observer's own
// clock, between two looks; no time that somebody wrote is ever compared with it.
//
// The question stays open for as long as a controller acts, so that another one answers
// it with the first things it writes. That alone ends acting: a Lease that is renewed
// again does not, since endpoints that nobody writes are worse than such that two
// write for a moment, who agree on them.
//
// Every replica observes. The leader asks, and records what it has decided beside the
// question, in the same object: whoever leads next goes on acting at once, unless the
// question has been answered meanwhile.
//
// The package does no I/O, reads no clock and logs nothing.
package standby
