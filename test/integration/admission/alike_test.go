// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/test/alike"
	"servicenet.dev/servicenet/test/integration/hooked"
)

// comparison is the cases of what is alike, on one server.
type comparison struct {
	server *hooked.Server
	net    *alike.Net
	// stock is what the steps of each case come to without webhooks.
	stock map[string][]string
}

func (c *comparison) cases() []alike.Case {
	var fit []alike.Case
	for _, of := range alike.Table() {
		if of.For == nil || of.For(c.net) {
			fit = append(fit, of)
		}
	}
	return fit
}

// before does all cases without webhooks.
func (c *comparison) before(ctx context.Context) {
	GinkgoHelper()
	for _, of := range c.cases() {
		c.stock[of.Name] = c.settled(ctx, &of)
	}
}

// settled does a case until it came to the same twice, if the API server refused
// anything: its repair now and then brings the IPAddress back of an address that a Service
// has just given up, when it has not seen yet that it did, and what wants the address next
// is refused.
func (c *comparison) settled(ctx context.Context, of *alike.Case) []string {
	GinkgoHelper()
	refused := func(outcome string) bool { return strings.Contains(outcome, ": 422 ") }
	outcomes := c.play(ctx, of)
	for slices.ContainsFunc(outcomes, refused) {
		before := outcomes
		if outcomes = c.play(ctx, of); slices.Equal(outcomes, before) {
			break
		}
	}
	return outcomes
}

// specs are those of the cases, with webhooks.
func (c *comparison) specs() {
	for _, of := range c.cases() {
		It("as without webhooks: "+of.Name, func(ctx SpecContext) {
			stock, ours := c.stock[of.Name], c.play(ctx, &of)
			if of.Differs == nil {
				Expect(ours).To(Equal(stock))
				return
			}
			at := of.Differs.Step
			Expect(ours[:at]).To(Equal(stock[:at]))
			Expect(stock[at]).To(ContainSubstring(": " + of.Differs.Stock))
			Expect(ours[at]).To(ContainSubstring(": " + of.Differs.Ours))
			Expect(ours[at]).NotTo(Equal(stock[at]), "the difference is none")
		})
	}
}

// play does the steps of a case, and removes what came of them.
func (c *comparison) play(ctx context.Context, of *alike.Case) []string {
	GinkgoHelper()
	defer c.clear(ctx)
	steps := of.Steps(c.net)
	p := &player{api: c.server.API, narrator: alike.NewNarrator(steps)}
	var outcomes []string
	for i := range steps {
		outcomes = append(outcomes, fmt.Sprintf("%s: %s", steps[i].Verb, p.do(ctx, &steps[i])))
	}
	return outcomes
}

// clear removes the Services of a case, and lets go of what a finalizer holds.
func (c *comparison) clear(ctx context.Context) {
	GinkgoHelper()
	var services corev1.ServiceList
	Expect(c.server.Around.List(ctx, &services, client.InNamespace("free"))).To(Succeed())
	for i := range services.Items {
		service := &services.Items[i]
		if len(service.Finalizers) > 0 {
			patch := client.RawPatch(apitypes.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
			Expect(client.IgnoreNotFound(c.server.Around.Patch(ctx, service, patch))).To(Succeed())
		}
		Expect(client.IgnoreNotFound(c.server.Around.Delete(ctx, service))).To(Succeed())
	}
}

// player does steps.
type player struct {
	api      client.Client
	narrator *alike.Narrator
	// version is that of the Service as it was stored last.
	version string
}

// do does a step, and tells what it came to.
func (p *player) do(ctx context.Context, step *alike.Step) string {
	GinkgoHelper()
	service := step.Service.DeepCopy()
	err := p.send(ctx, step, service)
	if err == nil && !step.DryRun && step.Verb != alike.Delete {
		p.version = service.ResourceVersion
	}
	return p.narrator.Tell(service, err)
}

func (p *player) send(ctx context.Context, step *alike.Step, service *corev1.Service) error {
	GinkgoHelper()
	patch := client.RawPatch(apitypes.PatchType(step.Type), []byte(step.Patch))
	switch step.Verb {
	case alike.Create:
		return p.api.Create(ctx, service, &client.CreateOptions{DryRun: dryRun(step)})
	case alike.Put, alike.Blind, alike.Stale:
		service.ResourceVersion = map[alike.Verb]string{alike.Put: p.version, alike.Stale: "1"}[step.Verb]
		return p.api.Update(ctx, service, &client.UpdateOptions{DryRun: dryRun(step)})
	case alike.Patch:
		return p.api.Patch(ctx, service, patch)
	case alike.Status:
		return p.api.Status().Patch(ctx, service, patch)
	case alike.Apply:
		content, err := json.Marshal(service)
		Expect(err).NotTo(HaveOccurred())
		return p.api.Patch(ctx, service, client.RawPatch(apitypes.ApplyPatchType, content), client.FieldOwner("somebody"))
	case alike.Delete:
		return p.api.Delete(ctx, service)
	default:
		Fail("nobody does " + string(step.Verb))
		return nil
	}
}

func dryRun(step *alike.Step) []string {
	if step.DryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}
