// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
)

// logLines is how much of a replica's log a spec that fails shows.
const logLines = 30

// What the program in folder replica and controller-runtime log.
const (
	startsMessage  = "Replica starts"
	madeMessage    = "More Services were made"
	restMessage    = "Callers rest"
	refusedMessage = "The API server refused a Service"
	unknownMessage = "Could not take a number"
	leadsMessage   = "Successfully acquired lease"
)

// replica is a process that takes part in the ledger.
type replica struct {
	*controlplane.Process
}

// startReplica starts a replica with so many callers, which ends with the spec.
func (in space) startReplica(ctx context.Context, name string, callers int, args ...string) *replica {
	GinkgoHelper()
	process, err := plane.StartProcess(ctx, controlplane.Command{
		Name: string(in) + "-" + name, Path: replicaProgram,
		Args: append([]string{
			"--kubeconfig=" + kubeconfig, "--namespace=" + string(in), "--callers=" + strconv.Itoa(callers),
		}, args...),
	})
	Expect(err).NotTo(HaveOccurred())
	r := &replica{Process: process}
	DeferCleanup(r.end)
	return r
}

// end ends a replica and, if the spec failed, adds to its report what the replica
// said last.
func (r *replica) end(ctx context.Context) {
	GinkgoHelper()
	if CurrentSpecReport().Failed() {
		AddReportEntry("last log lines of "+r.Name(), r.LogTail(logLines), ReportEntryVisibilityFailureOrVerbose)
	}
	Expect(r.Stop(ctx)).To(Succeed())
}

// rest lets the callers rest and waits until they do.
func (r *replica) rest(ctx context.Context) {
	GinkgoHelper()
	before := r.count(restMessage)
	Expect(r.tell(syscall.SIGUSR1)).To(Succeed())
	Eventually(r.counting(restMessage)).WithContext(ctx).Should(BeNumerically(">", before))
}

// tell sends a signal that the process lives on with.
func (r *replica) tell(signal syscall.Signal) error { return syscall.Kill(r.PID(), signal) }

// holder returns what the replica calls itself in the ledger in its present life.
func (r *replica) holder() ledger.Holder {
	GinkgoHelper()
	var last ledger.Holder
	for _, entry := range r.entries() {
		if entry.Message == startsMessage {
			var err error
			last, err = ledger.ParseHolder(entry.Holder)
			Expect(err).NotTo(HaveOccurred())
		}
	}
	return last
}

// counting returns a function that tells how often the replica logged something,
// over all its lives.
func (r *replica) counting(message string) func() int {
	return func() int { return r.count(message) }
}

func (r *replica) count(message string) (count int) {
	for _, entry := range r.entries() {
		if strings.Contains(entry.Message, message) {
			count++
		}
	}
	return count
}

// faults returns what callers logged that no trouble of the API server explains.
func (r *replica) faults() []string {
	var faults []string
	for _, entry := range r.entries() {
		if entry.Message == refusedMessage || entry.Message == unknownMessage {
			faults = append(faults, entry.Message+": "+entry.Error)
		}
	}
	return faults
}

// entry is a line of a replica's log.
type entry struct {
	Message string `json:"msg"`
	Holder  string `json:"holder"`
	Error   string `json:"error"`
}

// entries returns the replica's log. What is no JSON is klog's, which has its
// message at the end.
func (r *replica) entries() []entry {
	file, err := os.Open(r.LogPath())
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = file.Close() }()
	var entries []entry
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			e = entry{Message: lines.Text()}
		}
		entries = append(entries, e)
	}
	return entries
}
