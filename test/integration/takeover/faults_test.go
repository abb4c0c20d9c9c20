// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxEndpoints is how many endpoints a slice lists at most where both write: so
// few that they keep packing, splitting and recycling slices.
const maxEndpoints = 4

// faults names all that is wrong with the endpoints of the namespace's Services,
// for Eventually.
func (in space) faults(ctx context.Context) ([]string, error) {
	var services corev1.ServiceList
	if err := in.api.List(ctx, &services, client.InNamespace(in.name)); err != nil {
		return nil, err
	}
	var all []string
	for i := range services.Items {
		check := in.faultsOfSelected
		if services.Items[i].Spec.Selector == nil {
			check = in.faultsOfMirrored
		}
		faults, err := check(ctx, &services.Items[i])
		if err != nil {
			return nil, err
		}
		all = append(all, faults...)
	}
	return all, nil
}

func (in space) faultsOfSelected(ctx context.Context, service *corev1.Service) ([]string, error) {
	inSlices, inObject, err := in.wantedOf(ctx, service)
	if err != nil {
		return nil, err
	}
	list, err := in.slices(ctx, service.Name)
	if err != nil {
		return nil, err
	}
	subsets, err := in.subsets(service.Name)(ctx)
	if err != nil {
		return nil, err
	}
	faults := inSlices.faults("slices of "+service.Name, listed(list))
	for i := range list {
		slice := &list[i]
		if len(slice.Endpoints) > maxEndpoints {
			faults = append(faults, fmt.Sprintf("%s lists %d endpoints", slice.Name, len(slice.Endpoints)))
		}
		if slice.Labels["round"] != service.Labels["round"] {
			faults = append(faults, slice.Name+" has the labels of another time")
		}
		if slice.Labels[discoveryv1.LabelManagedBy] != managed {
			faults = append(faults, slice.Name+" is managed by "+slice.Labels[discoveryv1.LabelManagedBy])
		}
	}
	return append(faults, inObject.faults("Endpoints "+service.Name, addressed(subsets))...), nil
}

func (in space) faultsOfMirrored(ctx context.Context, service *corev1.Service) ([]string, error) {
	endpoints := newEndpoints(service.Name)
	if err := in.api.Get(ctx, in.key(service.Name), endpoints); err != nil {
		return nil, err
	}
	list, err := in.slices(ctx, service.Name)
	if err != nil {
		return nil, err
	}
	return mirrorOf(endpoints).faults("mirrored slices of "+service.Name, listed(list)), nil
}

// listed counts the endpoints in slices.
func listed(list []discoveryv1.EndpointSlice) tally {
	got := tally{}
	for i := range list {
		slice := &list[i]
		var ports []string
		for j := range slice.Ports {
			ports = append(ports, fmt.Sprintf("%s:%d", ptr.Deref(slice.Ports[j].Name, ""), ptr.Deref(slice.Ports[j].Port, 0)))
		}
		slices.Sort(ports)
		for j := range slice.Endpoints {
			endpoint := &slice.Endpoints[j]
			pod := ptr.Deref(endpoint.TargetRef, corev1.ObjectReference{}).Name
			is := func(condition *bool) bool { return ptr.Deref(condition, false) }
			got[inSlice(endpoint.Addresses[0], pod, ptr.Deref(endpoint.NodeName, ""), ptr.Deref(endpoint.Zone, ""),
				is(endpoint.Conditions.Ready), is(endpoint.Conditions.Serving), is(endpoint.Conditions.Terminating), ports)]++
		}
	}
	return got
}

// addressed counts the addresses in Endpoints, at each of their ports.
func addressed(subsets []corev1.EndpointSubset) tally {
	got := tally{}
	for i := range subsets {
		for _, port := range subsets[i].Ports {
			at := fmt.Sprintf("%s:%d", port.Name, port.Port)
			for ready, addresses := range map[bool][]corev1.EndpointAddress{
				true: subsets[i].Addresses, false: subsets[i].NotReadyAddresses,
			} {
				for j := range addresses {
					pod := ptr.Deref(addresses[j].TargetRef, corev1.ObjectReference{}).Name
					got[inEndpoints(addresses[j].IP, pod, ready, at)]++
				}
			}
		}
	}
	return got
}
