// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command promcheck looks after the rules and dashboards of config/prometheus.
//
//	promcheck groups RULES                      # what promtool reads of a PrometheusRule
//	promcheck names --metrics=FILE ... FILE ... # do all names in expressions exist?
//
// names takes metrics as servers write them (of a manager and of a kube-apiserver), and
// rules (.yaml) and dashboards (.json). It fails where an expression has a metric, a label
// or a value of a label that the metrics don't have, or where a text uses a label that the
// expression doesn't leave. Labels that Prometheus adds to what it scrapes may have any
// value, and so may those that --any names. What it found goes to stderr, a line each.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "promcheck:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	switch {
	case len(args) == 2 && args[0] == "groups":
		return writeGroups(args[1], stdout)
	case len(args) > 1 && args[0] == "names":
		return checkNames(args[1:], stdout, stderr)
	default:
		return fmt.Errorf("want groups RULES, or names --metrics=FILE ... FILE ...; not %q", args)
	}
}

// writeGroups writes the groups of a PrometheusRule as a file of rules.
func writeGroups(path string, to io.Writer) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	groups, err := groupsOf(content)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	_, err = to.Write(groups)
	return err
}

// fileList is a flag that may be given several times.
type fileList []string

func (l *fileList) String() string { return strings.Join(*l, ",") }

func (l *fileList) Set(path string) error {
	*l = append(*l, path)
	return nil
}

func checkNames(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("names", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var metrics, open fileList
	flags.Var(&metrics, "metrics", "file with metrics of a server")
	flags.Var(&open, "any", "label that may have other values than the metrics show")
	if err := flags.Parse(args); err != nil {
		return err
	}
	known := newKnown(open)
	for _, path := range metrics {
		if err := known.read(path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	var found []string
	count := 0
	for _, path := range flags.Args() {
		expressions, err := readExpressions(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		count += len(expressions)
		for _, e := range expressions {
			for _, fault := range known.check(e) {
				found = append(found, fmt.Sprintf("%s: %s: %s", filepath.Base(path), e.where, fault))
			}
		}
	}
	if len(found) > 0 {
		fmt.Fprintln(stderr, strings.Join(found, "\n"))
		return fmt.Errorf("%d faults in %d expressions", len(found), count)
	}
	fmt.Fprintf(stdout, "%d expressions are of metrics that exist\n", count)
	return nil
}
