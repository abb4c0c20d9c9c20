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
	const manifest = "../config/manager/manager.yaml"
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
	if grace, needed := time.Duration(*seconds)*time.Second, newSettings().shutdown(); grace <= needed {
		t.Errorf("terminationGracePeriodSeconds is %v: it must be more than %v", grace, needed)
	}
}

// A long drain period must not eat up the time for what comes after it.
func TestManagerHasTheTimeToDrain(t *testing.T) {
	settings := newSettings()
	if err := settings.parse([]string{"--webhook-drain-period=1m"}); err != nil {
		t.Fatal(err)
	}
	options, err := managerOptions(settings)
	if err != nil {
		t.Fatal(err)
	}
	if got := options.GracefulShutdownTimeout; got == nil || *got != 90*time.Second {
		t.Errorf("the manager ends after %v at most, want a minute and a half", got)
	}
}
