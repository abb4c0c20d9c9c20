// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/hack/controlplane"
)

// logLines is how much of a writer's log the report of a failed spec quotes.
const logLines = 15

// writer is a program that writes endpoints: the manager or the
// kube-controller-manager.
type writer struct {
	*controlplane.Process

	// read returns its metrics.
	read func(context.Context) (metrics, error)
	// busy are the metrics that are zero while it has nothing to do.
	busy []string
}

// startOurs starts the manager with its three endpoint controllers.
func (w *world) startOurs(ctx context.Context, args ...string) *writer {
	GinkgoHelper()
	path, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	started, err := w.plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: path, RoleFile: roleFile,
		Args: append([]string{"--controllers=endpoints,endpointslice,endpointslicemirroring"}, args...),
	})
	Expect(err).NotTo(HaveOccurred())
	return reportOnFailure(&writer{
		Process: started.Process,
		busy:    []string{"workqueue_depth", "controller_runtime_active_workers"},
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

// idle tells whether a writer has nothing to do at the moment.
func (w *writer) idle(ctx context.Context) (bool, error) {
	now, err := w.read(ctx)
	acting := now["servicenet_endpoints_acting"].GetMetric()
	standsBy := len(acting) > 0 && now.sum("servicenet_endpoints_acting") == 0
	todo := 0.0
	for _, name := range w.busy {
		// What was left in the queues of controllers that stand by does not count.
		if !standsBy || name != "workqueue_depth" {
			todo += now.sum(name)
		}
	}
	return todo == 0, err
}

// awaitMerged waits as awaitQuiet does, and then until sparse slices are merged,
// which the manager begins once a Service has been at rest for some time.
func (w *world) awaitMerged(ctx context.Context, writers ...*writer) record {
	GinkgoHelper()
	var last record
	Eventually(func(g Gomega, ctx context.Context) {
		before := last
		last = w.awaitQuiet(ctx, writers...)
		g.Expect(before.compare(last)).To(BeEmpty(), "slices are still merged")
	}).WithContext(ctx).WithPolling(3 * time.Second).Should(Succeed())
	return last
}

// awaitQuiet waits until writers have caught up with all that happened before
// and nobody writes any more. It returns what there is then.
func (w *world) awaitQuiet(ctx context.Context, writers ...*writer) record {
	GinkgoHelper()
	w.awaitTurn(ctx)
	var last record
	Eventually(func(g Gomega, ctx context.Context) {
		for _, writer := range writers {
			g.Expect(writer.idle(ctx)).To(BeTrue(), writer.Name())
		}
		now, err := w.record(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		before := last
		last = now
		g.Expect(before.compare(now)).To(BeEmpty(), "objects still change")
	}).WithContext(ctx).WithPolling(calm).Should(Succeed())
	return last
}
