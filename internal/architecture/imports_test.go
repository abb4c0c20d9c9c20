// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "servicenet.dev/servicenet"

// wall says what the packages of a set may not reach, directly or through
// others. Paths without a dot in their first element are folders of this module.
type wall struct {
	name string
	// from names the packages that stand behind the wall.
	from set
	// never names what they may not reach.
	never set
	why   string
}

// set is a set of import paths: everything at or below one of in, except what
// is at or below one of out.
type set struct {
	in, out []string
}

// thinking are the packages that decide. What they need comes in as values.
//
// They do reach klog and logr, and even net/http, because k8s.io/apimachinery
// does: the linter keeps those out of their own imports.
func thinking() set {
	return set{
		in: []string{
			"internal/admission",
			"internal/allocator",
			"internal/bitmap",
			"internal/convert",
			"internal/endpoints",
			"internal/endpointslice",
			"internal/ledger",
			"internal/loadbalancer",
			"internal/mirroring",
			"internal/policy",
			"internal/pool",
			"internal/repair",
			"internal/standby",
			"internal/tracker",
			"internal/validation",
		},
		out: []string{"internal/ledger/store"},
	}
}

// doing are the packages under internal that read, write or serve.
func doing() set {
	return set{in: []string{
		"internal/architecture",
		"internal/certificates",
		"internal/ledger/store",
		"internal/version",
		"internal/webhooks",
	}}
}

// machinery is what only the packages that read, write or serve may know.
func machinery() []string {
	return []string{
		"github.com/prometheus",
		"github.com/spf13",
		"go.etcd.io/etcd",
		"go.opentelemetry.io/otel",
		"go.uber.org/zap",
		"google.golang.org/grpc",
		"k8s.io/apiserver",
		"k8s.io/client-go",
		"k8s.io/component-base",
		"sigs.k8s.io/controller-runtime",
	}
}

func walls() []wall {
	return []wall{
		{
			name:  "thinking packages reach no client, manager, metrics or flags",
			from:  thinking(),
			never: set{in: machinery()},
			why:   "they decide from values handed in; the package that calls them reads and writes",
		},
		{
			name:  "thinking packages reach only each other and the kinds",
			from:  thinking(),
			never: set{in: []string{module}, out: append(thinking().in, "api")},
			why:   "arrows run cmd -> controllers -> webhooks -> ledger/store -> thinking packages",
		},
		{
			name:  "thinking packages do not reach the ledger's store",
			from:  thinking(),
			never: set{in: []string{"internal/ledger/store"}},
			why:   "the store calls the ledger, never the other way round",
		},
		{
			name:  "kinds stand alone",
			from:  set{in: []string{"api"}},
			never: set{in: append(machinery(), module), out: []string{"api"}},
			why:   "whoever imports the kinds gets apimachinery and nothing else",
		},
		{
			name:  "controllers know no program",
			from:  set{in: []string{"controllers"}},
			never: set{in: []string{"cmd"}},
			why:   "the program calls the library, never the other way round",
		},
		{
			name:  "internal packages know no controller",
			from:  set{in: []string{"internal"}},
			never: set{in: []string{"controllers", "cmd"}},
			why:   "arrows run from controllers to internal packages",
		},
		{
			name: "what ships reaches no test or development code",
			from: set{in: []string{"api", "cmd", "controllers", "internal"}},
			never: set{in: []string{
				"hack", "test",
				"github.com/onsi", "sigs.k8s.io/controller-runtime/pkg/envtest",
			}},
			why: "the manager and the library carry only what they run",
		},
		{
			name:  "development code reaches no part of the manager",
			from:  set{in: []string{"hack"}},
			never: set{in: []string{"cmd", "controllers", "internal"}},
			why:   "the local control plane runs the manager as a program, as anybody would",
		},
	}
}

func TestWalls(t *testing.T) {
	t.Parallel()
	graph := loadImports(t)
	own := graph.under(module)

	for _, wall := range walls() {
		t.Run(wall.name, func(t *testing.T) {
			t.Parallel()
			for _, pkg := range own {
				if !wall.from.has(pkg) {
					continue
				}
				if chain := graph.chain(pkg, wall.never); chain != nil {
					t.Errorf("%s\n\treaches %s\n\tthrough %s\n\tbut %s",
						pkg, chain[len(chain)-1], strings.Join(chain, "\n\t     -> "), wall.why)
				}
			}
		})
	}
}

// TestEveryInternalPackageHasASide fails for a package under internal that no
// wall knows, and when the import graph is not the one of this module.
func TestEveryInternalPackageHasASide(t *testing.T) {
	t.Parallel()
	sides := map[string]int{}
	for _, pkg := range loadImports(t).under(module + "/internal") {
		switch {
		case thinking().has(pkg):
			sides["thinking"]++
		case doing().has(pkg):
			sides["doing"]++
		default:
			t.Errorf("%s is in neither list: add it to thinking (and to depguard in .golangci.yml) or to doing", pkg)
		}
	}
	if sides["thinking"] == 0 || sides["doing"] == 0 {
		t.Errorf("found %v packages under internal: the walls guard nothing", sides)
	}
}

func TestSetHas(t *testing.T) {
	t.Parallel()
	ledger := set{in: []string{"internal/ledger"}, out: []string{"internal/ledger/store"}}
	tests := map[string]struct {
		set  set
		path string
		want bool
	}{
		"the folder itself":                  {ledger, module + "/internal/ledger", true},
		"a folder below":                     {ledger, module + "/internal/ledger/codec", true},
		"a folder taken out":                 {ledger, module + "/internal/ledger/store", false},
		"a folder below one taken out":       {ledger, module + "/internal/ledger/store/fake", false},
		"a sibling that starts like it":      {ledger, module + "/internal/ledgers", false},
		"a sibling of the one taken out":     {ledger, module + "/internal/ledger/storage", true},
		"the same folder of another module":  {ledger, "example.com/internal/ledger", false},
		"another module":                     {set{in: []string{"k8s.io/client-go"}}, "k8s.io/client-go/rest", true},
		"another module that starts like it": {set{in: []string{"k8s.io/api"}}, "k8s.io/apimachinery/pkg/labels", false},
		"the whole of this module":           {set{in: []string{module}}, module + "/cmd", true},
		"this module without the kinds":      {set{in: []string{module}, out: []string{"api"}}, module + "/api/v1alpha1", false},
		"the standard library":               {set{in: []string{"internal"}}, "internal/abi", false},
		"an empty set":                       {set{}, module + "/cmd", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.set.has(test.path); got != test.want {
				t.Errorf("%+v.has(%q) = %v, want %v", test.set, test.path, got, test.want)
			}
		})
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	graph := imports{
		"a": {"b", "d"},
		"b": {"c", "a"},
		"c": {"forbidden.io/x"},
		"d": {"e"},
	}
	forbidden := set{in: []string{"forbidden.io"}}
	tests := map[string]struct {
		from string
		want []string
	}{
		"direct":           {"c", []string{"c", "forbidden.io/x"}},
		"through others":   {"a", []string{"a", "b", "c", "forbidden.io/x"}},
		"not reached":      {"d", nil},
		"itself forbidden": {"forbidden.io/x", nil},
		"unknown package":  {"z", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := graph.chain(test.from, forbidden); !slices.Equal(got, test.want) {
				t.Errorf("chain(%q) = %v, want %v", test.from, got, test.want)
			}
		})
	}
}

// has reports whether the import path belongs to the set.
func (s set) has(path string) bool {
	below := func(root string) bool {
		if first, _, _ := strings.Cut(root, "/"); !strings.Contains(first, ".") {
			root = module + "/" + root
		}
		return path == root || strings.HasPrefix(path, root+"/")
	}
	return slices.ContainsFunc(s.in, below) && !slices.ContainsFunc(s.out, below)
}

// imports maps a package to the packages it imports itself.
type imports map[string][]string

// loadImports asks the go command for every package of this module and all
// they reach. Test files do not count: they never ship.
func loadImports(t *testing.T) imports {
	t.Helper()
	openFolders(t)

	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", module+"/...")
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, stderr.String())
	}

	graph := imports{}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for decoder.More() {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&pkg); err != nil {
			t.Fatalf("reading the answer of %v: %v", command, err)
		}
		graph[pkg.ImportPath] = pkg.Imports
	}
	return graph
}

// openFolders opens every source folder of this module. The go command then
// runs this test again once a file has changed, instead of showing the old
// result: it notices what the test opens, but not what "go list" reads.
func openFolders(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(_ string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		if err == nil && entry.IsDir() && (name == "bin" || name == "dist" || name == ".git") {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// under returns the packages at or below the path, sorted.
func (g imports) under(path string) []string {
	var found []string
	for pkg := range g {
		if (set{in: []string{path}}).has(pkg) {
			found = append(found, pkg)
		}
	}
	slices.Sort(found)
	return found
}

// chain returns a shortest way from the package to one of the forbidden ones,
// both ends included, or nil when there is none.
func (g imports) chain(from string, forbidden set) []string {
	parent := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range g[queue[0]] {
			if _, seen := parent[next]; seen {
				continue
			}
			parent[next] = queue[0]
			if forbidden.has(next) {
				var way []string
				for at := next; at != ""; at = parent[at] {
					way = append(way, at)
				}
				slices.Reverse(way)
				return way
			}
			queue = append(queue, next)
		}
	}
	return nil
}
