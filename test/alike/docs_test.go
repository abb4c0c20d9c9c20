// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package alike

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/test/badinput"
)

// document is where the differences are shown.
const document = "../../docs/differences.md"

const intro = `# What is different from the API server by itself

What clients do with Services comes to the same with the webhooks as without: the same
code, reason and faults, the same fields filled, and numbers kept, changed and let go at
the same points, though other ones are chosen. That is checked by doing each case of
` + "`test/alike`" + ` twice on a real API server with IPv4, one with IPv6, and one with both
(` + "`test/integration/admission`" + `). What is different is meant to be.

This page is written by ` + "`UPDATE_DOCS=1 go test ./test/alike`" + `.

## Numbers

- Which numbers are chosen: those of the [pools](pools.md) that serve a Service.
- A number that a pool keeps for a deleted Service (` + "`retain`" + `) is not free for others, and is
  given to one of the same name.
- A number that was let go a moment ago can be named at once. The API server by itself may
  refuse a node port for some time.

## Answers

- A Service that is at fault is told all its faults at once; by itself the API server tells
  the first ones. [Case by case](bad-input.md).
- Pools, limits and reservations refuse what the API server would take, and so does
  ` + "`--allowed-external-ips`" + `.
- The message of a refusal begins with the name of the webhook.
- A request may be answered with 503, and when to come again; 500 while no manager runs.

`

const rows = `| What | By itself | With the webhooks | Why |
|---|---|---|---|
`

func TestTheDocumentShowsTheDifferences(t *testing.T) {
	var want strings.Builder
	want.WriteString(intro + rows)
	for _, c := range Table() {
		if d := c.Differs; d != nil {
			fmt.Fprintf(&want, "| %s | %s | %s | %s |\n", c.Name, d.Stock, d.Ours, d.Why)
		}
	}
	for _, c := range badinput.Table() {
		if c.Stock.Code == 500 {
			fmt.Fprintf(&want, "| %s | 500 | 422 Invalid %s at %s | what is wrong is the request |\n", c.Name, c.Want[0].Type, c.Want[0].Field)
		}
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

func TestCasesHaveNamesAndPortsOfTheirOwn(t *testing.T) {
	names, ports := map[string]bool{}, map[int32]string{}
	net := &Net{Primary: corev1.IPv4Protocol, Secondary: corev1.IPv6Protocol}
	for _, c := range Table() {
		if names[c.Name] {
			t.Errorf("two cases are called %s", c.Name)
		}
		names[c.Name] = true
		for _, step := range c.Steps(net) {
			for _, port := range step.Service.Spec.Ports {
				if of := ports[port.NodePort]; of != "" && of != c.Name && port.NodePort != 0 {
					t.Errorf("%s and %s have the node port %d", c.Name, of, port.NodePort)
				}
				ports[port.NodePort] = c.Name
			}
		}
	}
}
