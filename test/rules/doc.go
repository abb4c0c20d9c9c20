// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rules has examples of when the rules of config/prometheus alert, for promtool
// (make test-rules), and checks that each alert has examples and a runbook.
package rules
