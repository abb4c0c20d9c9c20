// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"strings"
)

// hints returns a function that tells the hints of each endpoint of a Service, by
// pod, for Eventually: "zone-a", "zone-a node-0", or nothing.
func (in space) hints(service string) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		list, err := in.slices(service)(ctx)
		found := map[string]string{}
		for i := range list {
			for j := range list[i].Endpoints {
				endpoint := &list[i].Endpoints[j]
				var names []string
				if endpoint.Hints != nil {
					for _, zone := range endpoint.Hints.ForZones {
						names = append(names, zone.Name)
					}
					for _, node := range endpoint.Hints.ForNodes {
						names = append(names, node.Name)
					}
				}
				found[podOf(endpoint)] = strings.Join(names, " ")
			}
		}
		return found, err
	}
}

// hintsPerZone returns a function that counts them, without those that are empty.
func (in space) hintsPerZone(service string) func(context.Context) (map[string]int, error) {
	return func(ctx context.Context) (map[string]int, error) {
		byPod, err := in.hints(service)(ctx)
		perZone := map[string]int{}
		for _, hint := range byPod {
			if hint != "" {
				perZone[hint]++
			}
		}
		return perZone, err
	}
}
