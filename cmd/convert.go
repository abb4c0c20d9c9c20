// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"servicenet.dev/servicenet/internal/convert"
)

// convertCommand is the first argument that has the program convert pools instead of
// being a manager.
const convertCommand = "convert"

// exitLost tells that pools were written, and that something is not as it was.
const exitLost = 3

// convertUsage is what --help prints before the flags.
const convertUsage = `Write LoadBalancerPools that give out what the pools of another tool give out, and
say what Services need for the move. Nothing is changed in the cluster.

Usage:
  manager convert metallb|cilium|kube-vip [flags]

  manager convert metallb > pools.yaml             # from the cluster
  manager convert metallb -o commands > edits.sh   # annotations that Services need
  kubectl get ipaddresspools,services,namespaces -A -o yaml | manager convert metallb -f -

Pools, or commands, go to stdout; what is not as it was, and why, goes to stderr.
Exit code: 0, 3 if something is not as it was, 1 if nothing could be converted, 2 for
wrong arguments.

Flags:
`

// What -o may be.
const (
	outPools    = "pools"
	outCommands = "commands"
)

// conversion is a command line of convert.
type conversion struct {
	flags *pflag.FlagSet

	tool      convert.Tool
	files     []string
	namespace string
	out       string
}

func newConversion() *conversion {
	c := &conversion{flags: pflag.NewFlagSet(convertCommand, pflag.ContinueOnError), out: outPools}
	c.flags.Usage = func() {} // runConvert prints it, where it belongs
	c.flags.SortFlags = false
	c.flags.StringArrayVarP(&c.files, "filename", "f", nil,
		"File with pools, and with the Services and Namespaces that they are for, as YAML or JSON; '-' is stdin. "+
			"May be repeated. Without it, they are read from the cluster")
	c.flags.VarP(&value[string]{&c.out, "what", oneOf(outPools, outCommands)}, "output", "o",
		"What to write: 'pools', as YAML, or 'commands' for a shell, which give Services the annotations that they need")
	c.flags.StringVarP(&c.namespace, "namespace", "n", "",
		"Namespace of the tool's pools in the cluster. Default: metallb-system, or kube-system for kube-vip")
	c.flags.AddGoFlag(flag.CommandLine.Lookup(config.KubeconfigFlagName)) // registered by controller-runtime
	return c
}

// oneOf parses one of some words.
func oneOf(words ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if slices.Contains(words, text) {
			return text, nil
		}
		return "", errors.New("allowed are " + strings.Join(words, " and "))
	}
}

func (c *conversion) parse(args []string) error {
	if err := c.flags.Parse(args); err != nil {
		return err
	}
	if c.flags.NArg() != 1 || !slices.Contains(convert.Tools(), convert.Tool(c.flags.Arg(0))) {
		return fmt.Errorf("name the tool whose pools are to be converted, one of %v; there is %q", convert.Tools(), c.flags.Args())
	}
	c.tool = convert.Tool(c.flags.Arg(0))
	return nil
}

// runConvert is manager convert.
func runConvert(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	const width = 100
	c := newConversion()
	switch err := c.parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(stdout, convertUsage, c.flags.FlagUsagesWrapped(width))
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "manager convert: %v\nRun 'manager convert --help' for examples.\n", err)
		return exitUsage
	}
	ctrl.SetLogger(logr.Discard())
	lost, err := c.run(ctx, stdin, stdout, stderr)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "manager convert: %v\n", err)
		return exitFailure
	case lost:
		return exitLost
	}
	return exitOK
}

// run converts, and tells whether something is not as it was.
func (c *conversion) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (lost bool, err error) {
	var objects []unstructured.Unstructured
	if len(c.files) > 0 {
		objects, err = readFiles(c.files, stdin)
	} else {
		objects, err = readCluster(ctx, c.tool, c.namespace)
	}
	if err != nil {
		return false, err
	}
	result := convert.From(c.tool, objects)
	for _, note := range result.Notes {
		kind := "note"
		if note.Lost {
			kind = "warning"
		}
		fmt.Fprintf(stderr, "%s: %s\n", kind, note)
	}
	if len(result.Pools) == 0 {
		return false, fmt.Errorf("there are no pools of %s to convert", c.tool)
	}
	if c.out == outCommands {
		return result.Lost(), writeCommands(stdout, result.Edits)
	}
	if len(result.Edits) > 0 {
		fmt.Fprintf(stderr, "note: Services need annotations or labels (%d): -o %s writes the commands\n", len(result.Edits), outCommands)
	}
	return result.Lost(), writePools(stdout, result.Pools)
}

func readFiles(names []string, stdin io.Reader) ([]unstructured.Unstructured, error) {
	var all []unstructured.Unstructured
	for _, name := range names {
		objects, err := readFile(name, stdin)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

func readFile(name string, stdin io.Reader) (objects []unstructured.Unstructured, err error) {
	if name == "-" {
		return readObjects(stdin)
	}
	file, err := os.Open(name) //nolint:gosec // it is what the user names
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return readObjects(file)
}
