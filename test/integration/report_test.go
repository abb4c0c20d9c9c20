// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// logLines is how much of a manager's log the report of a failed spec quotes.
const logLines = 30

// reportOnFailure adds to the report of a failed spec what its namespace holds
// and what the manager said last.
func (in space) reportOnFailure(ctx SpecContext) {
	if !CurrentSpecReport().Failed() {
		return
	}
	for title, text := range map[string]string{
		"EndpointSlices of " + string(in): in.describeSlices(ctx),
		"Endpoints of " + string(in):      in.describeEndpoints(ctx),
		"Pods of " + string(in):           in.describePods(ctx),
		"last log lines of the manager":   manager.LogTail(logLines),
	} {
		AddReportEntry(title, text, ReportEntryVisibilityFailureOrVerbose)
	}
}

func (in space) describeSlices(ctx context.Context) string {
	var list discoveryv1.EndpointSliceList
	if err := api.List(ctx, &list, client.InNamespace(in)); err != nil {
		return err.Error()
	}
	var text strings.Builder
	for i := range list.Items {
		slice := &list.Items[i]
		fmt.Fprintf(&text, "%s %s rv=%s %v ports=%v, %d endpoints\n", slice.Name, slice.AddressType,
			slice.ResourceVersion, slice.Labels, portNumbers(slice), len(slice.Endpoints))
		for j := range slice.Endpoints[:min(len(slice.Endpoints), 10)] {
			endpoint := &slice.Endpoints[j]
			fmt.Fprintf(&text, "  %v %s: %s\n", endpoint.Addresses, podOf(endpoint), conditionsOf(endpoint))
		}
	}
	return text.String()
}

func (in space) describeEndpoints(ctx context.Context) string {
	var list corev1.EndpointsList
	if err := api.List(ctx, &list, client.InNamespace(in)); err != nil {
		return err.Error()
	}
	var text strings.Builder
	for i := range list.Items {
		object := &list.Items[i]
		lines, err := in.subsets(object.Name)(ctx)
		fmt.Fprintf(&text, "%s rv=%s %v %v %q %v\n", object.Name, object.ResourceVersion, object.Labels, object.Annotations, lines, err)
	}
	return text.String()
}

func (in space) describePods(ctx context.Context) string {
	var list corev1.PodList
	if err := api.List(ctx, &list, client.InNamespace(in)); err != nil {
		return err.Error()
	}
	var text strings.Builder
	for i := range list.Items[:min(len(list.Items), 20)] {
		pod := &list.Items[i]
		fmt.Fprintf(&text, "%s %s on %q, ready %t, %v, deleted %v\n", pod.Name, pod.Status.Phase, pod.Spec.NodeName,
			isReady(pod), pod.Status.PodIPs, pod.DeletionTimestamp)
	}
	return fmt.Sprintf("%s(%d in all)\n", text.String(), len(list.Items))
}
