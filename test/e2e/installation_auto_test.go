// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// status is what `manager status` says in a pod of the manager, with its rights.
func status(tables ...string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		args := append([]string{
			"-n", managerNamespace, "exec", "deployment/servicenet-controller-manager", "--", "/manager", "status", "--no-headers",
		}, tables...)
		output, err := kubectl(ctx, args...)
		var lines []string
		for line := range strings.Lines(output) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		return lines, err
	}
}

// decided matches what the table endpoints says when all of the endpoint controllers
// have decided the same.
func decided(acts, reason string) OmegaMatcher {
	return ConsistOf(
		HavePrefix(managerNamespace+" endpoints "+acts+" "+reason),
		HavePrefix(managerNamespace+" endpointslice "+acts+" "+reason),
		HavePrefix(managerNamespace+" endpointslicemirroring "+acts+" "+reason))
}

var _ = Describe("manager status", func() {
	It("says in a pod of the manager whether the endpoint controllers act", func(ctx SpecContext) {
		switch overlay {
		case "config/default":
			if ours {
				Skip("nobody writes endpoints, and kube-controller-manager runs: the chart's specs are about that")
			}
			Eventually(ctx, status("endpoints")).Should(decided("false", "SomebodyElse"))
			Expect(status("replicas")(ctx)).To(ConsistOf(And(HavePrefix(managerNamespace+" "), HaveSuffix(" auto"))))
		case "config/replace-endpoints":
			Eventually(ctx, status("endpoints")).Should(BeEmpty())
			Expect(status("replicas")(ctx)).To(ConsistOf(And(HavePrefix(managerNamespace+" "), HaveSuffix(" on-or-off"))))
		default:
			Skip("it is not known what " + overlay + " has the manager do")
		}
	}, SpecTimeout(specTimeout))
})
