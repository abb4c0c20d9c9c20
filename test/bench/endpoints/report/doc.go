// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package report turns what the runs of a benchmark measured into tables and
// verdicts: values in, text out. It measures nothing itself.
package report
