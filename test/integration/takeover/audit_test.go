// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// managerUser is who the manager is to the API server.
	managerUser = "system:serviceaccount:servicenet-system:servicenet-controller-manager"

	// auditPolicy has the API server note every request that would change an
	// Endpoints or EndpointSlice, once it is answered.
	auditPolicy = `{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
  "rules": [
    {"level": "Metadata", "verbs": ["update", "patch", "delete"], "resources": [
      {"group": "", "resources": ["endpoints"]}, {"group": "discovery.k8s.io", "resources": ["endpointslices"]}]},
    {"level": "None"}
  ]}`
)

// auditArgs makes the API server keep an audit log in a folder.
func auditArgs(folder string) []string {
	GinkgoHelper()
	policy := filepath.Join(folder, "audit-policy.json")
	Expect(os.WriteFile(policy, []byte(auditPolicy), 0o600)).To(Succeed())
	return []string{"--audit-policy-file=" + policy, "--audit-log-path=" + auditLog(folder)}
}

func auditLog(folder string) string { return filepath.Join(folder, "audit.log") }

// managerRequests tells what the manager asked the API server to change so far.
// Requests that change nothing leave no other trace. Creations are not among
// them: they show in the records.
func (w *world) managerRequests() []string {
	GinkgoHelper()
	content, err := os.ReadFile(auditLog(w.plane.Dir()))
	Expect(err).NotTo(HaveOccurred())
	var found []string
	for line := range strings.Lines(string(content)) {
		var event struct {
			Verb      string
			User      struct{ Username string }
			ObjectRef struct{ Resource, Namespace, Name string }
		}
		Expect(json.Unmarshal([]byte(line), &event)).To(Succeed())
		object := event.ObjectRef
		if event.User.Username == managerUser && object.Namespace != markers {
			found = append(found, event.Verb+" "+object.Resource+" "+object.Namespace+"/"+object.Name)
		}
	}
	return found
}
