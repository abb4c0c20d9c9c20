// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// mirroredBy is the label value of the slices that mirror Endpoints.
const mirroredBy = "endpointslicemirroring-controller.k8s.io"

// Two ways for a Service to stop having endpoints, as JSON to be merged into it.
const (
	loseSelector = `{"spec":{"selector":null}}`
	turnExternal = `{"spec":{"type":"ExternalName","externalName":"example.com","clusterIP":null,"clusterIPs":null}}`
)

var _ = Describe("A Service that stops having endpoints", func() {
	var (
		in     space
		before *corev1.Endpoints
	)

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
		before = in.endpointsNow(ctx, "web")
	})

	DescribeTable("leaves nothing behind, and nothing of it is mirrored meanwhile", func(ctx SpecContext, json string) {
		mirrors := in.watchMirrors(ctx)
		in.patch(ctx, &corev1.Service{}, "web", json)
		Eventually(in.slices("web")).WithContext(ctx).Should(BeEmpty())
		in.expectGone(ctx, "web")
		Consistently(mirrors).WithContext(ctx).ShouldNot(Receive())
		Expect(versions(in)(ctx)).To(BeEmpty())
	},
		Entry("by losing its selector", loseSelector),
		Entry("by turning into an ExternalName", turnExternal),
	)

	It("leaves a slice that somebody else has written to, and only that", func(ctx SpecContext) {
		in.runWithPort(ctx, "old", 8080)
		in.runWithPort(ctx, "new", 9090)
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"ports":[{"name":"http","port":80,"targetPort":"main"}]}}`)
		Eventually(in.slices("web")).WithContext(ctx).Should(HaveLen(3), "for each port, and for the pods without one")
		in.expectNoFaults(ctx, "web", 4)
		edited := in.currentSlices(ctx, "web")[0].Name
		Expect(api.Patch(ctx, in.namedSlice(edited), mergePatch(`{"metadata":{"annotations":{"note":"mine"}}}`),
			client.FieldOwner("kubectl-annotate"))).To(Succeed())

		in.patch(ctx, &corev1.Service{}, "web", loseSelector)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(HaveField("Name", edited)))
		in.expectGone(ctx, "web")
		kept := restingVersions(ctx, in)
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.awaitTurn(ctx)
		Expect(versions(in)(ctx)).To(Equal(kept))
	})

	It("leaves Endpoints that a user has written to, which are then mirrored", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Endpoints{}, "web", `{"metadata":{"annotations":{"note":"mine"}}}`)
		in.patch(ctx, &corev1.Service{}, "web", loseSelector)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("Labels", HaveKeyWithValue(discoveryv1.LabelManagedBy, mirroredBy)),
			HaveField("Annotations", HaveKeyWithValue("note", "mine")),
			HaveField("Endpoints", HaveLen(2)),
		)))
		Expect(in.endpointsNow(ctx, "web").UID).To(Equal(before.UID))

		By("leaving them to the user from then on")
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.patch(ctx, &corev1.Endpoints{}, "web", `{"subsets":[{"addresses":[{"ip":"192.0.2.1"}],"ports":[{"name":"http","port":81}]}]}`)
		Eventually(in.mirrors("web")).WithContext(ctx).Should(ConsistOf("IPv4 http:81: 192.0.2.1"))
		in.expectSubsets(ctx, "web", "http:81: 192.0.2.1")
	})

	It("has slices and Endpoints again when it gets its selector back", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", loseSelector)
		in.expectGone(ctx, "web")
		Eventually(in.slices("web")).WithContext(ctx).Should(BeEmpty())
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.patch(ctx, &corev1.Service{}, "web", selectWeb)
		in.expectNoFaults(ctx, "web", 1)
		in.expectSubsets(ctx, "web", "http:8080: web-1")
	})

	It("has them right when it gets its selector back at once", func(ctx SpecContext) {
		for range 5 {
			in.patch(ctx, &corev1.Service{}, "web", loseSelector)
			in.patch(ctx, &corev1.Service{}, "web", selectWeb)
		}
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.expectNoFaults(ctx, "web", 1)
		in.expectSubsets(ctx, "web", "http:8080: web-1")
	})

	DescribeTable("leaves all behind where that is asked for", Serial, func(ctx SpecContext, json string) {
		stopSharedManager(ctx)
		startExtraManager(ctx, "keeping-manager", "--keep-orphaned-endpoints")
		slice := in.onlySlice(ctx, "web")
		in.patch(ctx, &corev1.Service{}, "web", json)
		in.delete(ctx, &corev1.Pod{}, "web-0")

		By("mirroring the Endpoints, as it does with any of a Service without a selector")
		Eventually(in.mirrors("web")).WithContext(ctx).Should(ConsistOf("IPv4 http:8080: web-0 web-1"))
		Expect(in.currentSlices(ctx, "web")).To(ContainElement(*slice))
		Expect(in.endpointsNow(ctx, "web")).To(Equal(before))

		By("going on with them when the selector is back")
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"type":"ClusterIP","externalName":null,"selector":{"`+app+`":"web"}}}`)
		in.expectSubsets(ctx, "web", "http:8080: web-1")
		in.expectNoFaults(ctx, "web", 1)
		Expect(in.onlySlice(ctx, "web").UID).To(Equal(slice.UID))
		Expect(in.endpointsNow(ctx, "web").UID).To(Equal(before.UID))
	},
		Entry("by losing its selector", loseSelector),
		Entry("by turning into an ExternalName without one",
			`{"spec":{"type":"ExternalName","externalName":"example.com","clusterIP":null,"clusterIPs":null,"selector":null}}`),
	)
})

// selectWeb gives a Service its selector back.
const selectWeb = `{"spec":{"selector":{"` + app + `":"web"}}}`

func (in space) namedSlice(name string) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{}
	slice.Namespace, slice.Name = string(in), name
	return slice
}

// watchMirrors returns a channel that tells of every mirrored slice that appears
// in the namespace, however short it lives.
func (in space) watchMirrors(ctx context.Context) <-chan watch.Event {
	GinkgoHelper()
	watching, err := client.NewWithWatch(plane.RESTConfig(), client.Options{Scheme: clientgoscheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	watcher, err := watching.Watch(ctx, &discoveryv1.EndpointSliceList{}, client.InNamespace(in),
		client.MatchingLabels{discoveryv1.LabelManagedBy: mirroredBy})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watcher.Stop)
	return watcher.ResultChan()
}
