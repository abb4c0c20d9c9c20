// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

// comparison is one call of the benchmark.
type comparison struct {
	settings

	seeds nursery

	mu     sync.Mutex
	report report.Report
	errs   []error
}

// compare does all works with both sides in turns, or reads what an earlier call
// found, and prints the tables. It returns an error when something went wrong or
// a bar was missed.
func compare(ctx context.Context, s settings) error {
	if s.from != "" {
		found, err := load(s.from)
		if err != nil {
			return err
		}
		fmt.Print(found.Markdown())
		return s.judge(found)
	}
	c := &comparison{settings: s}
	if err := c.run(ctx); err != nil {
		return err
	}
	fmt.Print(c.report.Markdown())
	return errors.Join(append(c.errs, c.judge(&c.report))...)
}

// run fills the report. It goes on after a run that fails, but not after a
// signal.
func (c *comparison) run(ctx context.Context) (err error) {
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "bench-"); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	}
	c.seeds = nursery{dir: c.dir, made: map[seed]string{}}
	defer func() { err = errors.Join(err, c.seeds.clear()) }()
	c.report.Machine = machine()
	for _, w := range c.works {
		c.report.Works = append(c.report.Works, w.Work)
	}
	for _, w := range c.works {
		for pair := 1; pair <= c.pairs && ctx.Err() == nil; pair++ {
			c.both(ctx, w, pair)
		}
	}
	return nil
}

// both does a work with both sides, one after the other. In a quick run they go
// at the same time, since most of it is waiting.
func (c *comparison) both(ctx context.Context, w work, pair int) {
	etcdData, err := c.seeds.data(ctx, w.seed)
	if err != nil {
		c.add(fmt.Sprintf("%s, pair %d", w.Name, pair), report.Result{}, err)
		return
	}
	var running sync.WaitGroup
	for _, side := range order(pair) {
		running.Go(func() { c.once(ctx, w, side, pair, etcdData) })
		if !c.quick {
			running.Wait()
		}
	}
	running.Wait()
}

// order lets the sides take turns at going first, so that whatever changes with
// time on the machine favours neither.
func order(pair int) []report.Side {
	sides := report.Sides()
	if pair%2 == 0 {
		sides[0], sides[1] = sides[1], sides[0]
	}
	return sides
}

// once does a work with one side.
func (c *comparison) once(ctx context.Context, w work, side report.Side, pair int, etcdData string) {
	if ctx.Err() != nil {
		return
	}
	begin := time.Now()
	name := fmt.Sprintf("%s, pair %d, %s", w.Name, pair, side)
	progressf("%s ...", name)
	dir := filepath.Join(c.dir, fmt.Sprintf("%s-%d-%s", w.Name, pair, side))
	figures, err := attempt(ctx, c.settings, w, side, dir, etcdData)
	if err == nil {
		progressf("%s: CPU %.2f s, peak memory %.0f MiB, %.0f writes; took %.0f s", name,
			figures[report.CPU], figures[report.Memory], figures[report.Writes], time.Since(begin).Seconds())
	}
	c.add(name, report.Result{Work: w.Name, Side: side, Pair: pair, Figures: figures}, err)
}

// add takes a result into the report, or the error of a run without one.
func (c *comparison) add(name string, result report.Result, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		progressf("%s: %v", name, err)
		c.errs = append(c.errs, fmt.Errorf("%s: %w", name, err))
		return
	}
	c.report.Results = append(c.report.Results, result)
	if err := c.save(); err != nil {
		c.errs = append(c.errs, err)
	}
}

// progressf tells somebody who waits what is going on.
func progressf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// save writes what there is so far.
func (c *comparison) save() error {
	if c.out == "" {
		return nil
	}
	content, err := json.MarshalIndent(&c.report, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the figures: %w", err)
	}
	if err := os.WriteFile(c.out, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}

func load(path string) (*report.Report, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading figures: %w", err)
	}
	found := &report.Report{}
	if err := json.Unmarshal(content, found); err != nil {
		return nil, fmt.Errorf("reading figures of %s: %w", path, err)
	}
	return found, nil
}

// judge returns an error that names the bars that were missed.
func (s *settings) judge(found *report.Report) error {
	misses := found.Misses(s.quick)
	if len(misses) == 0 || !s.bars {
		return nil
	}
	return fmt.Errorf("missed bars:\n  %s", strings.Join(misses, "\n  "))
}

// machine says where this runs.
func machine() string {
	version := "unknown version"
	if path, err := controlplane.FindBinaries().Find("kube-apiserver"); err == nil {
		version = filepath.Base(filepath.Dir(path)) // as make lays them out
	}
	return fmt.Sprintf("%d processors, %s/%s, Kubernetes %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		version, time.Now().Format(time.DateOnly))
}
