// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
)

// result is how a program ended.
type result struct {
	Code           int
	Stdout, Stderr string
}

// runManager runs the manager to its end.
func runManager(ctx context.Context, args ...string) result {
	GinkgoHelper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, managerProgram(), args...)
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		Expect(err).NotTo(HaveOccurred())
	}
	return result{Code: command.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

var _ = Describe("The manager's command line", func() {
	DescribeTable("refuses a wrong value", func(ctx SpecContext, flag, value, allowed string) {
		ended := runManager(ctx, flag+"="+value)
		Expect(ended.Code).To(Equal(2))
		Expect(ended.Stdout).To(BeEmpty())
		Expect(strings.SplitN(ended.Stderr, "\n", 2)[0]).To(And(
			ContainSubstring(flag),
			ContainSubstring(value),
			ContainSubstring(allowed),
		))
	},
		func(flag, value, _ string) string { return flag + "=" + value },
		Entry(nil, "--controllers", "nonsense", `allowed are "*", "endpointslice", "-endpointslice"`),
		Entry(nil, "--controllers", "*,-nonsense", `"-nonsense" is not a controller`),
		Entry(nil, "--endpoints-mode", "maybe", `allowed are "on" and "off"`),
		Entry(nil, "--concurrent-service-endpoint-syncs", "0", "from 1 to 50"),
		Entry(nil, "--concurrent-service-endpoint-syncs", "51", "from 1 to 50"),
		Entry(nil, "--concurrent-service-endpoint-syncs", "many", "from 1 to 50"),
		Entry(nil, "--max-endpoints-per-slice", "0", "from 1 to 1000"),
		Entry(nil, "--max-endpoints-per-slice", "1001", "from 1 to 1000"),
		Entry(nil, "--kube-api-qps", "-1", "from 0 to 1000000"),
		Entry(nil, "--kube-api-qps", "NaN", "from 0 to 1000000"),
		Entry(nil, "--kube-api-burst", "-1", "from 0"),
		Entry(nil, "--enable-webhooks", "true", "allowed is false"),
		Entry(nil, "--leader-elect", "maybe", "true"),
		Entry(nil, "--leader-election-namespace", "Not_A_Name", "lower case"),
		Entry(nil, "--metrics-bind-address", "nonsense", "port"),
		Entry(nil, "--health-probe-bind-address", "nonsense", "port"),
	)

	It("refuses what it does not know", func(ctx SpecContext) {
		Expect(runManager(ctx, "--nonsense")).To(And(HaveField("Code", 2), HaveField("Stderr", ContainSubstring("--nonsense"))))
		Expect(runManager(ctx, "nonsense")).To(And(HaveField("Code", 2), HaveField("Stderr", ContainSubstring(`"nonsense"`))))
	})

	It("tells the version", func(ctx SpecContext) {
		Expect(runManager(ctx, "--version")).To(And(HaveField("Code", 0), HaveField("Stdout", HavePrefix("servicenet "))))
	})

	It("explains every flag", func(ctx SpecContext) {
		ended := runManager(ctx, "--help")
		Expect(ended.Code).To(BeZero())
		Expect(ended.Stderr).To(BeEmpty())
		for _, flag := range []string{
			"kubeconfig", "controllers", "endpoints-mode", "leader-elect", "leader-election-namespace",
			"metrics-bind-address", "health-probe-bind-address", "kube-api-qps", "kube-api-burst",
			"concurrent-service-endpoint-syncs", "max-endpoints-per-slice", "enable-webhooks",
			"zap-devel", "zap-log-level", "version",
		} {
			Expect(ended.Stdout).To(MatchRegexp(`(?m)^ +--%s .*[A-Za-z]`, flag))
		}
	})
})

var _ = Describe("A manager with other flags", Serial, func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		stopSharedManager(ctx)
	})

	DescribeTable("writes nothing", func(ctx SpecContext, flag string) {
		startExtraManager(ctx, "idle-manager", flag)
		before := restingVersions(ctx)
		in.runPods(ctx, "web", 1)
		in.expose(ctx, "web")
		in.setReady(ctx, "web-0", false)
		Consistently(versions()).WithContext(ctx).Should(Equal(before))
	},
		func(flag string) string { return "with " + flag },
		Entry(nil, "--controllers=-endpointslice"),
		Entry(nil, "--controllers=*,-endpointslice"),
		Entry(nil, "--endpoints-mode=off"),
	)

	It("makes smaller slices", func(ctx SpecContext) {
		startExtraManager(ctx, "small-slices-manager", "--max-endpoints-per-slice=2")
		in.runPods(ctx, "web", 5)
		in.expose(ctx, "web")
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(2, 2, 1))
		in.expectNoFaults(ctx, "web", 5)
	})

	It("keeps to a rate and gets there all the same", func(ctx SpecContext) {
		startExtraManager(ctx, "slow-manager", "--kube-api-qps=20", "--kube-api-burst=1")
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.expectNoFaults(ctx, "web", 1)
	})
})
