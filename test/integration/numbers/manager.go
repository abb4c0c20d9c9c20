// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/hack/controlplane"
)

// logLines is how much of a manager's log a spec that fails shows.
const logLines = 40

// StartManager starts a manager of numbers, which ends with the spec.
func (s *Server) StartManager(ctx context.Context, name string, args ...string) *controlplane.Manager {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	manager, err := s.Plane.StartManager(ctx, controlplane.ManagerOptions{
		Name: name, Path: program, RoleFile: InRepository("config", "rbac", "role.yaml"),
		Args: append([]string{"--controllers=clusterip,nodeport"}, args...),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx context.Context) {
		if CurrentSpecReport().Failed() {
			AddReportEntry("last log lines of "+name, manager.LogTail(logLines), ReportEntryVisibilityFailureOrVerbose)
		}
		Expect(manager.Stop(ctx)).To(Succeed())
	})
	return manager
}

// Settle waits until the ledger is what the Services say, and until a manager that
// leads has seen that, so that it notices what is lost from then on.
func (s *Server) Settle(ctx context.Context, manager *controlplane.Manager) {
	GinkgoHelper()
	Eventually(s.Contradictions).WithContext(ctx).Should(BeEmpty())
	Eventually(controlplane.HTTPReady(http.DefaultClient, manager.HealthURL+"/readyz")).WithContext(ctx).Should(Succeed())
}

// ErrorsLogged returns what a manager has logged as errors.
func ErrorsLogged(manager *controlplane.Manager) []string {
	GinkgoHelper()
	content, err := os.ReadFile(manager.LogPath())
	Expect(err).NotTo(HaveOccurred())
	var found []string
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(line, `{"level":"info"`) {
			found = append(found, line)
		}
	}
	return found
}

// Findings returns how many findings of a kind a manager has counted.
func Findings(ctx context.Context, manager *controlplane.Manager, kind string) (float64, error) {
	metrics, err := Scrape(ctx, manager.MetricsURL+"/metrics")
	if err != nil {
		return 0, err
	}
	return metrics[fmt.Sprintf("servicenet_repair_findings_total{kind=%q}", kind)], nil
}

// Leads tells whether a manager leads.
func Leads(ctx context.Context, manager *controlplane.Manager) (bool, error) {
	metrics, err := Scrape(ctx, manager.MetricsURL+"/metrics")
	if err != nil {
		return false, err
	}
	for name, value := range metrics {
		if strings.HasPrefix(name, "leader_election_master_status{") {
			return value == 1, nil
		}
	}
	return false, nil
}
