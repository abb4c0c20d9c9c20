// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const (
	rulesFile = "../../config/prometheus/rules.yaml"
	runbooks  = "../../docs/runbooks.md"
	// address is that of the runbooks.
	address = "https://servicenet.dev/servicenet/docs/runbooks.md"
)

// alert is what matters here of one.
type alert struct {
	Alert               string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) map[string]alert {
	t.Helper()
	var rule struct {
		Spec struct {
			Groups []struct{ Rules []alert }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, rulesFile)), &rule); err != nil {
		t.Fatal(err)
	}
	found := map[string]alert{}
	for _, group := range rule.Spec.Groups {
		for _, one := range group.Rules {
			if _, twice := found[one.Alert]; twice {
				t.Errorf("there are two alerts %s", one.Alert)
			}
			found[one.Alert] = one
		}
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEveryAlertSaysWhatItIs(t *testing.T) {
	for name, one := range alerts(t) {
		if !slices.Contains([]string{"critical", "warning", "info"}, one.Labels["severity"]) {
			t.Errorf("%s: severity %q", name, one.Labels["severity"])
		}
		for _, annotation := range []string{"summary", "description"} {
			if one.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", name, annotation)
			}
		}
		if want := address + "#" + strings.ToLower(name); one.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url %q, want %s", name, one.Annotations["runbook_url"], want)
		}
	}
}

// A section that no alert leads to is one of an alert that was renamed.
func TestEveryAlertHasARunbook(t *testing.T) {
	sections := map[string]string{}
	for _, section := range strings.Split(read(t, runbooks), "\n### ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		sections[name] = text
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(alerts(t))), slices.Sorted(maps.Keys(sections))); diff != "" {
		t.Errorf("alerts and sections (-alerts +sections):\n%s", diff)
	}
	for name, text := range sections {
		for _, part := range []string{"**Means:** ", "**Look:** ", "**Do:** "} {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %s", name, part)
			}
		}
	}
}

func TestEveryAlertHasAnExample(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all strings.Builder
	for _, file := range files {
		all.WriteString(read(t, file))
	}
	for name := range alerts(t) {
		if !regexp.MustCompile(`alertname(: |=")` + name + `\b`).MatchString(all.String()) {
			t.Errorf("%s never fires in %s", name, files)
		}
	}
}
