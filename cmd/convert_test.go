// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update has the golden files written anew: UPDATE_GOLDEN=1 go test ./cmd -run Convert.
const update = "UPDATE_GOLDEN"

func TestConvertWritesWhatIsInGoldenFiles(t *testing.T) {
	for _, tool := range []string{"metallb", "cilium", "kube-vip"} {
		t.Run(tool, func(t *testing.T) {
			file := filepath.Join("testdata", "convert", tool+".yaml")
			pools, notes := converted(t, exitLost, tool, "-f", file)
			commands, _ := converted(t, exitLost, tool, "-f", file, "-o", "commands")
			for ending, got := range map[string]string{".pools.golden": pools, ".commands.golden": commands, ".notes.golden": notes} {
				golden := filepath.Join("testdata", "convert", tool+ending)
				if os.Getenv(update) != "" {
					if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(filepath.Clean(golden))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", golden, diff)
				}
			}
		})
	}
}

// converted runs the command, and returns its stdout and stderr.
func converted(t *testing.T, wantCode int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, told bytes.Buffer
	if code := run(t.Context(), append([]string{"convert"}, args...), &out, &told); code != wantCode {
		t.Errorf("exit code %d, want %d: %s", code, wantCode, told.String())
	}
	return out.String(), told.String()
}

const smallPool = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: small}
spec: {addresses: [192.0.2.0/28]}
`

func TestConvertSaysByItsExitCodeWhetherAllIsAsItWas(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := write("whole.yaml", smallPool)
	twice := write("twice.yaml", strings.Replace(smallPool, "name: small", "name: again", 1))
	broken := write("broken.yaml", "kind: [")
	empty := write("empty.yaml", "# nothing\n---\n")
	for name, test := range map[string]struct {
		args string
		code int
		told string
	}{
		"all is as it was":         {"metallb -f " + whole, exitOK, ""},
		"from several files":       {"metallb -f " + whole + " -f " + twice, exitLost, "small: has addresses that IPAddressPool again has"},
		"no pools":                 {"metallb -f " + empty, exitFailure, "no pools of metallb"},
		"pools of another tool":    {"cilium -f " + whole, exitFailure, "no pools of cilium"},
		"a file that is no YAML":   {"metallb -f " + broken, exitFailure, "broken.yaml"},
		"a file that is not there": {"metallb -f " + folder + "/none", exitFailure, "none"},
		"no tool":                  {"", exitUsage, "kube-vip"},
		"a tool that is not known": {"purelb", exitUsage, "purelb"},
		"no such output":           {"metallb -o table", exitUsage, "pools and commands"},
		"no API server":            {"metallb --kubeconfig=" + folder + "/none", exitFailure, "kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			_, told := converted(t, test.code, strings.Fields(test.args)...)
			if !strings.Contains(told, test.told) {
				t.Errorf("%q does not say %q", told, test.told)
			}
		})
	}
}

func TestConvertReadsStdinWhereAFileIsADash(t *testing.T) {
	var out, told bytes.Buffer
	if code := runConvert(t.Context(), []string{"metallb", "-f", "-"}, strings.NewReader(smallPool), &out, &told); code != exitOK {
		t.Fatalf("exit code %d: %s", code, told.String())
	}
	if !strings.Contains(out.String(), "192.0.2.0/28") {
		t.Errorf("got %s", out.String())
	}
}

func TestConvertExplainsItself(t *testing.T) {
	help, _ := converted(t, exitOK, "--help")
	for _, word := range []string{"metallb|cilium|kube-vip", "--filename", "--output", "--kubeconfig", "--namespace", "Exit code"} {
		if !strings.Contains(help, word) {
			t.Errorf("the help does not name %s", word)
		}
	}
}

func TestQuoteKeepsAWordTogether(t *testing.T) {
	if got := quote("a=it's $HOME"); got != `'a=it'\''s $HOME'` {
		t.Errorf("got %s", got)
	}
}
