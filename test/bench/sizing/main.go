// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Sizing is `make bench-sizing`: what a manager needs of memory and processor time for so
// many Services, while the last thousand are made through its webhooks, at rest, and at its
// next start.
// It prints a table, and promises nothing: what is needed depends on the machine.
//
//	sizing [flags]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicenet.dev/servicenet/test/bench/command"
)

// Ways to run the manager.
const (
	// beside a stock control plane: endpoints are left to it.
	beside = "beside"
	// whole is in place of the stock endpoint controllers: each Service has a pod.
	whole = "whole"
)

// settings are the command line.
type settings struct {
	command.Manager

	sizes   []int
	ways    []string
	clients int
	made    int
	rest    time.Duration
	hooks   string
}

func main() { os.Exit(command.Run(parse, run)) }

func parse(args []string) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("sizing", flag.ContinueOnError)
	sizes := flags.String("services", "100,1000,10000,50000", "how many Services there are: a table row each, up to 60,000")
	ways := flags.String("ways", beside+","+whole,
		beside+": endpoints are left to others; "+whole+": all controllers, and a pod for each Service")
	flags.IntVar(&s.clients, "clients", 16, "how many clients make Services at a time")
	flags.IntVar(&s.made, "made", 1000, "how many of them are made through the webhooks; the others are there before")
	flags.DurationVar(&s.rest, "rest", time.Minute, "for how long the manager is watched at rest")
	s.AddFlags(flags)
	flags.StringVar(&s.hooks, "hooks", "config/webhook/service-webhooks.yaml", "file with the webhooks for Services")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		const most = 60000
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 || size > most {
			return nil, command.Mistakef("-services: %q is no number from 1 to %d", text, most)
		}
		s.sizes = append(s.sizes, size)
	}
	s.ways = strings.Split(*ways, ",")
	for _, way := range s.ways {
		if !slices.Contains([]string{beside, whole}, way) {
			return nil, command.Mistakef("-ways: %q is none of %s, %s", way, beside, whole)
		}
	}
	return s, nil
}

// run measures all, and prints the table at the end: of what was measured, if something
// went wrong.
func run(ctx context.Context, s *settings) error {
	var rows []row
	var err error
	for _, way := range s.ways {
		for _, size := range s.sizes {
			fmt.Fprintf(os.Stderr, "%s, %d Services\n", way, size)
			var measured row
			if measured, err = s.measure(ctx, way, size); err != nil {
				err = fmt.Errorf("%s, %d Services: %w", way, size, err)
				break
			}
			rows = append(rows, measured)
		}
		if err != nil {
			break
		}
	}
	printRows(os.Stdout, rows)
	return err
}

// row is what was measured for so many Services.
type row struct {
	way  string
	size int
	// made is how long it took to make the last ones, making what the manager used
	// meanwhile, in processor time.
	made, making time.Duration
	// makingPeak, resting and startingPeak are bytes.
	makingPeak, resting, startingPeak int64
	// perMinute is processor time at rest.
	perMinute time.Duration
	// ready is how long it takes until a manager that starts is ready, starting its
	// processor time until it is at rest.
	ready, starting time.Duration
}

func printRows(to io.Writer, rows []row) {
	const mebi = 20
	fmt.Fprint(to, "| manager | Services | making the last of them | CPU | most memory "+
		"| at rest: memory | CPU a minute | start: ready after | CPU | most memory |\n"+
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, r := range rows {
		fmt.Fprintf(to, "| %s | %d | %.1f s | %.1f s | %d MiB | %d MiB | %.2f s | %.1f s | %.2f s | %d MiB |\n",
			r.way, r.size, r.made.Seconds(), r.making.Seconds(), r.makingPeak>>mebi,
			r.resting>>mebi, r.perMinute.Seconds(), r.ready.Seconds(), r.starting.Seconds(), r.startingPeak>>mebi)
	}
}
