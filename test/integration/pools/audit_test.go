// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// managerUser is who the managers are to the API server.
const managerUser = "system:serviceaccount:servicenet-system:servicenet-controller-manager"

// auditPolicy has the API server note what managers ask it to change, once that is
// answered, but for Leases, which are renewed all the time.
const auditPolicy = `{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
  "rules": [
    {"level": "None", "resources": [{"group": "coordination.k8s.io"}]},
    {"level": "Metadata", "users": ["` + managerUser + `"], "verbs": ["create", "update", "patch", "delete"]},
    {"level": "None"}
  ]}`

// auditArgs makes the API server keep an audit log in a folder.
func auditArgs(folder string) []string {
	GinkgoHelper()
	policy := filepath.Join(folder, "audit-policy.json")
	Expect(os.WriteFile(policy, []byte(auditPolicy), 0o600)).To(Succeed())
	return []string{"--audit-policy-file=" + policy, "--audit-log-path=" + filepath.Join(folder, "audit.log")}
}

// writes returns what managers asked the API server to change so far.
func (s *server) writes() []string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(filepath.Dir(s.kubeconfig), "audit.log"))
	Expect(err).NotTo(HaveOccurred())
	content = content[:bytes.LastIndexByte(content, '\n')+1] // what is complete
	var found []string
	for line := range bytes.Lines(content) {
		var sent struct {
			Verb      string
			ObjectRef struct{ Resource, Subresource, Namespace, Name string }
		}
		Expect(json.Unmarshal(line, &sent)).To(Succeed())
		of := sent.ObjectRef
		found = append(found, strings.Join([]string{sent.Verb, of.Resource, of.Subresource, of.Namespace, of.Name}, " "))
	}
	return found
}
