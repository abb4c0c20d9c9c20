// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
)

// settings are the command line.
type settings struct {
	works   []work
	pairs   int
	quick   bool
	bars    bool
	out     string
	from    string
	dir     string
	manager string
	role    string
	qps     int
	settle  time.Duration
}

const usage = `Usage: endpoints [flags]

Gives the same work to kube-controller-manager (its three endpoint controllers
only) and to the servicenet manager, each time on a new kube-apiserver and etcd,
one after the other, and prints a table for every work. Progress is on standard
error, the tables are on standard output. The exit code is 1 when something went
wrong or a bar was missed. Ctrl-C ends everything; what was measured is printed.

All three pairs at full size take about an hour and a half on two cores, and need
4 GiB of memory and 2 GiB of disk. Nothing else should run meanwhile.

Works:
`

func parse(args []string) (settings, error) {
	var s settings
	var names string
	var scale float64
	flags := flag.NewFlagSet("endpoints", flag.ContinueOnError)
	flags.StringVar(&names, "works", "", "names of the works to do, separated by commas (default all)")
	flags.IntVar(&s.pairs, "pairs", 3, "runs of each side of each work, in turns")
	flags.Float64Var(&scale, "scale", 1, "factor on the sizes of all works, above 0 to 2")
	flags.BoolVar(&s.quick, "quick", false,
		"for CI: one pair at a tenth of the size, both sides at once, and only bars count\nthat the speed of the machine does not decide")
	flags.BoolVar(&s.bars, "bars", true, "exit with 1 when a bar is missed")
	flags.StringVar(&s.out, "out", "", "JSON file for all figures, written after every run")
	flags.StringVar(&s.from, "from", "", "print the tables of such a file and run nothing")
	flags.StringVar(&s.dir, "dir", "", "folder that keeps the logs of all processes (default a temporary one)")
	flags.StringVar(&s.manager, "manager", "bin/manager", "program of the servicenet manager")
	flags.StringVar(&s.role, "role", "config/rbac/role.yaml", "file with the ClusterRole of the manager")
	flags.IntVar(&s.qps, "qps", 100000, "--kube-api-qps and --kube-api-burst of both sides")
	flags.DurationVar(&s.settle, "settle", time.Minute,
		"how long scaledown waits for slices to be merged; at most 10s with -quick")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		for _, work := range allWorks(newSizes(1)) {
			fmt.Fprintf(flags.Output(), "  %-10s %s\n", work.Name, work.Title)
		}
		fmt.Fprint(flags.Output(), "\nFlags:\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.quick {
		s.pairs, scale, s.settle = 1, 0.1, min(s.settle, 10*time.Second)
	}
	err := s.check(flags.Args(), scale)
	if err == nil {
		s.works, err = pick(allWorks(newSizes(scale)), names)
	}
	if err != nil {
		fmt.Fprintf(flags.Output(), "endpoints: %v\nRun 'endpoints -help' for all flags.\n", err)
	}
	return s, err
}

func (s *settings) check(rest []string, scale float64) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q: there are flags only", rest[0])
	case s.pairs < 1:
		return fmt.Errorf("-pairs is %d: allowed are 1 and more", s.pairs)
	case scale <= 0 || scale > 2:
		return fmt.Errorf("-scale is %g: allowed are numbers above 0 to 2", scale)
	case s.qps < 1:
		return errors.New("-qps: allowed are 1 and more")
	default:
		return nil
	}
}

// pick returns the works of the given names in the order of the list, or all.
func pick(all []work, names string) ([]work, error) {
	if names == "" {
		return all, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var picked []work
	for _, work := range all {
		if wanted[work.Name] {
			picked = append(picked, work)
			delete(wanted, work.Name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("-works: there is no %q", name)
	}
	return picked, nil
}
