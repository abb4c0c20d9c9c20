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
	"text/tabwriter"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
)

// statusCommand is the first argument that has the program tell how the managers of a
// cluster stand instead of being one.
const statusCommand = "status"

// statusUsage is what --help prints before the flags.
const statusUsage = `Tell how the managers of a cluster stand, as tables that a shell can read: columns are
apart by two spaces or more, and nothing is "-".

Usage:
  manager status [replicas|endpoints|pools] [flags]

  manager status                           # everything
  manager status endpoints --no-headers    # who acts, and why

replicas:   who leads, how many there are (those that have numbers to give out), and
            whether the endpoint controllers find out by themselves whether to act
endpoints:  what --endpoints-mode=auto has decided, for each controller
pools:      what there is of numbers in each pool

Exit code: 0, 1 if the cluster could not be read, 2 for wrong arguments.

Flags:
`

// Tables of the status.
const (
	replicasTable  = "replicas"
	endpointsTable = "endpoints"
	poolsTable     = "pools"
)

// statusTables returns them as they are written.
func statusTables() []string { return []string{replicasTable, endpointsTable, poolsTable} }

// inquiry is a command line of status.
type inquiry struct {
	flags *pflag.FlagSet

	tables    []string
	namespace string
	noHeaders bool
}

func newInquiry() *inquiry {
	q := &inquiry{flags: pflag.NewFlagSet(statusCommand, pflag.ContinueOnError)}
	q.flags.Usage = func() {} // runStatus prints it, where it belongs
	q.flags.SortFlags = false
	q.flags.StringVarP(&q.namespace, "namespace", "n", os.Getenv("POD_NAMESPACE"),
		"Namespace of the manager. Default: $POD_NAMESPACE, which its Pods have, else all of them")
	q.flags.BoolVar(&q.noHeaders, "no-headers", false, "Leave out the names of the columns")
	q.flags.AddGoFlag(flag.CommandLine.Lookup(config.KubeconfigFlagName)) // registered by controller-runtime
	return q
}

func (q *inquiry) parse(args []string) error {
	if err := q.flags.Parse(args); err != nil {
		return err
	}
	q.tables = q.flags.Args()
	if len(q.tables) == 0 {
		q.tables = statusTables()
	}
	for _, name := range q.tables {
		if !slices.Contains(statusTables(), name) {
			return fmt.Errorf("there is no table %q: there are %v", name, statusTables())
		}
	}
	return nil
}

// runStatus is manager status.
func runStatus(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	const width = 100
	q := newInquiry()
	switch err := q.parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(stdout, statusUsage, q.flags.FlagUsagesWrapped(width))
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "manager status: %v\nRun 'manager status --help' for examples.\n", err)
		return exitUsage
	}
	ctrl.SetLogger(logr.Discard())
	if err := q.run(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "manager status: %v\n", err)
		return exitFailure
	}
	return exitOK
}

// run reads and writes the tables.
func (q *inquiry) run(ctx context.Context, stdout io.Writer) error {
	cluster, err := newStatusReader(q.namespace)
	if err != nil {
		return err
	}
	for i, name := range q.tables {
		table, err := cluster.read(ctx, name)
		if err != nil {
			return err
		}
		if q.noHeaders {
			table = table[1:]
		} else if i > 0 {
			fmt.Fprintln(stdout)
		}
		if err := writeTable(stdout, table); err != nil {
			return err
		}
	}
	return nil
}

// writeTable writes rows so that their columns are below each other.
func writeTable(to io.Writer, rows [][]string) error {
	const apart = 2
	columns := tabwriter.NewWriter(to, 0, 0, apart, ' ', 0)
	for _, row := range rows {
		for i := range row {
			if row[i] == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(columns, strings.Join(row, "\t"))
	}
	return columns.Flush()
}
