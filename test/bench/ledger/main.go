// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Ledger is `make bench-ledger`: callers take numbers of one replica and of two, on
// a real kube-apiserver and etcd, as fast as they get them. It prints how long a
// take took, how many there were a second, and what they cost in writes, and
// whether that is what the ledger promises.
//
//	ledger [flags]
//
// Nobody makes Services: what a watch of them would show, that a number is carried,
// is told to all replicas a little later. What is written then counts.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"time"

	"servicenet.dev/servicenet/test/bench/command"
)

// settings are the command line.
type settings struct {
	time    time.Duration
	pause   time.Duration
	confirm time.Duration
	only    string
	crds    string
}

func main() { os.Exit(command.Run(parse, run)) }

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("ledger", flag.ContinueOnError)
	flags.DurationVar(&s.time, "time", 5*time.Second, "how long callers take numbers, in each row")
	flags.DurationVar(&s.pause, "pause", 0, "how long a caller waits between two takes")
	flags.DurationVar(&s.confirm, "confirm", 50*time.Millisecond, "how much later a number is seen with its Service")
	flags.StringVar(&s.only, "only", "", "measure only what has this in its name, such as 'automatic' or 'one block'")
	flags.StringVar(&s.crds, "crds", "config/crd/bases", "folder with the CustomResourceDefinitions")
	return s, flags.Parse(args)
}

func run(ctx context.Context, s settings) error {
	w, err := startWorld(ctx, s)
	if err != nil {
		return err
	}
	passed := true
	for _, k := range kinds() {
		if !strings.Contains(k.name, s.only) {
			continue
		}
		var results []*result
		for _, replicas := range []int{1, 2} {
			for _, callers := range []int{1, 16, 64} {
				r, err := w.measure(ctx, k, replicas, callers)
				if err != nil {
					return errors.Join(err, w.stop())
				}
				results = append(results, r)
			}
		}
		passed = report(k, results) && passed
	}
	if err := w.stop(); err != nil || passed {
		return err
	}
	return command.ErrMissed
}
