// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/hack/controlplane"
)

// managerUser is who the managers are to the API server.
const managerUser = "system:serviceaccount:servicenet-system:servicenet-controller-manager"

// managerProgram is the path of bin/manager.
func managerProgram() string {
	GinkgoHelper()
	path, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	return path
}

// startManager starts a manager and waits until it is ready. Unless the arguments
// say which controllers it has, it has those of endpoints: the kinds of the others
// need not be there.
func startManager(ctx context.Context, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	if !strings.Contains(strings.Join(args, " "), "--controllers=") {
		args = append([]string{"--controllers=*,-clusterip,-nodeport,-loadbalancer"}, args...)
	}
	started, err := plane.StartManager(ctx, controlplane.ManagerOptions{
		Name:     name,
		Path:     managerProgram(),
		RoleFile: roleFile,
		Args:     args,
	})
	Expect(err).NotTo(HaveOccurred())
	return started
}

// startExtraManager starts a manager that ends with the spec.
func startExtraManager(ctx context.Context, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	extra := startManager(ctx, name, args...)
	DeferCleanup(endManager, extra)
	return extra
}

// endManager ends a manager and, if the spec failed, adds to its report what the
// manager said last.
func endManager(ctx context.Context, extra *controlplane.Manager) {
	GinkgoHelper()
	if CurrentSpecReport().Failed() {
		AddReportEntry("last log lines of "+extra.Name(), extra.LogTail(logLines), ReportEntryVisibilityFailureOrVerbose)
	}
	Expect(extra.Stop(ctx)).To(Succeed())
}

// stopSharedManager ends the manager that all specs share, and starts it again
// after the spec. Only Serial specs may use it.
func stopSharedManager(ctx context.Context) {
	GinkgoHelper()
	awaitIdle(ctx, manager)
	Expect(manager.Stop(ctx)).To(Succeed())
	DeferCleanup(restartSharedManager)
}

// crashSharedManager ends the manager that all specs share as the kernel would
// when it runs out of memory. Only Serial specs may use it.
func crashSharedManager() {
	GinkgoHelper()
	Expect(manager.Kill()).To(Succeed())
}

// restartSharedManager starts it again and waits until it is ready.
func restartSharedManager(ctx context.Context) {
	GinkgoHelper()
	Expect(manager.Restart(ctx)).To(Succeed())
}

// errorsLogged returns what the manager that all specs share has logged as errors,
// and whatever is no log line at all, such as a panic. What a manager that is being
// stopped leaves undone does not count.
func errorsLogged() []string {
	GinkgoHelper()
	content, err := os.ReadFile(manager.LogPath())
	Expect(err).NotTo(HaveOccurred())
	var found []string
	for line := range strings.Lines(string(content)) {
		stopping := strings.Contains(line, "context canceled") || strings.Contains(line, "handler did not sync")
		if !stopping && !strings.HasPrefix(line, `{"level":"info"`) {
			found = append(found, line)
		}
	}
	return found
}
