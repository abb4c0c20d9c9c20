// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ManagerUser is who the managers are to the API server.
const ManagerUser = "system:serviceaccount:servicenet-system:servicenet-controller-manager"

// auditPolicy has the API server note what managers ask it to change, once that is
// answered, but for Leases, which are renewed all the time.
const auditPolicy = `{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
  "rules": [
    {"level": "None", "resources": [{"group": "coordination.k8s.io"}]},
    {"level": "Metadata", "users": ["` + ManagerUser + `"], "verbs": ["create", "update", "patch", "delete"]},
    {"level": "None"}
  ]}`

// auditArgs makes the API server keep an audit log in a folder.
func auditArgs(folder string) []string {
	GinkgoHelper()
	policy := filepath.Join(folder, "audit-policy.json")
	Expect(os.WriteFile(policy, []byte(auditPolicy), 0o600)).To(Succeed())
	return []string{"--audit-policy-file=" + policy, "--audit-log-path=" + filepath.Join(folder, "audit.log")}
}

// sent is a request that was answered.
type sent struct {
	Verb                     string
	RequestReceivedTimestamp time.Time
	ObjectRef                struct{ Resource, Subresource, Namespace, Name string }
}

func (r *sent) String() string {
	of := r.ObjectRef
	return strings.Join([]string{r.Verb, of.Resource, of.Subresource, of.Namespace, of.Name}, " ")
}

// Writes returns what managers asked the API server to change so far.
func (s *Server) Writes() []string {
	GinkgoHelper()
	found := []string{}
	for _, request := range s.requests() {
		found = append(found, request.String())
	}
	return found
}

// StatusWrites returns when the status of a pool was written.
func (s *Server) StatusWrites(name string) []time.Time {
	GinkgoHelper()
	var found []time.Time
	for _, request := range s.requests() {
		if request.ObjectRef.Subresource == "status" && request.ObjectRef.Name == name {
			found = append(found, request.RequestReceivedTimestamp)
		}
	}
	return found
}

// Intervals returns how many seconds lie between writes of the status of a pool.
func (s *Server) Intervals(name string) []float64 {
	GinkgoHelper()
	found := []float64{}
	writes := s.StatusWrites(name)
	for i := 1; i < len(writes); i++ {
		found = append(found, writes[i].Sub(writes[i-1]).Seconds())
	}
	return found
}

func (s *Server) requests() []sent {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(filepath.Dir(s.kubeconfig), "audit.log"))
	Expect(err).NotTo(HaveOccurred())
	content = content[:bytes.LastIndexByte(content, '\n')+1] // what is complete
	var found []sent
	for line := range bytes.Lines(content) {
		var request sent
		Expect(json.Unmarshal(line, &request)).To(Succeed())
		found = append(found, request)
	}
	return found
}
