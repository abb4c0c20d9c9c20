// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

// A Pod that is killed before the webhooks have drained fails requests.
func TestPodHasTheTimeToDrain(t *testing.T) {
	const (
		// longestRequest is how long the manager waits for its servers to finish.
		longestRequest = 30 * time.Second
		manifest       = "../config/manager/manager.yaml"
	)
	content, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var deployment appsv1.Deployment
	for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
		if bytes.Contains(document, []byte("kind: Deployment")) {
			if err := yaml.UnmarshalStrict(document, &deployment); err != nil {
				t.Fatal(err)
			}
		}
	}
	seconds := deployment.Spec.Template.Spec.TerminationGracePeriodSeconds
	if seconds == nil {
		t.Fatalf("%s has no Deployment with terminationGracePeriodSeconds", manifest)
	}
	if grace := time.Duration(*seconds) * time.Second; grace <= drainPeriod+longestRequest {
		t.Errorf("terminationGracePeriodSeconds is %v: it must be more than %v and %v", grace, drainPeriod, longestRequest)
	}
}
