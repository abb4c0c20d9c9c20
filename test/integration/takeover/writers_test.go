// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/hack/controlplane"
)

// logLines is how much of a writer's log the report of a failed spec quotes.
const logLines = 40

// writer is a program that writes endpoints: the manager or the
// kube-controller-manager.
type writer struct {
	*controlplane.Process

	// read returns its metrics.
	read func(context.Context) (metrics, error)
	// controllers are those that run.
	controllers []feature
	// busy are the metrics that are zero while it has nothing to do.
	busy []string
}

// startOurs starts the manager with those of the three endpoint controllers that
// it has.
func (w *world) startOurs(ctx context.Context, args ...string) *writer {
	GinkgoHelper()
	path, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	names := map[feature]string{
		slicesController:    "endpointslice",
		endpointsController: "endpoints",
		mirroringController: "endpointslicemirroring",
	}
	absent := func(f feature) bool { return !f.present() }
	present := slices.DeleteFunc(controllers(), absent)
	maps.DeleteFunc(names, func(f feature, _ string) bool { return absent(f) })
	started, err := w.plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: path, RoleFile: roleFile,
		Args: append([]string{"--controllers=" + strings.Join(slices.Sorted(maps.Values(names)), ",")}, args...),
	})
	Expect(err).NotTo(HaveOccurred())
	return reportOnFailure(&writer{
		Process:     started.Process,
		controllers: present,
		busy:        []string{"workqueue_depth", "controller_runtime_active_workers"},
		read: func(ctx context.Context) (metrics, error) {
			return readMetrics(ctx, http.DefaultClient, started.MetricsURL)
		},
	})
}

// reportOnFailure adds to the report of a failed spec what a writer said last.
func reportOnFailure(who *writer) *writer {
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			AddReportEntry("last log lines of "+who.Name(), who.LogTail(logLines), ReportEntryVisibilityFailureOrVerbose)
		}
	})
	return who
}

// requests counts the requests of some methods that a writer has sent to the API
// server.
func (w *writer) requests(ctx context.Context, methods ...string) float64 {
	GinkgoHelper()
	now, err := w.read(ctx)
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for _, method := range methods {
		total += now.sum("rest_client_requests_total", "method="+method)
	}
	return total
}

// awaitQuiet waits until writers have caught up with all that happened before
// and nobody writes any more. It returns what there is then.
func (w *world) awaitQuiet(ctx context.Context, writers ...*writer) record {
	GinkgoHelper()
	w.awaitTurn(ctx, writers...)
	var last record
	Eventually(func(g Gomega, ctx context.Context) {
		for _, writer := range writers {
			now, err := writer.read(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			for _, name := range writer.busy {
				g.Expect(now.sum(name)).To(BeZero(), "%s of %s", name, writer.Name())
			}
		}
		now, err := w.record(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		before := last
		last = now
		g.Expect(before.compare(now)).To(BeEmpty(), "objects still change")
	}).WithContext(ctx).WithPolling(calm).Should(Succeed())
	return last
}
