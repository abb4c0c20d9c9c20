// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const metrics = `# TYPE takes_total counter
takes_total{family="v4",outcome="given"} 3
takes_total{family="v4",outcome="full"} 0
takes_total{family="v6",outcome="given"} 3
# TYPE took_seconds histogram
took_seconds_bucket{hook="a",le="1"} 1
took_seconds_bucket{hook="a",le="+Inf"} 1
took_seconds_sum{hook="a"} 1
took_seconds_count{hook="a"} 1
`

func served(t *testing.T, open ...string) *known {
	t.Helper()
	path := filepath.Join(t.TempDir(), "metrics")
	if err := os.WriteFile(path, []byte(metrics), 0o600); err != nil {
		t.Fatal(err)
	}
	k := newKnown(open)
	if err := k.read(path); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhatExistsPasses(t *testing.T) {
	for _, text := range []string{
		`takes_total`,
		`sum by (namespace, family) (rate(takes_total{outcome="full",job="any"}[5m])) > 0`,
		`sum by (family) (takes_total{outcome!="full"}) / sum by (family) (takes_total)`,
		`takes_total{family=~"v.",outcome!~"full|x"}`,
		`histogram_quantile(0.99, sum by (hook, le) (rate(took_seconds_bucket[5m])))`,
		`took_seconds_sum / took_seconds_count`,
		`absent(up{job="any"} == 1)`,
		`takes_total / on (family) group_left () sum by (family) (takes_total)`,
		`1 - takes_total`,
	} {
		if found := served(t).check(expression{text: text}); len(found) > 0 {
			t.Errorf("%s: %v", text, found)
		}
	}
}

func TestWhatDoesNotExistIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		uses []string
		want string
	}{
		"metric":                    {`take_total`, nil, `no metric "take_total"`},
		"histogram by its name":     {`took_seconds`, nil, `no metric "took_seconds"`},
		"part of what has no parts": {`takes_total_bucket`, nil, `no metric "takes_total_bucket"`},
		"label":                     {`takes_total{kind="a"}`, nil, `no label "kind"`},
		"value":                     {`takes_total{outcome="ful"}`, nil, `no series matches`},
		"value left out":            {`takes_total{outcome!="ful"}`, nil, `never has`},
		"pattern left out":          {`takes_total{outcome!~"ful"}`, nil, `never has`},
		"values that do not meet":   {`takes_total{family="v6",outcome="full"}`, nil, `no series matches`},
		"pattern":                   {`takes_total{outcome=~"f"}`, nil, `no series matches`},
		"grouping":                  {`sum by (outcom) (takes_total)`, nil, `"outcom"`},
		"grouping of a group":       {`sum by (outcome) (sum by (family) (takes_total))`, nil, `"outcome"`},
		"matching":                  {`takes_total / on (hook) takes_total`, nil, `"hook"`},
		"text":                      {`sum by (family) (takes_total)`, []string{"outcome"}, `"outcome"`},
		"text of a target":          {`sum by (family) (takes_total)`, []string{"pod"}, `"pod"`},
		"bucket of a quantile":      {`histogram_quantile(0.9, took_seconds_bucket)`, []string{"le"}, `"le"`},
		"syntax":                    {`sum by (`, nil, `parse error`},
	} {
		t.Run(name, func(t *testing.T) {
			found := strings.Join(served(t).check(expression{text: test.text, uses: test.uses}), "\n")
			if !strings.Contains(found, test.want) {
				t.Errorf("%s: found %q, want %s", test.text, found, test.want)
			}
		})
	}
}

func TestOpenLabelsMayHaveAnyValue(t *testing.T) {
	text := `takes_total{family="v6",outcome=~"fu.."}`
	if found := served(t, "outcome").check(expression{text: text}); len(found) > 0 {
		t.Errorf("%s: %v", text, found)
	}
	if found := served(t, "outcome").check(expression{text: `takes_total{family="v5"}`}); len(found) == 0 {
		t.Error("another label may have any value, too")
	}
}

func TestFilesAreRead(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	servers := write("metrics", metrics)
	rules := write("rules.yaml", `kind: PrometheusRule
spec:
  groups:
  - name: a
    rules:
    - alert: Full
      expr: sum by (family) (takes_total{outcome="ful"})
      annotations: {summary: "{{ $labels.pool }}"}
`)
	board := write("board.json", `{"panels": [{"title": "row", "panels": [{"title": "takes", "targets": [
  {"expr": "sum by (family) (rate(takes_total{job=\"$job\"}[$__rate_interval]))", "legendFormat": "{{famly}}"}]}]}],
  "templating": {"list": [{"name": "job", "type": "query", "definition": "label_values(take_total, job)"}]}}`)
	var stdout, stderr strings.Builder
	err := run([]string{"names", "--metrics=" + servers, rules, board}, &stdout, &stderr)
	if err == nil || !strings.Contains(err.Error(), "4 faults in 3 expressions") {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{
		`rules.yaml: a: Full: no series matches`, `rules.yaml: a: Full: a text shows it by label "pool"`,
		`board.json: panel takes: a text shows it by label "famly"`, `board.json: variable job: there is no metric "take_total"`,
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("said %q, want %s", &stderr, want)
		}
	}
	stdout.Reset()
	if err := run([]string{"groups", rules}, &stdout, &stderr); err != nil || !strings.HasPrefix(stdout.String(), "groups:\n- name: a\n") {
		t.Errorf("groups: %v, %q", err, &stdout)
	}
	if err := run([]string{"groups", servers}, &stdout, &stderr); err == nil {
		t.Error("metrics were taken for rules")
	}
}
