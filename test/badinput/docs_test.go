// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// document is where the table is shown.
const document = "../../docs/bad-input.md"

const intro = `# What is refused

Services that the webhooks refuse, each with the code 422, the reason Invalid and a
cause for every fault, beside what the API server answers by itself. Both columns are
checked on a real API server by ` + "`test/integration/admission`" + `. The namespaces and the
pools are those of ` + "`test/badinput/pools.go`" + `.

This page is written by ` + "`UPDATE_DOCS=1 go test ./test/badinput`" + `.

| Service | Cause: type at field | Message has | API server by itself |
|---|---|---|---|
`

func TestTheDocumentShowsTheTable(t *testing.T) {
	var want strings.Builder
	want.WriteString(intro)
	for _, c := range Table() {
		var causes, messages []string
		for _, cause := range c.Want {
			causes = append(causes, fmt.Sprintf("%s at `%s`", cause.Type, cause.Field))
			messages = append(messages, strings.ReplaceAll(cause.Message, "|", "\\|"))
		}
		fmt.Fprintf(&want, "| %s | %s | %s | %s |\n", c.Name, strings.Join(causes, "<br>"), strings.Join(messages, "<br>"), c.Stock.text())
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(document, []byte(want.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("%s is not up to date (-want +got):\n%s", document, diff)
	}
}

func (s Stock) text() string {
	switch {
	case s.Code == 201:
		return "accepts it"
	case s.Field == "":
		return strconv.Itoa(int(s.Code))
	default:
		return fmt.Sprintf("%d, %s at `%s`", s.Code, s.Type, s.Field)
	}
}
