// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
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
		"too many endpoints":    {Options{MaxEndpointsPerSlice: 1001}, []string{"MaxEndpointsPerSlice is 1001", "1 to 1000"}},
		"negative endpoints":    {Options{MaxEndpointsPerSlice: -1}, []string{"MaxEndpointsPerSlice is -1", "1 to 1000"}},
		"too many syncs":        {Options{ConcurrentServiceEndpointSyncs: 51}, []string{"ConcurrentServiceEndpointSyncs is 51", "1 to 50"}},
		"unknown controller":    {Options{Controllers: []string{"ingress"}}, []string{`"ingress" is not a controller`, `"*"`, `"endpointslice"`}},
		"unknown mode":          {Options{EndpointsMode: "maybe"}, []string{`EndpointsMode is "maybe"`, `"on" and "off"`}},
		"negative rate":         {Options{KubeAPIQPS: -1}, []string{"KubeAPIQPS is -1"}},
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
