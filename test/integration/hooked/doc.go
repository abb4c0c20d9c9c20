// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hooked is what the suites about webhooks share: control planes whose API
// servers call the webhooks of managers, which run as programs.
package hooked
