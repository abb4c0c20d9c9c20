// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package badinput is a table of Services that are refused, with the answer, for
// tests of the rules and of the webhooks alike.
//
// The API server has the ServiceCIDRs 10.96.0.0/16 and fd00::/112, unless a case is
// SingleStack, and the node ports 30000-32767. Namespaces, by the label "team":
//
//	free   no pool serves it
//	shop   has pools of its own
//	depot  has exclusive pools of its own
//	small  may have one number of each of its pools
//	full   has pools of one number each, which Given of a case have taken
package badinput
