// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package certificates keeps the certificate of the webhooks: in a Secret, which all
// replicas share, in the webhook configurations, as what the API server trusts, and in
// memory, where the server of the webhooks takes it from.
//
// Each replica looks after all of it, led by the Secret:
//
//	nothing in it that holds for another while   a certificate is made and written; of
//	                                             several replicas the first one wins
//	a certificate                                the API server is told to trust its
//	                                             authority, and then it is served
//
// So a replica never serves what is not trusted yet. A new authority is trusted besides
// the one before, whose certificate others may still serve.
//
// No file is read: a kubelet takes a minute or more until it shows in a Pod what a
// Secret has in it. Making and judging certificates is cert-controller's; its own
// upkeep waits for files.
package certificates
