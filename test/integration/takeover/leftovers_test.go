// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// The Services that stop having endpoints. The stock controllers leave what was
// made for them as it was at the last moment, and even mirror it. The manager
// removes it, but for what a user has made their own since.
const (
	selectorGone = "selector-gone"
	externalNow  = "external-now"
	takenByUser  = "taken-by-user"
)

func (in space) addAbandoned(ctx context.Context) {
	GinkgoHelper()
	for _, name := range []string{selectorGone, externalNow, takenByUser} {
		in.run(ctx, name, 0, 2)
		in.expose(ctx, name)
	}
}

// abandon makes these Services stop having endpoints. It returns what there is
// when the stock controllers have seen it: everything.
func (in space) abandon(ctx context.Context, stock *writer) record {
	GinkgoHelper()
	for _, name := range []string{selectorGone, takenByUser} {
		in.patch(ctx, &corev1.Service{}, name, `{"spec":{"selector":null}}`)
	}
	in.patch(ctx, &corev1.Service{}, externalNow,
		`{"spec":{"type":"ExternalName","externalName":"example.com","clusterIP":null,"clusterIPs":null}}`)
	in.patchEndpointsf(ctx, takenByUser, `{"subsets":[{"addresses":[{"ip":%q}]}]}`, newAddress(1).IP)
	left := in.awaitQuiet(ctx, stock)
	for name, by := range map[string][]string{
		selectorGone: {managed, mirrored},
		externalNow:  {managed},
		takenByUser:  {managed, mirrored},
	} {
		Expect(left).To(HaveKey("Endpoints " + in.name + "/" + name))
		Expect(left.slicesOf(name, by...)).To(HaveLen(len(by)), "slices of "+name)
	}
	return left
}

// abandoned tells, as compare does, what the manager removes of it.
func (in space) abandoned(left record) []string {
	gone := slices.Concat(
		[]string{"Endpoints " + in.name + "/" + selectorGone, "Endpoints " + in.name + "/" + externalNow},
		left.slicesOf(selectorGone, managed, mirrored),
		left.slicesOf(externalNow, managed),
		left.slicesOf(takenByUser, managed),
	)
	for i := range gone {
		gone[i] += " is gone"
	}
	return gone
}

// slicesOf names the recorded slices of a Service that certain controllers manage.
func (r record) slicesOf(service string, by ...string) []string {
	var names []string
	for name, object := range r {
		labels := object.GetLabels()
		if labels[discoveryv1.LabelServiceName] == service && slices.Contains(by, labels[discoveryv1.LabelManagedBy]) {
			names = append(names, name)
		}
	}
	return names
}
