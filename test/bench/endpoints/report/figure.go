// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strconv"
)

// Figure is something that a run measures.
type Figure string

// The figures, in the order of the table's rows. Durations are in seconds or
// milliseconds, as unit says.
const (
	// CPU is the processor time that the process used from the begin of the work
	// until it was idle again.
	CPU Figure = "cpu"
	// WatcherCPU is the same of a process that only watches the same objects.
	WatcherCPU Figure = "watcherCPU"
	// CPUAbove is CPU without WatcherCPU.
	CPUAbove Figure = "cpuAbove"
	// Memory is the most that was resident in the life of the process.
	Memory Figure = "memory"
	// WatcherMemory is the same of the process that only watches.
	WatcherMemory Figure = "watcherMemory"
	// Lag is the time from the answer to the last write until all slices, and all
	// Endpoints that hold all of their pods, were complete.
	Lag Figure = "lag"
	// LatencyP50, LatencyP99 and LatencyMax are about the time from the answer to
	// the write of a pod's status to the event of the slice that shows it.
	LatencyP50 Figure = "latencyP50"
	LatencyP99 Figure = "latencyP99"
	LatencyMax Figure = "latencyMax"
	// StaleP50, StaleP99 and StaleMax are about the time that a pod that is
	// terminating, unready or gone is still listed as ready.
	StaleP50 Figure = "staleP50"
	StaleP99 Figure = "staleP99"
	StaleMax Figure = "staleMax"
	// Synced is the time from the start of the process until its caches were
	// filled, by its own log.
	Synced Figure = "synced"
	// LiveP50 and LiveMax are about changes made while the process starts: the
	// time from the answer to the write, or from Synced if that is later, to the
	// event of the slice.
	LiveP50 Figure = "liveP50"
	LiveMax Figure = "liveMax"
	// Slices is how many slices there are at the end, IdealSlices how few could
	// hold the same endpoints, SlicesOverIdeal the one by the other.
	Slices          Figure = "slices"
	IdealSlices     Figure = "idealSlices"
	SlicesOverIdeal Figure = "slicesOverIdeal"
	// PeakOverIdeal is the most slices there ever were, by the ideal number for
	// the most endpoints there ever were.
	PeakOverIdeal Figure = "peakOverIdeal"
	// Writes are all successful writes of the rows below, without Leases.
	Writes          Figure = "writes"
	SliceWrites     Figure = "sliceWrites"
	SliceCreates    Figure = "sliceCreates"
	SliceUpdates    Figure = "sliceUpdates"
	SliceDeletes    Figure = "sliceDeletes"
	EndpointsWrites Figure = "endpointsWrites"
	EventWrites     Figure = "eventWrites"
	LeaseWrites     Figure = "leaseWrites"
	// Conflicts are writes refused with 409, Errors those refused otherwise.
	Conflicts Figure = "conflicts"
	Errors    Figure = "errors"
	// LaterUpdates and LaterDeletes are writes of slices after the last change of
	// a pod was published, SlicesFilled and SlicesRemoved what they brought:
	// slices that hold more endpoints than before, and slices that went.
	LaterUpdates  Figure = "laterUpdates"
	SlicesFilled  Figure = "slicesFilled"
	LaterDeletes  Figure = "laterDeletes"
	SlicesRemoved Figure = "slicesRemoved"
)

// unit is how a figure is shown.
type unit int

const (
	count unit = iota
	seconds
	milliseconds
	mebibytes
	factor
)

// row describes a figure in the table.
type row struct {
	figure Figure
	label  string
	unit   unit
}

func rows() []row {
	return []row{
		{CPU, "CPU", seconds},
		{WatcherCPU, "CPU of a process that only watches", seconds},
		{CPUAbove, "CPU above that", seconds},
		{Memory, "peak memory", mebibytes},
		{WatcherMemory, "peak memory of a process that only watches", mebibytes},
		{Lag, "lag after the last write", seconds},
		{LatencyP50, "latency, p50", milliseconds},
		{LatencyP99, "latency, p99", milliseconds},
		{LatencyMax, "latency, longest", milliseconds},
		{StaleP50, "listed as ready without being so, p50", milliseconds},
		{StaleP99, "listed as ready without being so, p99", milliseconds},
		{StaleMax, "listed as ready without being so, longest", milliseconds},
		{Synced, "caches synced after", seconds},
		{LiveP50, "change during the start, published after, p50", milliseconds},
		{LiveMax, "change during the start, published after, longest", milliseconds},
		{Slices, "slices at the end", count},
		{IdealSlices, "slices at the end, ideal", count},
		{SlicesOverIdeal, "slices at the end, by the ideal", factor},
		{PeakOverIdeal, "most slices ever, by the ideal of the most pods", factor},
		{Writes, "writes", count},
		{SliceWrites, "writes of slices", count},
		{SliceCreates, "slices created", count},
		{SliceUpdates, "slices updated", count},
		{SliceDeletes, "slices deleted", count},
		{EndpointsWrites, "writes of Endpoints", count},
		{EventWrites, "writes of Events", count},
		{LeaseWrites, "writes of Leases", count},
		{Conflicts, "conflicts (409)", count},
		{Errors, "writes refused otherwise", count},
		{LaterUpdates, "slices updated after the last change", count},
		{SlicesFilled, "slices filled after the last change", count},
		{LaterDeletes, "slices deleted after the last change", count},
		{SlicesRemoved, "slices gone after the last change", count},
	}
}

// label is what the table calls a figure.
func label(figure Figure) string {
	for _, row := range rows() {
		if row.figure == figure {
			return row.label
		}
	}
	return string(figure)
}

// format writes a value with as many digits as it deserves.
func (u unit) format(value float64) string {
	switch u {
	case seconds:
		return fmt.Sprintf("%.2f s", value)
	case milliseconds:
		return fmt.Sprintf("%.1f ms", value)
	case mebibytes:
		return fmt.Sprintf("%.0f MiB", value)
	case factor:
		return fmt.Sprintf("%.2f", value)
	case count:
		return strconv.FormatFloat(value, 'f', -1, 64)
	default:
		return strconv.FormatFloat(value, 'g', -1, 64)
	}
}
