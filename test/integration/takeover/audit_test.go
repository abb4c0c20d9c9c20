// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"bytes"
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

	// stockUsers is what the users of the stock controllers begin with.
	stockUsers = "system:serviceaccount:kube-system:endpoint"

	// auditPolicy has the API server note every request that would change an
	// Endpoints or EndpointSlice, once it is answered.
	auditPolicy = `{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
  "rules": [
    {"level": "Metadata", "verbs": ["create", "update", "patch", "delete"], "resources": [
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

// request is one that would change an Endpoints or EndpointSlice.
type request struct {
	Verb      string
	User      struct{ Username string }
	ObjectRef struct{ Resource, Namespace, Name string }
}

// requests returns what users whose name has a prefix asked the API server to
// change so far.
func (w *world) requests(prefix string) []request {
	GinkgoHelper()
	content, err := os.ReadFile(auditLog(w.plane.Dir()))
	Expect(err).NotTo(HaveOccurred())
	content = content[:bytes.LastIndexByte(content, '\n')+1] // what is complete
	var found []request
	for line := range bytes.Lines(content) {
		var sent request
		Expect(json.Unmarshal(line, &sent)).To(Succeed())
		if strings.HasPrefix(sent.User.Username, prefix) {
			found = append(found, sent)
		}
	}
	return found
}

// managerRequests tells what the manager asked the API server to change so far,
// without the markers. Requests that change nothing leave no other trace.
// Creations are not among them: they show in the records.
func (w *world) managerRequests() []string {
	GinkgoHelper()
	var found []string
	for _, sent := range w.requests(managerUser) {
		object := sent.ObjectRef
		if sent.Verb != "create" && object.Namespace != markers {
			found = append(found, sent.Verb+" "+object.Resource+" "+object.Namespace+"/"+object.Name)
		}
	}
	return found
}
