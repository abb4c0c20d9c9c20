// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package operating

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// ofNumbers are the controllers of numbers.
const ofNumbers = "--controllers=clusterip,nodeport,loadbalancer"

// each is how many Services of each type there are.
const each = 20

var _ = Describe("A ledger that is lost", func() {
	It("is rebuilt from the Services, with and without a manager at work, and nothing moves", func(ctx SpecContext) {
		on := newCluster(ctx)
		manager := start(ctx, on, "manager", ofNumbers)
		fill(ctx, on)
		before, err := ofServices(ctx, on)
		Expect(err).NotTo(HaveOccurred())

		By("deleting it while the manager runs")
		lose(ctx, on)
		Eventually(ofLedger).WithArguments(on).WithContext(ctx).Should(Equal(before))
		Expect(ofServices(ctx, on)).To(Equal(before))
		expectAnother(ctx, on, before, "later")

		By("deleting it while none runs")
		before, err = ofServices(ctx, on)
		Expect(err).NotTo(HaveOccurred())
		Expect(manager.Stop(ctx)).To(Succeed())
		lose(ctx, on)
		start(ctx, on, "manager-again", ofNumbers)
		Eventually(ofLedger).WithArguments(on).WithContext(ctx).Should(Equal(before))
		Expect(ofServices(ctx, on)).To(Equal(before))
		expectAnother(ctx, on, before, "much-later")
	}, NodeTimeout(numbers.StartTimeout))

	It("is built from Services that were restored into another cluster, status and all", func(ctx SpecContext) {
		first := newCluster(ctx)
		start(ctx, first, "manager", ofNumbers)
		fill(ctx, first)
		before, err := ofServices(ctx, first)
		Expect(err).NotTo(HaveOccurred())
		var backup corev1.ServiceList
		Expect(first.API.List(ctx, &backup)).To(Succeed())

		second := newCluster(ctx)
		for _, pool := range pools(balanced) {
			Expect(second.API.Create(ctx, pool)).To(Succeed())
		}
		restore(ctx, second, backup.Items)
		Expect(ofServices(ctx, second)).To(Equal(before))
		start(ctx, second, "manager-of-second", ofNumbers)
		Eventually(ofLedger).WithArguments(second).WithContext(ctx).Should(Equal(before))
		Expect(ofServices(ctx, second)).To(Equal(before))
		expectAnother(ctx, second, before, "later")
	}, NodeTimeout(2*numbers.StartTimeout))
})

// balanced is the load-balancer addresses that there are.
const balanced = "192.0.2.0/25"

// fill makes pools and Services of all types, and waits until each has its numbers, and
// the ledger has them all.
func fill(ctx context.Context, on *numbers.Server) {
	GinkgoHelper()
	for _, pool := range pools(balanced) {
		Expect(on.API.Create(ctx, pool)).To(Succeed())
	}
	for i := range each {
		for _, of := range []corev1.ServiceType{corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer} {
			Expect(on.API.Create(ctx, newService(fmt.Sprintf("service-%c-%d", of[0]|0x20, i), of))).To(Succeed())
		}
	}
	Eventually(func(g Gomega, ctx context.Context) {
		has, err := ofServices(ctx, on)
		g.Expect(err).NotTo(HaveOccurred())
		// Two ClusterIPs each, ports of two types, an address of one; and kubernetes.
		g.Expect(has).To(HaveLen(2*3*each + 2*each + each + 1))
		g.Expect(ofLedger(ctx, on)).To(Equal(has))
	}).WithContext(ctx).Should(Succeed())
}

// lose deletes all blocks.
func lose(ctx context.Context, on *numbers.Server) {
	GinkgoHelper()
	var blocks servicenetv1alpha1.AllocationBlockList
	Expect(on.API.List(ctx, &blocks)).To(Succeed())
	Expect(len(blocks.Items)).To(BeNumerically(">=", 4), "one a family, IPv6 load balancers have none")
	Expect(on.API.DeleteAllOf(ctx, &servicenetv1alpha1.AllocationBlock{})).To(Succeed())
}

// expectAnother makes a Service, and wants it to get numbers that nobody had.
func expectAnother(ctx context.Context, on *numbers.Server, before []string, name string) {
	GinkgoHelper()
	Expect(on.API.Create(ctx, newService(name, corev1.ServiceTypeLoadBalancer))).To(Succeed())
	key := client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: name}
	Eventually(func(g Gomega, ctx context.Context) {
		var service corev1.Service
		g.Expect(on.API.Get(ctx, key, &service)).To(Succeed())
		places := store.Addresses(&service)
		g.Expect(places).To(HaveLen(1))
		for _, place := range append(places, store.Numbers(&service)...) {
			g.Expect(before).NotTo(ContainElement(HavePrefix(textOf(place) + " ")))
		}
		g.Expect(ofLedger(ctx, on)).To(ContainElement(textOf(places[0]) + " " + key.String()))
	}).WithContext(ctx).WithTimeout(2 * numbers.Patience).Should(Succeed())
}

// restore makes Services as they were, and then their status, as docs/operations.md does.
func restore(ctx context.Context, on *numbers.Server, were []corev1.Service) {
	GinkgoHelper()
	list := &corev1.ServiceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceList"}}
	for i := range were {
		service := &were[i]
		if service.Name == "kubernetes" {
			continue
		}
		service.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}
		service.UID, service.ResourceVersion, service.CreationTimestamp, service.ManagedFields = "", "", metav1.Time{}, nil
		list.Items = append(list.Items, *service)
	}
	content, err := json.Marshal(list)
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(GinkgoT().TempDir(), "services.json")
	Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	_, err = on.Kubectl(ctx, "create", "-f", path)
	Expect(err).NotTo(HaveOccurred())
	_, err = on.Kubectl(ctx, "replace", "--subresource=status", "-f", path)
	Expect(err).NotTo(HaveOccurred())
}

func textOf(place ledger.Place) string { return string(place.Family) + " " + place.String() }

// ofServices returns the numbers that Services show, in order, each with who has it if it
// is a load-balancer address.
func ofServices(ctx context.Context, on *numbers.Server) ([]string, error) {
	var services corev1.ServiceList
	if err := on.API.List(ctx, &services); err != nil {
		return nil, err
	}
	found := []string{}
	for i := range services.Items {
		service := &services.Items[i]
		for _, place := range store.Numbers(service) {
			found = append(found, textOf(place)+" ")
		}
		for _, place := range store.Addresses(service) {
			found = append(found, textOf(place)+" "+client.ObjectKeyFromObject(service).String())
		}
	}
	slices.Sort(found)
	return found, nil
}

// ofLedger returns the numbers that the ledger has as used, in the same way.
func ofLedger(ctx context.Context, on *numbers.Server) ([]string, error) {
	var blocks servicenetv1alpha1.AllocationBlockList
	if err := on.API.List(ctx, &blocks); err != nil {
		return nil, err
	}
	found := []string{}
	for i := range blocks.Items {
		key, err := ledger.ParseKey(blocks.Items[i].Family, blocks.Items[i].First)
		if err != nil {
			return nil, err
		}
		block, err := ledger.Decode(blocks.Items[i].Data)
		if err != nil {
			return nil, err
		}
		for number := range block.Taken().Numbers() {
			place := ledger.Place{Key: key, Number: number}
			if !ledger.HasTenants(key.Family) && block.State(number) == ledger.Used {
				found = append(found, textOf(place)+" ")
			}
		}
		for number, tenant := range block.AllTenants() {
			found = append(found, textOf(ledger.Place{Key: key, Number: number})+" "+tenant.Service.String())
		}
	}
	slices.Sort(found)
	return found, nil
}
