// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// StartTimeout is for the control plane and the program, on a busy machine.
	StartTimeout = 5 * time.Minute
	// Patience is how long an expected outcome may take.
	Patience = 45 * time.Second
	// Absence is how long something must not happen.
	Absence = 3 * time.Second
)

// Run runs the specs of a suite.
func Run(t *testing.T, name string) {
	t.Helper()
	log.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(Patience)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(Absence)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, name)
}
