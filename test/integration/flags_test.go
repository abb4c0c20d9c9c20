// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
		Entry(nil, "--endpoints-mode", "maybe", `allowed are ["on" "off" "auto"]`),
		Entry(nil, "--concurrent-service-endpoint-syncs", "0", "from 1 to 50"),
		Entry(nil, "--concurrent-service-endpoint-syncs", "51", "from 1 to 50"),
		Entry(nil, "--concurrent-service-endpoint-syncs", "many", "from 1 to 50"),
		Entry(nil, "--max-endpoints-per-slice", "0", "from 1 to 1000"),
		Entry(nil, "--max-endpoints-per-slice", "1001", "from 1 to 1000"),
		Entry(nil, "--concurrent-endpoint-syncs", "0", "from 1 to 50"),
		Entry(nil, "--mirroring-concurrent-service-endpoint-syncs", "51", "from 1 to 50"),
		Entry(nil, "--mirroring-max-endpoints-per-subset", "1001", "from 1 to 1000"),
		Entry(nil, "--endpoint-updates-batch-period", "2m", "0s to 1m"),
		Entry(nil, "--min-resync-period", "1s", "and more"),
		Entry(nil, "--keep-orphaned-endpoints", "some", "true and false"),
		Entry(nil, "--kube-api-qps", "-1", "from 0 to 1000000"),
		Entry(nil, "--kube-api-qps", "NaN", "from 0 to 1000000"),
		Entry(nil, "--kube-api-burst", "-1", "from 0"),
		Entry(nil, "--enable-webhooks", "maybe", "true and false"),
		Entry(nil, "--webhook-port", "0", "from 1 to 65535"),
		Entry(nil, "--allowed-external-ips", "nowhere", "CIDRs"),
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
			"concurrent-endpoint-syncs", "mirroring-concurrent-service-endpoint-syncs", "mirroring-max-endpoints-per-subset",
			"endpointslice-updates-batch-period", "endpoint-updates-batch-period", "mirroring-endpointslice-updates-batch-period",
			"max-endpoint-updates-gather-period", "endpointslice-merge-rate", "endpoints-check-period", "min-resync-period", "keep-orphaned-endpoints",
			"webhook-bind-address", "webhook-port", "webhook-cert-dir", "webhook-cert-name", "webhook-key-name",
			"webhook-drain-period", "allowed-external-ips", "enable-http2",
			"zap-devel", "zap-log-level", "version",
		} {
			Expect(ended.Stdout).To(MatchRegexp(`(?m)^ +--%s .*[A-Za-z]`, flag))
		}
	})
})

func oneIf(there bool) int {
	if there {
		return 1
	}
	return 0
}

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
		Entry(nil, "--endpoints-mode=off"),
	)

	DescribeTable("writes only what it is asked to", func(ctx SpecContext, controllers string, slices, endpoints, mirrors bool) {
		startExtraManager(ctx, "partial-manager", "--controllers="+controllers)
		in.runPods(ctx, "web", 1)
		in.expose(ctx, "web")
		in.exposeOutsiders(ctx, "db")
		in.makeEndpoints(ctx, "db", subset(5432, "192.0.2.1"))
		if slices {
			in.expectNoFaults(ctx, "web", 1)
		}
		if endpoints {
			in.expectSubsets(ctx, "web", "http:8080: web-0")
		}
		if mirrors {
			Eventually(in.mirrors("db")).WithContext(ctx).Should(HaveLen(1))
		}
		Consistently(func(g Gomega, ctx context.Context) {
			g.Expect(in.currentSlices(ctx, "web")).To(HaveLen(oneIf(slices)))
			g.Expect(in.currentSlices(ctx, "db")).To(HaveLen(oneIf(mirrors)))
			_, err := in.subsets("web")(ctx)
			g.Expect(apierrors.IsNotFound(err)).To(Equal(!endpoints))
		}).WithContext(ctx).Should(Succeed())
	},
		func(controllers string, _, _, _ bool) string { return "with --controllers=" + controllers },
		Entry(nil, "endpointslice", true, false, false),
		Entry(nil, "endpoints", false, true, false),
		Entry(nil, "endpointslicemirroring", false, false, true),
		Entry(nil, "*,-endpoints,-clusterip,-nodeport,-loadbalancer", true, false, true),
	)

	It("gathers changes of pods and not of Services", func(ctx SpecContext) {
		startExtraManager(ctx, "gathering-manager", "--endpointslice-updates-batch-period=1m", "--endpoint-updates-batch-period=1m")
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")

		in.setReady(ctx, "web-0", false)
		before := restingVersions(ctx, in)
		Consistently(versions(in)).WithContext(ctx).Should(Equal(before))
		Expect(in.conditions("web")(ctx)).To(HaveKeyWithValue("web-0", "ready serving"))

		By("publishing all that has changed with the Service")
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"labels":{"tier":"front"}}}`)
		in.expectNoFaults(ctx, "web", 2)
		in.expectSubsets(ctx, "web", "http:8080: web-1, not ready: web-0")
	})

	It("mirrors fewer addresses, and says so", func(ctx SpecContext) {
		startExtraManager(ctx, "few-mirrors-manager", "--mirroring-max-endpoints-per-subset=1")
		in.exposeOutsiders(ctx, "db")
		in.makeEndpoints(ctx, "db", subset(5432, "192.0.2.1", "192.0.2.2", "192.0.2.3"))
		Eventually(in.sizes("db")).WithContext(ctx).Should(ConsistOf(1))
		Eventually(in.events("Endpoints", "db")).WithContext(ctx).Should(ConsistOf(
			HavePrefix("Warning TooManyAddressesToMirror: 2 addresses are not mirrored")))
	})

	It("makes smaller slices", func(ctx SpecContext) {
		startExtraManager(ctx, "small-slices-manager", "--max-endpoints-per-slice=2")
		in.runPods(ctx, "web", 5)
		in.expose(ctx, "web")
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(2, 2, 1))
		in.expectNoFaults(ctx, "web", 5)
	})

	It("merges slices that a scale-down left sparse", func(ctx SpecContext) {
		startExtraManager(ctx, "merging-manager", "--max-endpoints-per-slice=10")
		in.runPods(ctx, "web", 40)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 40)
		for i := range 40 {
			if i%5 != 0 {
				in.delete(ctx, &corev1.Pod{}, fmt.Sprintf("web-%d", i))
			}
		}
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(8))
		in.expectNoFaults(ctx, "web", 8)
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
