// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// byHand is the Service whose Endpoints are written by hand.
	byHand = "by-hand"
	// shortLived is the Service that is deleted and made again.
	shortLived = "api"
	// atMost is how many pods the Services have together.
	atMost = 80
)

// churn makes Services and keeps changing what they are about.
type churn struct {
	in   space
	rand *rand.Rand
	pods []string // those that are not terminating
	old  []string // those that are
	made int
}

func newChurn(ctx context.Context, in space) *churn {
	GinkgoHelper()
	in.expose(ctx, "web", dualStack(corev1.IPFamilyPolicyRequireDualStack), toPort(intstr.FromString("web")))
	in.expose(ctx, shortLived)
	in.expose(ctx, "web-published", selecting("web"), publishingUnready, headless)
	in.expose(ctx, byHand, withoutSelector)
	in.create(ctx, newEndpoints(byHand, newSubset(newAddress(1))))
	c := &churn{in: in, rand: rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, GinkgoRandomSeed()))))}
	for range 5 {
		c.addPods(ctx)
	}
	return c
}

// steps changes something, so many times. Chance, by the suite's seed, says what.
func (c *churn) steps(ctx context.Context, count int) {
	GinkgoHelper()
	for range count {
		switch c.rand.IntN(9) {
		case 0, 1, 2:
			c.addPods(ctx)
		case 3:
			c.removePods(ctx)
		case 4:
			c.terminatePod(ctx)
		case 5:
			c.flipPod(ctx)
		case 6:
			c.editService(ctx)
		case 7:
			c.editByHand(ctx)
		case 8:
			c.recreateService(ctx)
		}
	}
}

func (c *churn) addPods(ctx context.Context) {
	GinkgoHelper()
	if len(c.pods) > atMost {
		c.removePods(ctx)
	}
	label := c.oneOf("web", shortLived)
	port := webAt(8080 + c.rand.Int32N(2))
	count := 1 + c.rand.IntN(8)
	c.in.run(ctx, label, c.made, count, port)
	for range count {
		c.pods = append(c.pods, fmt.Sprintf("%s-%d", label, c.made))
		c.made++
	}
}

// removePods lets some pods go at once, among them all that were terminating.
func (c *churn) removePods(ctx context.Context) {
	GinkgoHelper()
	gone := c.old
	c.old = nil
	for range min(len(c.pods), c.rand.IntN(20)) {
		gone = append(gone, c.takePod())
	}
	for _, pod := range gone {
		c.in.remove(ctx, pod)
	}
}

func (c *churn) terminatePod(ctx context.Context) {
	GinkgoHelper()
	if len(c.pods) > 0 {
		pod := c.takePod()
		c.in.terminate(ctx, pod)
		c.old = append(c.old, pod)
	}
}

func (c *churn) flipPod(ctx context.Context) {
	GinkgoHelper()
	if len(c.pods) > 0 {
		c.in.setReady(ctx, c.pods[c.rand.IntN(len(c.pods))], c.rand.IntN(2) == 0)
	}
}

func (c *churn) editService(ctx context.Context) {
	GinkgoHelper()
	name := c.oneOf("web", shortLived, "web-published")
	c.in.patch(ctx, &corev1.Service{}, name, fmt.Sprintf(c.oneOf(
		`{"metadata":{"labels":{"round":"%d"}}}`,
		`{"spec":{"ports":[{"name":"http","port":80,"targetPort":%d}]}}`,
	), 8000+c.rand.IntN(3)))
}

// recreateService leaves it open whether the writers see that a Service was gone,
// and when.
func (c *churn) recreateService(ctx context.Context) {
	GinkgoHelper()
	c.in.delete(ctx, &corev1.Service{}, shortLived)
	c.in.expose(ctx, shortLived)
}

func (c *churn) editByHand(ctx context.Context) {
	GinkgoHelper()
	var addresses []string
	for range 1 + c.rand.IntN(6) {
		addresses = append(addresses, fmt.Sprintf(`{"ip":%q}`, newAddress(c.next()).IP))
	}
	c.in.patchEndpointsf(ctx, byHand, `{"subsets":[{%q:[%s],"ports":[{"name":"http","port":8080}]}]}`,
		c.oneOf("addresses", "notReadyAddresses"), strings.Join(addresses, ","))
}

// takePod forgets a pod by chance and returns it.
func (c *churn) takePod() string {
	i, last := c.rand.IntN(len(c.pods)), len(c.pods)-1
	pod := c.pods[i]
	c.pods[i] = c.pods[last]
	c.pods = c.pods[:last]
	return pod
}

// next is a number that was not there before.
func (c *churn) next() int {
	c.made++
	return c.made
}

func (c *churn) oneOf(choices ...string) string { return choices[c.rand.IntN(len(choices))] }
