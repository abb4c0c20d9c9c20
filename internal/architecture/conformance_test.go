// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// conformanceRows is how many rows the tables of docs/conformance.md have.
const conformanceRows = 78

// repairRows is how many cases the repair loops of kube-apiserver have.
const repairRows = 16

// testFolders are where the tests are that the documents name.
func testFolders() map[string]string {
	return map[string]string{
		"admission":     "test/integration/admission",
		"controllers":   "controllers",
		"endpoints":     "internal/endpoints",
		"endpointslice": "internal/endpointslice",
		"integration":   "test/integration",
		"leaks":         "test/integration/repair/leaks",
		"library":       "test/integration/library",
		"mirroring":     "internal/mirroring",
		"objects":       "test/integration/repair/objects",
		"outages":       "test/integration/repair/outages",
		"repair":        "test/integration/repair",
		"replicas":      "test/integration/admission/replicas",
		"scale":         "test/integration/scale",
		"takeover":      "test/integration/takeover",
		"tracker":       "internal/tracker",
	}
}

// Each behaviour is shown by tests that exist.
func TestConformanceNamesTests(t *testing.T) {
	document := readFile(t, "docs/conformance.md")
	for number := 1; number <= conformanceRows; number++ {
		row := rowOf(document, number)
		if row == "" {
			t.Errorf("row %d is missing, or there twice", number)
			continue
		}
		cells := strings.Split(strings.Trim(row, "|"), "|")
		if len(cells) != 4 {
			t.Errorf("row %d has %d cells, not 4", number, len(cells))
			continue
		}
		if len(testNames(cells[3])) == 0 {
			t.Errorf("row %d names no test", number)
		}
	}
	checkTestNames(t, document)
}

// Each case of repair that kube-apiserver has is shown by a spec that exists.
func TestRepairNamesTests(t *testing.T) {
	document := readFile(t, "docs/repair.md")
	_, table, _ := strings.Cut(document, "| kube-apiserver finds |")
	rows := regexp.MustCompile(`(?m)^\|.*\|$`).FindAllString(table, -1)
	if len(rows) < repairRows {
		t.Errorf("%d cases of kube-apiserver's are named, want %d", len(rows)-1, repairRows)
	}
	for _, row := range rows[min(1, len(rows)):] {
		if len(testNames(row)) == 0 {
			t.Errorf("no spec shows %s", row)
		}
	}
	checkTestNames(t, document)
}

// Each trap of webhooks is shown by specs that exist.
func TestWebhooksNameTests(t *testing.T) {
	const traps = 13
	document := readFile(t, "docs/webhooks.md")
	for number := 1; number <= traps; number++ {
		if row := rowOf(document, number); len(testNames(row)) == 0 {
			t.Errorf("no spec shows trap %d, or it is there twice", number)
		}
	}
	checkTestNames(t, document)
}

func checkTestNames(t *testing.T, document string) {
	t.Helper()
	sources := map[string]string{}
	for name, folder := range testFolders() {
		sources[name] = testSource(t, folder)
	}
	for _, name := range testNames(document) {
		if fault := findTest(sources, name); fault != "" {
			t.Errorf("`%s`: %s", name, fault)
		}
	}
}

// rowOf returns the row of a number, if there is just one.
func rowOf(document string, number int) string {
	found := regexp.MustCompile(`(?m)^\| `+strconv.Itoa(number)+` \|.*\|$`).FindAllString(document, -1)
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// testNames returns the names of tests in a text: `package.TestName` and
// `suite "spec"`.
func testNames(text string) []string {
	var names []string
	for _, match := range regexp.MustCompile("`([a-z]+\\.(?:Test|Fuzz)\\w+|[a-z]+ \"[^`]+\")`").FindAllStringSubmatch(text, -1) {
		names = append(names, strings.Join(strings.Fields(match[1]), " "))
	}
	return names
}

// findTest says what is wrong with a name.
func findTest(sources map[string]string, name string) (fault string) {
	where, what, isSpec := strings.Cut(name, " ")
	if isSpec {
		what = "(" + strings.TrimSuffix(what, `"`)
	} else {
		where, what, _ = strings.Cut(name, ".")
		what = "func " + what + "("
	}
	source, known := sources[where]
	switch {
	case !known:
		return fmt.Sprintf("there are no tests called %s", where)
	case !strings.Contains(source, what):
		return "there is no such test in " + testFolders()[where]
	default:
		return ""
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// testSource returns the source of a folder, which has its tests, or specs that
// several suites share.
func testSource(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(content)
	}
	return source.String()
}
