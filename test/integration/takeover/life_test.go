// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
)

// live lets a little of everything happen in the zoo: to the pods of the given
// number where the zoo has several, so that every call finds something to do.
//
// It keeps to what the stock controllers notice. They do not see that a node
// moves to another zone, nor that a pod which never was ready fails.
func (in space) live(ctx context.Context, number int) {
	GinkgoHelper()
	in.changePods(ctx, number)
	in.changeServices(ctx, number)
	in.changeByHand(ctx, number)
}

func (in space) changePods(ctx context.Context, number int) {
	GinkgoHelper()
	in.run(ctx, "plain", 10*number, 2)
	in.remove(ctx, fmt.Sprintf("plain-%d", number))
	in.setReady(ctx, fmt.Sprintf("half-ready-%d", number-1), false)
	in.setReady(ctx, fmt.Sprintf("half-ready-%d", number+2), true)
	in.terminate(ctx, fmt.Sprintf("two-numbers-%d", number))
	in.patchStatus(ctx, fmt.Sprintf("dual-stack-%d", number),
		`{"status":{"phase":"Failed","conditions":[{"type":"Ready","status":"False"}]}}`)
	in.patch(ctx, &corev1.Pod{}, fmt.Sprintf("labelled-%d", number-1), fmt.Sprintf(`{"metadata":{"labels":{%q:"nobody"}}}`, app))
	in.run(ctx, "headless", 10*number, 1, named("headless"))
	in.setReady(ctx, fmt.Sprintf("local-%d", number), false)
	in.run(ctx, "large", large+10*number, 3)
	in.remove(ctx, fmt.Sprintf("large-%d", 10*number))
	in.setReady(ctx, fmt.Sprintf("large-%d", 10*number+1), false)
	in.setReady(ctx, fmt.Sprintf("over-capacity-%d", number), false)
	in.run(ctx, "auto", 30*number, 3)
}

func (in space) changeServices(ctx context.Context, number int) {
	GinkgoHelper()
	in.patch(ctx, &corev1.Service{}, "labelled", fmt.Sprintf(`{"metadata":{"labels":{"round":"%d","tier":null}}}`, number))
	in.patch(ctx, &corev1.Service{}, "port-without-name", fmt.Sprintf(`{"spec":{"ports":[{"port":80,"targetPort":%d}]}}`, 8000+number))
	in.patch(ctx, &corev1.Service{}, "prefer-close",
		fmt.Sprintf(`{"spec":{"trafficDistribution":%q}}`, []string{"PreferSameNode", "PreferSameZone"}[number%2]))
	in.patch(ctx, &corev1.Service{}, "troubled", fmt.Sprintf(`{"spec":{"publishNotReadyAddresses":%t}}`, number%2 == 1))
	in.patch(ctx, &corev1.Service{}, "dual-stack-headless",
		[]string{`{"spec":{"ipFamilyPolicy":"RequireDualStack"}}`, `{"spec":{"ipFamilyPolicy":"SingleStack"}}`}[number%2])
	in.patch(ctx, &corev1.Service{}, "other-subdomain",
		fmt.Sprintf(`{"spec":{"selector":{%q:%q}}}`, app, []string{"headless", "plain"}[number%2]))

	name := fmt.Sprintf("short-lived-%d", number)
	for range 2 { // the second has the name of the first
		in.expose(ctx, name, selecting("plain"))
		in.awaitListed(ctx, name)
		in.delete(ctx, &corev1.Service{}, name)
		in.awaitUnlisted(ctx, name)
	}
	in.expose(ctx, name, selecting("plain"))
	in.expose(ctx, fmt.Sprintf("made-%d", number), selecting("large"))
}

func (in space) changeByHand(ctx context.Context, number int) {
	GinkgoHelper()
	address := func(i int) string { return newAddress(100*number + i).IP }
	in.patchEndpointsf(ctx, "by-hand",
		`{"subsets":[{"addresses":[{"ip":%q},{"ip":%q}],"ports":[{"name":"http","port":8080}]}]}`, address(1), address(2))
	in.patchEndpointsf(ctx, "by-hand-not-ready",
		`{"subsets":[{"notReadyAddresses":[{"ip":%q}],"ports":[{"name":"http","port":8080}]}]}`, address(1))
	in.patchEndpointsf(ctx, "by-hand-described",
		`{"metadata":{"labels":{"team":"c"},"annotations":{"example.com/round":%q}}}`, address(0))
	in.patchEndpointsf(ctx, "by-hand-both-families", `{"metadata":{"labels":{%q:%q}}}`,
		"endpointslice.kubernetes.io/skip-mirror", []string{"false", "true"}[number%2])
	in.patchEndpointsf(ctx, "by-hand-two-ports", `{"subsets":%s}`, []string{
		`[{"addresses":[{"ip":"198.51.100.1"}],"ports":[{"name":"http","port":8080}]}]`, "null",
	}[number%2])
	in.delete(ctx, newEndpoints(""), []string{"by-hand-with-pods", "by-hand-headless"}[number%2])
}

// patchEndpointsf merges JSON with values put into it into Endpoints.
func (in space) patchEndpointsf(ctx context.Context, name, format string, values ...any) {
	GinkgoHelper()
	in.patch(ctx, newEndpoints(name), name, fmt.Sprintf(format, values...))
}

// awaitListed waits until the EndpointSlices of a Service list something.
func (in space) awaitListed(ctx context.Context, service string) {
	GinkgoHelper()
	Eventually(in.sizes(service)).WithContext(ctx).Should(ContainElement(BeNumerically(">", 0)))
	Eventually(in.subsets(service)).WithContext(ctx).ShouldNot(BeEmpty())
}

// awaitUnlisted waits until the Endpoints of a deleted Service are gone.
func (in space) awaitUnlisted(ctx context.Context, service string) {
	GinkgoHelper()
	Eventually(in.subsets(service)).WithContext(ctx).Should(BeEmpty())
}
