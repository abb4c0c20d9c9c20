// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"context"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/controllers"
)

// notes returns what the warnings about a Service say.
func notes(name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var events eventsv1.EventList
		err := suite.client.List(ctx, &events, client.InNamespace("default"))
		var found []string
		for i := range events.Items {
			if events.Items[i].Regarding.Name == name && events.Items[i].Type == corev1.EventTypeWarning {
				found = append(found, events.Items[i].Note)
			}
		}
		return found, err
	}
}

var _ = Describe("A call of the provider that hangs", func() {
	// hang has calls for the Service web hang, until release is called or, if they heed it,
	// their context ends.
	hang := func(provider *provider, heeds bool) (release func()) {
		over := make(chan struct{})
		provider.hang(func(ctx context.Context, _, service string) error {
			if service != "web" {
				return nil
			}
			if !heeds {
				ctx = context.WithoutCancel(ctx)
			}
			select {
			case <-over:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		release = sync.OnceFunc(func() { close(over) })
		DeferCleanup(release)
		return release
	}

	DescribeTable("holds up no other, is told, and its Service gets its address when the provider answers again",
		func(ctx SpecContext, heeds bool) {
			provider := newProvider()
			release := hang(provider, heeds)
			start(&controllers.Cloud{Provider: provider, ConcurrentSyncs: 1, CallTimeout: time.Second})
			create(ctx, "web")
			Eventually(provider.called("web")).WithContext(ctx).Should(Equal([]string{"ensure"}))
			create(ctx, "other")
			Eventually(shown("other")).WithContext(ctx).Should(Equal([]string{"192.0.2.1"}))
			Eventually(notes("web")).WithContext(ctx).Should(ContainElement(ContainSubstring("the provider has not answered in time")))
			if heeds {
				Eventually(provider.called("web")).WithContext(ctx).Should(Equal([]string{"ensure", "ensure"}))
			} else {
				// It is tried again after 5 s.
				Consistently(provider.called("web")).WithContext(ctx).WithTimeout(8 * time.Second).Should(Equal([]string{"ensure"}))
			}
			Expect(shown("web")(ctx)).To(BeEmpty())

			By("a change of nodes reaches the others meanwhile")
			makeNode(ctx, "a")
			Eventually(provider.called("other")).WithContext(ctx).Should(ContainElement("update"))

			By("the provider answers again")
			release()
			Eventually(shown("web")).WithContext(ctx).Should(Equal([]string{"192.0.2.1"}))
			Expect(provider.leadsTo()).To(Equal([]string{"a"}))
		},
		Entry("if it heeds its context", true),
		Entry("if it does not return at all", false),
	)

	It("holds up no other while it may take its time", func(ctx SpecContext) {
		provider := newProvider()
		release := hang(provider, true)
		start(&controllers.Cloud{Provider: provider, ConcurrentSyncs: 2})
		create(ctx, "web")
		Eventually(provider.called("web")).WithContext(ctx).Should(Equal([]string{"ensure"}))
		for _, name := range []string{"first", "second", "third"} {
			create(ctx, name)
			Eventually(shown(name)).WithContext(ctx).Should(HaveLen(1))
		}
		Expect(provider.called("web")()).To(Equal([]string{"ensure"}))
		Expect(notes("web")(ctx)).NotTo(ContainElement(ContainSubstring("not answered")))
		release()
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))
	})

	It("does not keep a Service from being deleted once it has returned", func(ctx SpecContext) {
		provider := newProvider()
		start(&controllers.Cloud{Provider: provider, ConcurrentSyncs: 1, CallTimeout: time.Second})
		create(ctx, "web")
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))
		release := hang(provider, false)
		remove(ctx, "web")
		Eventually(notes("web")).WithContext(ctx).Should(ContainElement(ContainSubstring("the provider has not answered in time")))
		Expect(finalizers("web")(ctx)).NotTo(BeEmpty())
		release()
		Eventually(get).WithContext(ctx).WithArguments("web").Should(BeNil())
		all, _ := provider.count("")()
		Expect(all).To(BeZero())
	})
})
