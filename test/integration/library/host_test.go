// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package library

import (
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"servicenet.dev/servicenet/controllers"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/endpointslice"
)

// absence is how long specs watch that nothing happens.
const absence = 2 * time.Second

var _ = Describe("In a host's manager", func() {
	var namespace string

	BeforeEach(func(ctx SpecContext) {
		namespace = createNamespace(ctx)
		createNode(ctx, "node-a", "zone-a")
		createPods(ctx, namespace, 1, 3)
	})

	It("works with zero options, and the host's cache holds whole objects", func(ctx SpecContext) {
		mgr := newManager(suite.server.RESTConfig(), controllers.Options{})
		start(mgr)
		createService(ctx, namespace)
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(endpoints(1, 3, 8080)))

		var pod corev1.Pod
		Expect(mgr.GetClient().Get(ctx, client.ObjectKey{Namespace: namespace, Name: "web-1"}, &pod)).To(Succeed())
		Expect(pod.Annotations).To(HaveKeyWithValue("example.com/kept", "yes"))
		Expect(pod.ManagedFields).NotTo(BeEmpty())
		Expect(pod.Spec.Containers).To(HaveLen(1))
		Expect(mgr.GetConfig().ContentType).To(BeEmpty(), "the host's client settings")
	})

	It("goes on when a second manager of the process, with another limit, takes over", func(ctx SpecContext) {
		createService(ctx, namespace)
		stop := start(newManager(suite.server.RESTConfig(), controllers.Options{}))
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(endpoints(1, 3, 8080)))
		stop()
		start(newManager(suite.server.RESTConfig(), controllers.Options{MaxEndpointsPerSlice: 2}))
		createPods(ctx, namespace, 4, 5)
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(endpoints(1, 5, 8080)))
		Expect(slicesOf(ctx, namespace)).To(HaveLen(3))
	})

	It("adds nothing when the endpoint controllers are off or not selected", func(ctx SpecContext) {
		for _, options := range []controllers.Options{
			{EndpointsMode: controllers.EndpointsOff},
			{Controllers: []string{"-endpointslice"}},
		} {
			start(newManager(suite.server.RESTConfig(), options))
		}
		createService(ctx, namespace)
		Consistently(listed(namespace)).WithContext(ctx).WithTimeout(absence).Should(BeEmpty())
	})

	It("refuses invalid options before it touches the manager", func() {
		mgr, err := ctrl.NewManager(suite.server.RESTConfig(), ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(controllers.Add(mgr, controllers.Options{MaxEndpointsPerSlice: 5000})).
			To(MatchError(ContainSubstring("MaxEndpointsPerSlice is 5000: allowed are 1 to 1000")))
	})

	It("is ready when its caches are synced, and not before", func(ctx SpecContext) {
		port, err := controlplane.FreePort(ctx)
		Expect(err).NotTo(HaveOccurred())
		address := fmt.Sprintf("127.0.0.1:%d", port)
		gate := &gated{open: make(chan struct{})}
		mgr, err := ctrl.NewManager(gate.over(suite.server.RESTConfig()), ctrl.Options{
			Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: address,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(controllers.Add(mgr, controllers.Options{})).To(Succeed())
		start(mgr)
		status := func(g Gomega) int {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
			g.Expect(err).NotTo(HaveOccurred())
			response, err := http.DefaultClient.Do(request)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(response.Body.Close()).To(Succeed())
			return response.StatusCode
		}
		Eventually(status).WithContext(ctx).Should(Equal(http.StatusInternalServerError))
		close(gate.open)
		Eventually(status).WithContext(ctx).Should(Equal(http.StatusOK))
	})

	It("takes another name when a slice of somebody else's has the one it wants", func(ctx SpecContext) {
		service := createService(ctx, namespace)
		wanted := endpointslice.Plan(endpointslice.Input{Service: service, MaxEndpoints: 100}).Create[0].Name
		theirs := &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: wanted},
			AddressType: discoveryv1.AddressTypeIPv4,
		}
		Expect(suite.client.Create(ctx, theirs)).To(Succeed())
		start(newManager(suite.server.RESTConfig(), controllers.Options{}))
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(endpoints(1, 3, 8080)))
		Expect(slicesOf(ctx, namespace)).To(HaveLen(1))
		before := theirs.ResourceVersion
		Expect(suite.client.Get(ctx, client.ObjectKeyFromObject(theirs), theirs)).To(Succeed())
		Expect(theirs.ResourceVersion).To(Equal(before))
	})

	It("does not create a slice twice when the answer to the create is lost", func(ctx SpecContext) {
		createService(ctx, namespace)
		connection := &faulty{dieAt: 1, answerIsLost: true, recovers: true}
		start(newManager(connection.over(suite.server.RESTConfig()), controllers.Options{}))
		Eventually(connection.died).WithContext(ctx).Should(BeClosed())
		createPods(ctx, namespace, 4, 6)
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(endpoints(1, 6, 8080)))
		Expect(connection.slicesCreated()).To(Equal(1))
	})

	It("retries what the server refuses and says so in an event", func(ctx SpecContext) {
		service := createService(ctx, namespace)
		refusing := &refusing{times: 2}
		start(newManager(refusing.over(suite.server.RESTConfig()), controllers.Options{}))
		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf(endpoints(1, 3, 8080)))
		Eventually(func(g Gomega) {
			var list eventsv1.EventList
			g.Expect(suite.client.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
			g.Expect(list.Items).To(ContainElement(And(
				HaveField("Reason", "FailedToUpdateEndpointSlices"),
				HaveField("Type", corev1.EventTypeWarning),
				HaveField("Regarding.UID", service.UID),
				HaveField("Note", ContainSubstring("refused by the test")),
			)))
		}).WithContext(ctx).Should(Succeed())
	})
})
