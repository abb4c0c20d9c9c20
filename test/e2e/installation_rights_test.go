// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// accounts are those of the manager, and of what cleans up after it.
const accounts = "system:serviceaccount:" + managerNamespace + ":"

// excused are the names of pods that have run with the rights of another version: while
// one is replaced, what rights there are is already the other one's.
type excused map[string]bool

// add excuses the pods that are there.
func (e excused) add(ctx context.Context) {
	GinkgoHelper()
	pods := managerPods(ctx)
	for i := range pods {
		e[pods[i].Name] = true
	}
}

// span is from when an API server was killed until its successor did its work.
type span struct{ begin, end time.Time }

// restarts are when the API server was: at its start it refuses what it knows no roles
// for yet, and clients ask again.
var restarts []span

// nothingForbidden fails if the manager asked for anything that its service account may
// not: in all of the suite where E2E_AUDIT_LOG names the API server's log of who asked
// for what, else as far as the logs of its pods go back.
func nothingForbidden(ctx SpecContext) {
	words := append(forbiddenInLogs(ctx), forbiddenInAudit(os.Getenv("E2E_AUDIT_LOG"))...)
	Expect(words).To(BeEmpty(), "what the manager asked for and may not")
}

// forbiddenInLogs returns lines of the logs of the manager's containers, also of those
// that were started again.
func forbiddenInLogs(ctx context.Context) []string {
	GinkgoHelper()
	var lines []string
	pods := managerPods(ctx)
	for i := range pods {
		if excusedPods[pods[i].Name] {
			continue
		}
		for _, previous := range []string{"--previous=false", "--previous"} {
			output, err := kubectl(ctx, "-n", managerNamespace, "logs", pods[i].Name, previous)
			if err != nil {
				continue // there is no such container (any more)
			}
			for line := range strings.Lines(output) {
				if strings.Contains(line, "forbidden: User ") {
					lines = append(lines, pods[i].Name+": "+strings.TrimSpace(line))
				}
			}
		}
	}
	return lines
}

// forbiddenInAudit returns the requests that were refused for want of a right, each once.
// An empty path is no log.
func forbiddenInAudit(path string) []string {
	GinkgoHelper()
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{"nothing is known: there is no " + path}
	}
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = file.Close() }()
	const longest = 1 << 20
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, longest)
	known, seen := map[string]bool{}, 0
	var found []string
	for lines.Scan() {
		var event struct {
			Verb, RequestURI string
			User             struct {
				Username string
				Extra    map[string][]string
			}
			Annotations map[string]string
			Asked       time.Time `json:"requestReceivedTimestamp"`
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || !strings.HasPrefix(event.User.Username, accounts) {
			continue // the last line may be in the making
		}
		seen++
		word := fmt.Sprintf("%s %s by %s", event.Verb, event.RequestURI, event.User.Username)
		ofPrevious := slices.ContainsFunc(event.User.Extra["authentication.kubernetes.io/pod-name"], func(pod string) bool { return excusedPods[pod] })
		starting := slices.ContainsFunc(restarts, func(s span) bool { return event.Asked.After(s.begin) && event.Asked.Before(s.end) })
		if event.Annotations["authorization.k8s.io/decision"] == "forbid" && !known[word] && !ofPrevious && !starting {
			known[word] = true
			found = append(found, word)
		}
	}
	Expect(lines.Err()).To(Succeed())
	Expect(seen).To(BeNumerically(">", 0), "%s has nothing of the manager", path)
	return found
}
