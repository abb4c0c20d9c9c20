// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Allocators compares the bitmap and the allocator with those of Kubernetes and
// with libraries of bitmaps, all in one run:
//
//	go run . [--time 1s] [--only take,memory,search,libraries]
//
// What it prints is in the docs of the packages; numbers differ from machine to
// machine, ratios less so.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"k8s.io/klog/v2"
)

func main() {
	only := flag.String("only", "take,memory,search,libraries", "what to compare")
	per := flag.Duration("time", time.Second, "processor time to measure each for")
	flag.Parse()
	b := bench{time: *per}

	// Upstream's allocator logs every address that cannot be created.
	klog.LogToStderr(false)
	parts := strings.Split(*only, ",")
	for _, part := range []struct {
		name    string
		compare func() [][]string
	}{
		{"take", b.compareTake}, {"memory", compareMemory}, {"search", b.compareSearch}, {"libraries", b.compareLibraries},
	} {
		if slices.Contains(parts, part.name) {
			table(part.compare())
		}
	}
}

// bench is for how long to measure.
type bench struct {
	time time.Duration
}

// result is what a benchmark found, for one round.
type result struct {
	nanoseconds float64
	allocations float64
}

// measure runs work over and over. It counts the processor time of the whole
// program, garbage collection too, so that other programs do not disturb it.
func (b bench) measure(work func()) result {
	work()
	runtime.GC()
	rounds, used := 0, time.Duration(0)
	start, allocated := processorTime(), mallocs()
	for batch := 1; used < b.time; batch *= 2 {
		for range batch {
			work()
		}
		rounds += batch
		used = processorTime() - start
	}
	return result{
		nanoseconds: float64(used.Nanoseconds()) / float64(rounds),
		allocations: float64(mallocs()-allocated) / float64(rounds),
	}
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	try(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}

func (r result) String() string {
	return fmt.Sprintf("%s, %.0f allocs", nice(r.nanoseconds), r.allocations)
}

// nice returns a duration with as many digits as it deserves.
func nice(nanoseconds float64) string {
	switch {
	case nanoseconds < 1e3:
		return fmt.Sprintf("%.0f ns", nanoseconds)
	case nanoseconds < 1e6:
		return fmt.Sprintf("%.1f µs", nanoseconds/1e3)
	default:
		return fmt.Sprintf("%.1f ms", nanoseconds/1e6)
	}
}

// table prints rows of cells as columns.
func table(rows [][]string) {
	columns := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(columns, strings.Join(row, "\t"))
	}
	fmt.Fprintln(columns)
	try(columns.Flush())
}

// must ends the program when something that cannot fail does.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// try is must for what returns nothing else.
func try(err error) {
	if err != nil {
		panic(err)
	}
}
