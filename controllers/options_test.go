// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cloud-provider/fake"
)

func TestOptionsValidate(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		want    []string // parts of the message; none means valid
	}{
		"zero":                  {Options{}, nil},
		"all limits":            {Options{ConcurrentServiceEndpointSyncs: 50, MaxEndpointsPerSlice: 1000, KubeAPIQPS: 20, KubeAPIBurst: 30}, nil},
		"one controller less":   {Options{Controllers: []string{"*", "-endpointslice"}}, nil},
		"off":                   {Options{EndpointsMode: EndpointsOff}, nil},
		"auto":                  {Options{EndpointsMode: EndpointsAuto}, nil},
		"no Lease":              {Options{KubeControllerManagerLeases: []string{"k3s"}}, []string{`"k3s"`, "namespace/name"}},
		"too many endpoints":    {Options{MaxEndpointsPerSlice: 1001}, []string{"MaxEndpointsPerSlice is 1001", "1 to 1000"}},
		"negative endpoints":    {Options{MaxEndpointsPerSlice: -1}, []string{"MaxEndpointsPerSlice is -1", "1 to 1000"}},
		"too many syncs":        {Options{ConcurrentServiceEndpointSyncs: 51}, []string{"ConcurrentServiceEndpointSyncs is 51", "1 to 50"}},
		"unknown controller":    {Options{Controllers: []string{"ingress"}}, []string{`"ingress" is not a controller`, `"*"`, `"endpointslice"`}},
		"unknown mode":          {Options{EndpointsMode: "maybe"}, []string{`EndpointsMode is "maybe"`, `["on" "off" "auto"]`}},
		"no range of ports":     {Options{ServiceNodePortRange: PortRange{2, 1}}, []string{"ServiceNodePortRange is 2-1"}},
		"no class":              {Options{LoadBalancerClass: "of mine"}, []string{`LoadBalancerClass is "of mine"`, "servicenet.dev/pool"}},
		"a cloud":               {Options{Cloud: &Cloud{Provider: &fake.Cloud{}}}, nil},
		"a cloud of a class":    {Options{Cloud: &Cloud{Provider: &fake.Cloud{}, Class: "example.com/x"}, LoadBalancerDefault: true}, nil},
		"both claim classless":  {Options{Cloud: &Cloud{Provider: &fake.Cloud{}}, LoadBalancerDefault: true}, []string{"Cloud", "LoadBalancerDefault", "without a class"}},
		"both claim a class":    {Options{Cloud: &Cloud{Provider: &fake.Cloud{}, Class: "servicenet.dev/pool"}}, []string{"Cloud.Class", "LoadBalancerClass", "servicenet.dev/pool"}},
		"a cloud of no class":   {Options{Cloud: &Cloud{Provider: &fake.Cloud{}, Class: "of mine"}}, []string{`Cloud.Class is "of mine"`}},
		"no provider":           {Options{Cloud: &Cloud{}}, []string{"Cloud.Provider is missing"}},
		"no load balancers":     {Options{Cloud: &Cloud{Provider: &fake.Cloud{DisableLoadBalancers: true}}}, []string{`"fake"`, "no load balancers"}},
		"too many calls":        {Options{Cloud: &Cloud{Provider: &fake.Cloud{}, ConcurrentSyncs: 1001}}, []string{"Cloud.ConcurrentSyncs is 1001", "1 to 1000"}},
		"negative calls":        {Options{Cloud: &Cloud{Provider: &fake.Cloud{}, ConcurrentSyncs: -1}}, []string{"Cloud.ConcurrentSyncs is -1"}},
		"hasty calls":           {Options{Cloud: &Cloud{Provider: &fake.Cloud{}, CallTimeout: time.Millisecond}}, []string{"Cloud.CallTimeout is 1ms", "1s and more"}},
		"asked for, no cloud":   {Options{Controllers: []string{"cloudloadbalancer"}}, []string{`"cloudloadbalancer" needs Cloud`}},
		"left out, no cloud":    {Options{Controllers: []string{"*", "-cloudloadbalancer"}}, nil},
		"negative rate":         {Options{KubeAPIQPS: -1}, []string{"KubeAPIQPS is -1"}},
		"negative burst":        {Options{KubeAPIBurst: -1}, []string{"KubeAPIBurst -1"}},
		"every fault is listed": {Options{EndpointsMode: "x", MaxEndpointsPerSlice: 9999}, []string{"EndpointsMode", "MaxEndpointsPerSlice"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.options.Validate()
			if (err == nil) != (len(test.want) == 0) {
				t.Fatalf("error is %v, want one: %v", err, len(test.want) > 0)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

// Each option takes the whole of its range and nothing beyond. Zero is the default
// of all of them.
func TestOptionsRanges(t *testing.T) {
	for name, test := range map[string]struct {
		set             func(o *Options, value int64)
		lowest, highest int64
	}{
		"ConcurrentServiceEndpointSyncs":           {func(o *Options, n int64) { o.ConcurrentServiceEndpointSyncs = int(n) }, 1, 50},
		"ConcurrentEndpointSyncs":                  {func(o *Options, n int64) { o.ConcurrentEndpointSyncs = int(n) }, 1, 50},
		"MirroringConcurrentServiceEndpointSyncs":  {func(o *Options, n int64) { o.MirroringConcurrentServiceEndpointSyncs = int(n) }, 1, 50},
		"MaxEndpointsPerSlice":                     {func(o *Options, n int64) { o.MaxEndpointsPerSlice = int(n) }, 1, 1000},
		"MirroringMaxEndpointsPerSubset":           {func(o *Options, n int64) { o.MirroringMaxEndpointsPerSubset = int(n) }, 1, 1000},
		"EndpointSliceUpdatesBatchPeriod":          {func(o *Options, n int64) { o.EndpointSliceUpdatesBatchPeriod = time.Duration(n) }, 1, int64(time.Minute)},
		"EndpointUpdatesBatchPeriod":               {func(o *Options, n int64) { o.EndpointUpdatesBatchPeriod = time.Duration(n) }, 1, int64(time.Minute)},
		"MirroringEndpointSliceUpdatesBatchPeriod": {func(o *Options, n int64) { o.MirroringEndpointSliceUpdatesBatchPeriod = time.Duration(n) }, 1, int64(time.Minute)},
		"EndpointsCheckPeriod":                     {func(o *Options, n int64) { o.EndpointsCheckPeriod = time.Duration(n) }, int64(time.Second), int64(1000 * time.Hour)},
		"SliceMergeRate":                           {func(o *Options, n int64) { o.SliceMergeRate = int(n) }, 1, 1000},
		"MaxUpdatesGatherPeriod":                   {func(o *Options, n int64) { o.MaxUpdatesGatherPeriod = time.Duration(n) }, 1, int64(time.Minute)},
		"MinResyncPeriod":                          {func(o *Options, n int64) { o.MinResyncPeriod = time.Duration(n) }, int64(time.Minute), int64(1000 * time.Hour)},
		"EndpointsQuietPeriod":                     {func(o *Options, n int64) { o.EndpointsQuietPeriod = time.Duration(n) }, int64(time.Second), int64(1000 * time.Hour)},
		"RepairInterval":                           {func(o *Options, n int64) { o.RepairInterval = time.Duration(n) }, int64(time.Second), int64(1000 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, value := range []int64{0, test.lowest, test.highest} {
				var options Options
				test.set(&options, value)
				if err := options.Validate(); err != nil {
					t.Errorf("%d is refused: %v", value, err)
				}
			}
			beyond := []int64{-1, test.highest + 1}
			if test.highest == int64(1000*time.Hour) { // have no upper limit
				beyond = []int64{-1, test.lowest - 1}
			}
			for _, value := range beyond {
				var options Options
				test.set(&options, value)
				if err := options.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+" is ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%d: got %v, want one fault that names the option", value, err)
				}
			}
		})
	}
}

func TestDefaultsAreThoseOfKubeControllerManager(t *testing.T) {
	want := Options{
		Controllers: []string{"*"}, EndpointsMode: EndpointsOn, EndpointsQuietPeriod: time.Minute,
		KubeControllerManagerLeases:    []string{"kube-system/kube-controller-manager"},
		ConcurrentServiceEndpointSyncs: 5, ConcurrentEndpointSyncs: 5, MirroringConcurrentServiceEndpointSyncs: 5,
		MaxEndpointsPerSlice: 100, MirroringMaxEndpointsPerSubset: 1000, MinResyncPeriod: 12 * time.Hour,
		MaxUpdatesGatherPeriod: time.Second, SliceMergeRate: 20, EndpointsCheckPeriod: 10 * time.Minute,
		Namespace: "kube-system", ServiceNodePortRange: PortRange{30000, 32767}, RepairInterval: 3 * time.Minute,
		AllowedExternalIPs: []string{AnyExternalIPs}, LoadBalancerClass: "servicenet.dev/pool", ConcurrentServiceSyncs: 32,
	}
	if diff := cmp.Diff(want, DefaultOptions()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestDefaultsReplaceNothingThatIsSet(t *testing.T) {
	set := Options{
		Controllers: []string{"-endpoints", "*"}, EndpointsMode: EndpointsOff, EndpointsQuietPeriod: time.Second,
		KubeControllerManagerLeases:    []string{"elsewhere/manager"},
		ConcurrentServiceEndpointSyncs: 6, ConcurrentEndpointSyncs: 7, MirroringConcurrentServiceEndpointSyncs: 8,
		MaxEndpointsPerSlice: 9, MirroringMaxEndpointsPerSubset: 10, MinResyncPeriod: time.Hour,
		EndpointSliceUpdatesBatchPeriod: 1, EndpointUpdatesBatchPeriod: 2, MirroringEndpointSliceUpdatesBatchPeriod: 3,
		KubeAPIQPS: 20, KubeAPIBurst: 21, KeepOrphanedEndpoints: true, MaxUpdatesGatherPeriod: 4, SliceMergeRate: 5,
		EndpointsCheckPeriod: time.Minute, Namespace: "system", ServiceNodePortRange: PortRange{1, 2}, RepairInterval: time.Hour,
		NoAdmissionPolicy: true, AllowedExternalIPs: []string{NoExternalIPs}, LoadBalancerClass: "example.com/ours", LoadBalancerDefault: true,
		ConcurrentServiceSyncs: 12,
	}
	if diff := cmp.Diff(set, set.withDefaults()); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestCloudIsFilledInACopy(t *testing.T) {
	of := &Cloud{ConcurrentSyncs: 3}
	filled := Options{Cloud: of}.withDefaults().Cloud
	if want := (Cloud{ClusterName: "kubernetes", ConcurrentSyncs: 3, CallTimeout: 10 * time.Minute}); *filled != want {
		t.Errorf("got %+v", *filled)
	}
	if of.ClusterName != "" {
		t.Error("the caller's options have changed")
	}
	if got := (Options{Cloud: &Cloud{ClusterName: "east"}}).withDefaults().Cloud; got.ClusterName != "east" || got.ConcurrentSyncs != 10 {
		t.Errorf("got %+v", *got)
	}
}

func TestBurstFollowsQPS(t *testing.T) {
	for qps, want := range map[float32]int{0: 0, 0.1: 1, 1: 2, 20: 30, 21: 32} {
		if got := (Options{KubeAPIQPS: qps}).withDefaults().KubeAPIBurst; got != want {
			t.Errorf("%v requests a second come in bursts of %d, want %d", qps, got, want)
		}
	}
}

// The cases are those of kube-controller-manager's flag.
func TestSelected(t *testing.T) {
	for selection, want := range map[string]bool{
		"*":                            true,
		"endpointslice":                true,
		"-endpointslice":               false,
		"*,-endpointslice":             false,
		"-endpointslice,*":             false,
		"endpointslice,-endpointslice": true,
		"-endpointslice,endpointslice": false,
		"something-else":               false,
		"something-else,*":             true,
	} {
		if got := selected(EndpointSliceName, strings.Split(selection, ",")); got != want {
			t.Errorf("%s selects it: %v, want %v", selection, got, want)
		}
	}
}
