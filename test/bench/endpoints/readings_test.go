// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

const counters = `
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",dry_run="",resource="endpointslices",subresource="",verb="PUT"} 7
apiserver_request_total{code="200",dry_run="All",resource="endpointslices",subresource="",verb="PUT"} 50
apiserver_request_total{code="200",dry_run="",resource="endpointslices",subresource="",verb="PATCH"} 1
apiserver_request_total{code="201",dry_run="",resource="endpointslices",subresource="",verb="POST"} 2
apiserver_request_total{code="200",dry_run="",resource="endpointslices",subresource="",verb="DELETE"} 3
apiserver_request_total{code="200",dry_run="",resource="endpointslices",subresource="",verb="LIST"} 100
apiserver_request_total{code="409",dry_run="",resource="endpointslices",subresource="",verb="PUT"} 4
apiserver_request_total{code="404",dry_run="",resource="endpoints",subresource="",verb="DELETE"} 5
apiserver_request_total{code="200",dry_run="",resource="endpoints",subresource="",verb="APPLY"} 6
apiserver_request_total{code="201",dry_run="",resource="events",subresource="",verb="POST"} 8
apiserver_request_total{code="200",dry_run="",resource="leases",subresource="",verb="PUT"} 9
apiserver_request_total{code="409",dry_run="",resource="leases",subresource="",verb="PUT"} 1
apiserver_request_total{code="201",dry_run="",resource="pods",subresource="",verb="POST"} 1000
`

func TestWritesOfTheControllersAreCounted(t *testing.T) {
	t.Parallel()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(counters))
	if err != nil {
		t.Fatal(err)
	}
	counts := countWrites(families["apiserver_request_total"].GetMetric())
	got := map[report.Figure]float64{}
	counts.since(traffic{{endpointSlices, "update", succeeded}: 1}).fill(got)
	want := map[report.Figure]float64{
		report.SliceCreates: 2, report.SliceUpdates: 7, report.SliceDeletes: 3, report.SliceWrites: 12,
		report.EndpointsWrites: 6, report.EventWrites: 8, report.LeaseWrites: 9, report.Writes: 26,
		report.Conflicts: 5, report.Errors: 5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

func TestProcessorTime(t *testing.T) {
	t.Parallel()
	const stat = "4711 (a (odd) name 1 2) S 1 4711 4711 0 -1 4194304 100 200 3 4 1234 66 7 8 20 0 9 0 55 1000 10"
	if got, err := parseProcessorTime([]byte(stat)); err != nil || got != 13*time.Second {
		t.Errorf("got %s, %v, want 13 s", got, err)
	}
	for _, broken := range []string{"", "4711 (x) S 1", "4711 (x) S 1 4711 4711 0 -1 4194304 100 200 3 4 many 66"} {
		if got, err := parseProcessorTime([]byte(broken)); err == nil {
			t.Errorf("%q: got %s", broken, got)
		}
	}
}

func TestPeakMemory(t *testing.T) {
	t.Parallel()
	if got, err := parsePeakMemory("Name:\tx\nVmPeak:\t 900 kB\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n"); err != nil || got != 12345<<10 {
		t.Errorf("got %d, %v", got, err)
	}
	for _, broken := range []string{"", "VmHWM:\t some kB\n"} {
		if got, err := parsePeakMemory(broken); err == nil {
			t.Errorf("%q: got %d", broken, got)
		}
	}
}

func TestSyncedCachesAreReadInTheLog(t *testing.T) {
	t.Parallel()
	const (
		three   = "Starting endpoint slice controller\nStarting EndpointSliceMirroring controller\nStarting endpoint controller\n"
		waiting = "Waiting for caches to sync\n"
		synced  = "\"Caches are synced\"\n"
		worker  = "\"Starting workers\"\n"
	)
	for name, test := range map[string]struct {
		side report.Side
		log  string
		want bool
	}{
		"stock, all":                       {report.Stock, waiting + synced + three + waiting + synced, true},
		"stock, one still waits":           {report.Stock, three + waiting + waiting + synced, false},
		"stock, one has not started":       {report.Stock, "Starting endpoint controller\n" + waiting + synced, false},
		"stock, nothing":                   {report.Stock, "", false},
		"ours, all":                        {report.Ours, worker + worker + worker, true},
		"ours, one controller still waits": {report.Ours, worker + worker, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := isSynced(test.side, test.log); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
