// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/pool"
)

const crdFolder = "../../config/crd/bases"

var _ = Describe("The kinds of pools", Ordered, ContinueOnFailure, func() {
	var pools client.Client

	BeforeAll(func(ctx SpecContext) {
		pools = installPools(ctx)
	})

	AfterEach(func(ctx SpecContext) {
		Expect(pools.DeleteAllOf(ctx, &servicenetv1alpha1.ClusterIPPool{})).To(Succeed())
		Expect(pools.DeleteAllOf(ctx, &servicenetv1alpha1.NodePortPool{})).To(Succeed())
		Expect(pools.DeleteAllOf(ctx, &servicenetv1alpha1.LoadBalancerPool{})).To(Succeed())
	})

	It("have short names and a category, and no namespace", func() {
		found := map[string]metav1.APIResource{}
		for _, resource := range discoverPools() {
			found[resource.Name] = resource
		}
		for name, short := range map[string]string{"clusterippools": "cippool", "nodeportpools": "nppool", "loadbalancerpools": "lbpool"} {
			Expect(found[name].ShortNames).To(ConsistOf(short))
			Expect(found[name].Categories).To(ConsistOf("servicenet"))
			Expect(found[name].Namespaced).To(BeFalse())
			Expect(found).To(HaveKey(name + "/status"))
		}
	})

	It("take the samples, in which the manager finds no fault", func(ctx SpecContext) {
		files, err := filepath.Glob(filepath.Join(samplesFolder, "pools", "*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			if filepath.Base(file) == "kustomization.yaml" {
				continue
			}
			for _, object := range decodeFile(file) {
				Expect(pools.Create(ctx, object)).To(Succeed(), file)
			}
		}
		var addresses servicenetv1alpha1.ClusterIPPoolList
		Expect(pools.List(ctx, &addresses)).To(Succeed())
		Expect(addresses.Items).To(HaveLen(3))
		for i := range addresses.Items {
			Expect(pool.CompileClusterIPPool(&addresses.Items[i]).Faults).To(BeEmpty())
		}
		var balancers servicenetv1alpha1.LoadBalancerPoolList
		Expect(pools.List(ctx, &balancers)).To(Succeed())
		Expect(balancers.Items).To(HaveLen(3))
		for i := range balancers.Items {
			Expect(pool.CompileLoadBalancerPool(&balancers.Items[i]).Faults).To(BeEmpty())
		}
		var ports servicenetv1alpha1.NodePortPoolList
		Expect(pools.List(ctx, &ports)).To(Succeed())
		Expect(ports.Items).To(HaveLen(1))
		Expect(pool.CompileNodePortPool(&ports.Items[0]).Faults).To(BeEmpty())
		Expect(ports.Items[0].Spec.Reservations[0].Ports[0].NodePort).To(BeEquivalentTo(31080))
	})

	It("have defaults", func(ctx SpecContext) {
		created := &servicenetv1alpha1.ClusterIPPool{
			ObjectMeta: metav1.ObjectMeta{Name: "plain"},
			Spec:       servicenetv1alpha1.ClusterIPPoolSpec{CIDRs: []string{"10.96.5.0/24"}},
		}
		Expect(pools.Create(ctx, created)).To(Succeed())
		Expect(created.Spec).To(Equal(servicenetv1alpha1.ClusterIPPoolSpec{
			CIDRs: []string{"10.96.5.0/24"}, ServiceCIDR: servicenetv1alpha1.ServiceCIDRUnmanaged,
		}))
		balancers := &servicenetv1alpha1.LoadBalancerPool{
			ObjectMeta: metav1.ObjectMeta{Name: "plain"},
			Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}},
		}
		Expect(pools.Create(ctx, balancers)).To(Succeed())
		Expect(balancers.Spec).To(Equal(servicenetv1alpha1.LoadBalancerPoolSpec{
			NodeSelector: &metav1.LabelSelector{}, AutoAssign: new(true),
			OnShrink: servicenetv1alpha1.ShrinkKeep, IPMode: servicenetv1alpha1.IPModeVIP,
		}))
	})

	It("keep the spec and the status apart, and a retain time as it was written", func(ctx SpecContext) {
		created := &servicenetv1alpha1.ClusterIPPool{
			ObjectMeta: metav1.ObjectMeta{Name: "kept"},
			Spec: servicenetv1alpha1.ClusterIPPoolSpec{
				CIDRs:      []string{"10.96.5.0/24"},
				PoolPolicy: servicenetv1alpha1.PoolPolicy{Retain: &metav1.Duration{Duration: 90 * time.Minute}},
			},
		}
		Expect(pools.Create(ctx, created)).To(Succeed())
		Expect(created.Spec.Retain.Duration).To(Equal(90 * time.Minute))
		created.Status.Total = "254"
		Expect(pools.Update(ctx, created)).To(Succeed())
		Expect(created.Status.Total).To(BeEmpty())
		Expect(created.Generation).To(BeEquivalentTo(1))
	})

	It("are listed with what people ask for first", func(ctx SpecContext) {
		ready := metav1.Condition{
			Type: servicenetv1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: servicenetv1alpha1.ReasonExhausted,
			LastTransitionTime: metav1.Now(),
		}
		addresses := &servicenetv1alpha1.ClusterIPPool{
			ObjectMeta: metav1.ObjectMeta{Name: "tenants"},
			Spec: servicenetv1alpha1.ClusterIPPoolSpec{
				CIDRs: []string{"10.96.5.0/24", "fd00:10:96::/64"}, PoolPolicy: servicenetv1alpha1.PoolPolicy{Priority: 7},
			},
		}
		Expect(pools.Create(ctx, addresses)).To(Succeed())
		addresses.Status = servicenetv1alpha1.ClusterIPPoolStatus{
			Total: "254/18446744073709551615", Used: "254/1", Free: "0/18446744073709551614",
			Families: []servicenetv1alpha1.AddressUsage{
				{Family: "IPv4", Capacity: "254", Used: "254", Free: "0", Held: "0", UsedByOthers: "3"},
				{Family: "IPv6", Capacity: "18446744073709551615", Used: "1", Free: "18446744073709551614", Held: "0"},
			},
			Conditions: []metav1.Condition{ready},
		}
		Expect(pools.Status().Update(ctx, addresses)).To(Succeed())
		Expect(tableOf(ctx, "clusterippools")).To(Equal(map[string]any{
			"Name": "tenants", "Total": "254/18446744073709551615", "Used": "254/1", "Free": "0/18446744073709551614",
			"Ready": "False", "Reason": "Exhausted", "Priority": 7.0,
		}))

		ports := &servicenetv1alpha1.NodePortPool{
			ObjectMeta: metav1.ObjectMeta{Name: "edge"},
			Spec:       servicenetv1alpha1.NodePortPoolSpec{Ranges: []servicenetv1alpha1.PortRange{{First: 31000, Last: 31099}}},
		}
		Expect(pools.Create(ctx, ports)).To(Succeed())
		ports.Status = servicenetv1alpha1.NodePortPoolStatus{
			Capacity: new(int32(100)), Used: new(int32(100)), Free: new(int32(0)), Held: new(int32(0)), Conditions: []metav1.Condition{ready},
		}
		Expect(pools.Status().Update(ctx, ports)).To(Succeed())
		Expect(tableOf(ctx, "nodeportpools")).To(Equal(map[string]any{
			"Name": "edge", "Total": 100.0, "Used": 100.0, "Free": 0.0,
			"Ready": "False", "Reason": "Exhausted", "Priority": 0.0,
		}))

		balancers := &servicenetv1alpha1.LoadBalancerPool{
			ObjectMeta: metav1.ObjectMeta{Name: "public"},
			Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.0/31"}},
		}
		Expect(pools.Create(ctx, balancers)).To(Succeed())
		balancers.Status = servicenetv1alpha1.LoadBalancerPoolStatus{
			Total: "2", Used: "2", Free: "0", Waiting: new(int32(3)), Conditions: []metav1.Condition{ready},
		}
		Expect(pools.Status().Update(ctx, balancers)).To(Succeed())
		Expect(tableOf(ctx, "loadbalancerpools")).To(Equal(map[string]any{
			"Name": "public", "Total": "2", "Used": "2", "Free": "0", "Waiting": 3.0,
			"Ready": "False", "Reason": "Exhausted", "Priority": 0.0,
		}))
	})

	DescribeTable("are explained by kubectl",
		func(ctx SpecContext, field, want string) {
			kubectl, err := controlplane.FindBinaries().Find("kubectl")
			Expect(err).NotTo(HaveOccurred())
			kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
			Expect(controlplane.WriteKubeconfig(kubeconfig, plane.RESTConfig())).To(Succeed())
			out, err := exec.CommandContext(ctx, kubectl, "--kubeconfig="+kubeconfig, "explain", field).CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(out))
			Expect(strings.Join(strings.Fields(string(out)), " ")).To(ContainSubstring(want))
		},
		Entry(nil, "cippool", "the Services that exist keep the addresses that they have"),
		Entry(nil, "cippool.spec", "exclusive keeps Services that the pool does not serve away from its numbers"),
		Entry(nil, "cippool.spec.serviceCIDR", "ENUM: Unmanaged Managed"),
		Entry(nil, "cippool.spec.reservations.addresses", "one of each family at most"),
		Entry(nil, "cippool.status.families.usedByOthers", "They had them before the pool was made or edited, and keep them"),
		Entry(nil, "lbpool", "traffic for them finds its way is the matter of whoever announces them"),
		Entry(nil, "lbpool.spec.addresses", "ranges such as 192.0.2.10-192.0.2.20"),
		Entry(nil, "lbpool.spec.onShrink", "ENUM: Keep Rehome"),
		Entry(nil, "lbpool.spec.ipMode", "ENUM: VIP Proxy"),
		Entry(nil, "lbpool.status.waiting", "how many Services wait for an address of the pool"),
		Entry(nil, "nppool.spec.ranges", "last is the highest port"),
		Entry(nil, "nppool.spec.retain", "how long the number of a deleted Service is kept"),
		Entry(nil, "nppool.status.usedOutside", "in no pool that serves them"),
	)

	DescribeTable("refuse what a schema can refuse",
		func(ctx SpecContext, kind, spec string, want ...string) {
			object := &unstructured.Unstructured{}
			text := fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: refused}, spec: %s}", servicenetv1alpha1.GroupVersion, kind, spec)
			Expect(yaml.Unmarshal([]byte(text), &object.Object)).To(Succeed())
			err := pools.Create(ctx, object)
			if len(want) == 0 {
				Expect(err).NotTo(HaveOccurred())
				return
			}
			Expect(err).To(MatchError(apierrors.IsInvalid, "invalid"))
			var refused apierrors.APIStatus
			Expect(errors.As(err, &refused)).To(BeTrue())
			var causes []string
			for _, cause := range refused.Status().Details.Causes {
				// Rules that could not be looked at since others failed say nothing more.
				if cause.Field != "" && cause.Field != "<nil>" {
					causes = append(causes, fmt.Sprintf("%s %s", strings.TrimPrefix(string(cause.Type), "FieldValue"), cause.Field))
				}
			}
			Expect(causes).To(ConsistOf(want), err.Error())
		},
		poolRefusals(),
		balancerRefusals(),
	)
})

// installPools installs the kinds and returns a client that knows them.
func installPools(ctx context.Context) client.Client {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join(crdFolder, "*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(len(files)).To(BeNumerically(">=", 2))
	for _, file := range files {
		Expect(plane.Apply(ctx, file)).To(Succeed())
	}
	Eventually(discoverPools).WithContext(ctx).ShouldNot(BeEmpty())

	scheme := runtime.NewScheme()
	Expect(servicenetv1alpha1.AddToScheme(scheme)).To(Succeed())
	pools, err := client.New(plane.RESTConfig(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Eventually(func(ctx context.Context) error {
		if err := pools.List(ctx, &servicenetv1alpha1.NodePortPoolList{}); err != nil {
			return err
		}
		if err := pools.List(ctx, &servicenetv1alpha1.LoadBalancerPoolList{}); err != nil {
			return err
		}
		return pools.List(ctx, &servicenetv1alpha1.ClusterIPPoolList{})
	}).WithContext(ctx).Should(Succeed())
	return client.WithFieldValidation(pools, metav1.FieldValidationStrict)
}

// discoverPools returns what the API server has of our kinds.
func discoverPools() []metav1.APIResource {
	discoverer, err := discovery.NewDiscoveryClientForConfig(plane.RESTConfig())
	if err != nil {
		return nil
	}
	list, err := discoverer.ServerResourcesForGroupVersion(servicenetv1alpha1.GroupVersion.String())
	if err != nil {
		return nil
	}
	return list.APIResources
}

// tableOf returns the only row of a resource as kubectl gets it, by its columns. Of
// the age there is only some.
func tableOf(ctx context.Context, resource string) map[string]any {
	GinkgoHelper()
	discoverer, err := discovery.NewDiscoveryClientForConfig(plane.RESTConfig())
	Expect(err).NotTo(HaveOccurred())
	content, err := discoverer.RESTClient().Get().AbsPath("/apis", servicenetv1alpha1.GroupVersion.String(), resource).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	var table metav1.Table
	Expect(yaml.Unmarshal(content, &table)).To(Succeed())
	Expect(table.Rows).To(HaveLen(1))
	row := map[string]any{}
	for i, column := range table.ColumnDefinitions {
		row[column.Name] = table.Rows[0].Cells[i]
	}
	Expect(row).To(HaveKeyWithValue("Age", Not(BeEmpty())))
	delete(row, "Age")
	return row
}

// poolRefusals are specs, and what is wrong with them: type and field of each cause.
func poolRefusals() []TableEntry {
	const addresses, ports = "ClusterIPPool", "NodePortPool"
	return []TableEntry{
		Entry("nothing, of addresses", addresses, `{}`, "Required spec.cidrs"),
		Entry("nothing, of ports", ports, `{}`, "Required spec.ranges"),
		Entry("no CIDR", addresses, `{cidrs: []}`, "Invalid spec.cidrs"),
		Entry("the same CIDR twice", addresses, `{cidrs: [10.96.5.0/24, 10.96.5.0/24]}`, "Duplicate spec.cidrs[1]"),
		Entry("what is no CIDR", addresses, `{cidrs: [10.96.5.0/24, web, 10.96.5.0, 10.96.5.0/33, "::ffff:10.0.0.0/104"]}`,
			"Invalid spec.cidrs[1]", "Invalid spec.cidrs[2]", "Invalid spec.cidrs[3]", "Invalid spec.cidrs[4]"),
		Entry("bits after the prefix", addresses, `{cidrs: [10.96.5.1/24, "fd00::1/64"]}`, "Invalid spec.cidrs[0]", "Invalid spec.cidrs[1]"),
		Entry("IPv6 of more than 2^64 addresses", addresses, `{cidrs: ["fd00::/63"]}`, "Invalid spec.cidrs[0]"),
		Entry("IPv6 of 2^64 addresses, IPv4 of all", addresses, `{cidrs: ["fd00::/64", 0.0.0.0/0]}`),
		Entry("exclusions in all forms", addresses, `{cidrs: [10.96.5.0/24], exclusions: [10.96.5.1, 10.96.5.8/29, 10.96.5.20-10.96.5.29, "fd00::1-fd00::2"]}`),
		Entry("what is no exclusion", addresses, `{cidrs: [10.96.5.0/24], exclusions: [web, 10.96.5.1-, 10.96.5.1-10.96.5.2-10.96.5.3, 10.96.5.1-x]}`,
			"Invalid spec.exclusions[0]", "Invalid spec.exclusions[1]", "Invalid spec.exclusions[2]", "Invalid spec.exclusions[3]"),
		Entry("a reservation of what is no address", addresses, `{cidrs: [10.96.5.0/24], reservations: [{namespace: a, name: b, addresses: [010.96.5.1]}]}`,
			"Invalid spec.reservations[0].addresses[0]"),
		Entry("a reservation of nothing", addresses, `{cidrs: [10.96.5.0/24], reservations: [{namespace: a, name: b, addresses: []}]}`,
			"Invalid spec.reservations[0].addresses"),
		Entry("a reservation of two of one family", addresses, `{cidrs: [10.96.5.0/24], reservations: [{namespace: a, name: b, addresses: [10.96.5.1, 10.96.5.2]}]}`,
			"Invalid spec.reservations[0].addresses"),
		Entry("a reservation of three", addresses, `{cidrs: [10.96.5.0/24], reservations: [{namespace: a, name: b, addresses: [10.96.5.1, "fd00::1", 10.96.5.2]}]}`,
			"TooMany spec.reservations[0].addresses"),
		Entry("a reservation for nobody", addresses, `{cidrs: [10.96.5.0/24], reservations: [{namespace: "", name: "", addresses: [10.96.5.1]}]}`,
			"Invalid spec.reservations[0].namespace", "Invalid spec.reservations[0].name"),
		Entry("two reservations for one", addresses,
			`{cidrs: [10.96.5.0/24], reservations: [{namespace: a, name: b, addresses: [10.96.5.1]}, {namespace: a, name: b, addresses: [10.96.5.2]}]}`,
			"Duplicate spec.reservations[1]"),
		Entry("an odd ServiceCIDR policy", addresses, `{cidrs: [10.96.5.0/24], serviceCIDR: Odd}`, "NotSupported spec.serviceCIDR"),
		Entry("a managed ServiceCIDR of two of one family", addresses, `{cidrs: [10.96.5.0/24, 10.96.7.0/24], serviceCIDR: Managed}`, "Invalid spec.serviceCIDR"),
		Entry("a managed ServiceCIDR of two IPv6 ones", addresses, `{cidrs: ["fd00::/112", "fd01::/112"], serviceCIDR: Managed}`, "Invalid spec.serviceCIDR"),
		Entry("a managed ServiceCIDR of each family", addresses, `{cidrs: [10.96.5.0/24, "fd00::/112"], serviceCIDR: Managed}`),

		Entry("no port range", ports, `{ranges: []}`, "Invalid spec.ranges"),
		Entry("ports out of range", ports, `{ranges: [{first: 0, last: 65536}]}`, "Invalid spec.ranges[0].first", "Invalid spec.ranges[0].last"),
		Entry("a range that ends before it begins", ports, `{ranges: [{first: 31000, last: 30999}]}`, "Invalid spec.ranges[0].last"),
		Entry("an exclusion that ends before it begins", ports, `{ranges: [{first: 31000}], exclusions: [{first: 31000, last: 30999}]}`, "Invalid spec.exclusions[0].last"),
		Entry("ranges of one port", ports, `{ranges: [{first: 1}, {first: 65535, last: 65535}]}`),
		Entry("a reservation of no port", ports, `{ranges: [{first: 31000}], reservations: [{namespace: a, name: b}]}`, "Invalid spec.reservations[0]"),
		Entry("a reservation of a port twice for one name", ports,
			`{ranges: [{first: 31000}], reservations: [{namespace: a, name: b, ports: [{name: c, nodePort: 1}, {name: c, nodePort: 2}]}]}`,
			"Duplicate spec.reservations[0].ports[1]"),
		Entry("a reservation of a port out of range", ports, `{ranges: [{first: 31000}], reservations: [{namespace: a, name: b, healthCheckNodePort: 65536, ports: [{nodePort: 0}]}]}`,
			"Invalid spec.reservations[0].healthCheckNodePort", "Invalid spec.reservations[0].ports[0].nodePort"),
		Entry("a reservation for health checks alone", ports, `{ranges: [{first: 31000}], reservations: [{namespace: a, name: b, healthCheckNodePort: 31000}]}`),

		Entry("exclusive for all", addresses, `{cidrs: [10.96.5.0/24], exclusive: true}`, "Invalid spec.exclusive"),
		Entry("exclusive ports for all", ports, `{ranges: [{first: 31000}], exclusive: true}`, "Invalid spec.exclusive"),
		Entry("exclusive for Services", ports, `{ranges: [{first: 31000}], exclusive: true, serviceSelector: {matchLabels: {a: b}}}`),
		Entry("retained for a word", ports, `{ranges: [{first: 31000}], retain: long}`, "Invalid spec.retain"),
		Entry("retained for less than nothing", ports, `{ranges: [{first: 31000}], retain: -1h}`, "Invalid spec.retain"),
		Entry("retained for more than a year", ports, `{ranges: [{first: 31000}], retain: 8784h1s}`, "Invalid spec.retain"),
		Entry("retained for longer than can be counted", ports, `{ranges: [{first: 31000}], retain: 99999999999999999999h}`, "Invalid spec.retain"),
		Entry("retained for a year", ports, `{ranges: [{first: 31000}], retain: 8784h}`),
		Entry("a limit of 0", ports, `{ranges: [{first: 31000}], limitPerNamespace: 0}`, "Invalid spec.limitPerNamespace"),
		Entry("an odd operator", ports, `{ranges: [{first: 31000}], namespaceSelector: {matchExpressions: [{key: a, operator: Odd}]}}`,
			"Invalid spec.namespaceSelector.matchExpressions"),
		Entry("In without values", ports, `{ranges: [{first: 31000}], serviceSelector: {matchExpressions: [{key: a, operator: In}]}}`,
			"Invalid spec.serviceSelector.matchExpressions"),
		Entry("Exists with values", ports, `{ranges: [{first: 31000}], serviceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}`,
			"Invalid spec.serviceSelector.matchExpressions"),
		Entry("every operator", ports, `{ranges: [{first: 31000}], serviceSelector: {matchExpressions: [{key: a, operator: In, values: [b]},
			{key: a, operator: NotIn, values: [b]}, {key: a, operator: Exists}, {key: a, operator: DoesNotExist}]}}`),
	}
}

// balancerRefusals are those of pools of load balancers.
func balancerRefusals() []TableEntry {
	const balancers = "LoadBalancerPool"
	return []TableEntry{
		Entry("nothing, of load balancers", balancers, `{}`, "Invalid spec"),
		Entry("addresses and nodes", balancers, `{addresses: [192.0.2.0/24], nodeSelector: {}}`, "Invalid spec"),
		Entry("no addresses", balancers, `{addresses: []}`, "Invalid spec.addresses"),
		Entry("the same addresses twice", balancers, `{addresses: [192.0.2.0/24, 192.0.2.0/24]}`, "Duplicate spec.addresses[1]"),
		Entry("addresses in all forms", balancers, `{addresses: [192.0.2.0/24, 198.51.100.9-198.51.100.10, 198.51.100.255-198.51.101.0, 10.0.0.1-10.0.0.1,
			"fd00::/64", "fd01::1-fd01::2", 203.0.113.1/32, "fd02::/127"]}`),
		Entry("what is no stretch of addresses", balancers, `{addresses: [web, 192.0.2.1, 192.0.2.1-, 192.0.2.1-192.0.2.2-192.0.2.3, 192.0.2.0/33, 192.0.2.1-x]}`,
			"Invalid spec.addresses[0]", "Invalid spec.addresses[1]", "Invalid spec.addresses[2]", "Invalid spec.addresses[3]",
			"Invalid spec.addresses[4]", "Invalid spec.addresses[5]"),
		Entry("addresses with bits after the prefix", balancers, `{addresses: [192.0.2.1/24, "fd00::1/64"]}`, "Invalid spec.addresses[0]", "Invalid spec.addresses[1]"),
		Entry("an IPv6 prefix too short", balancers, `{addresses: ["fd00::/63"]}`, "Invalid spec.addresses[0]"),
		Entry("a range over two families", balancers, `{addresses: ["192.0.2.1-fd00::1", "fd00::1-192.0.2.1"]}`, "Invalid spec.addresses[0]", "Invalid spec.addresses[1]"),
		Entry("exclusions of addresses in all forms", balancers, `{addresses: [192.0.2.0/24], exclusions: [192.0.2.1, 192.0.2.8/29, 192.0.2.20-192.0.2.29]}`),
		Entry("what is no exclusion of addresses", balancers, `{addresses: [192.0.2.0/24], exclusions: [web, 192.0.2.1-x]}`,
			"Invalid spec.exclusions[0]", "Invalid spec.exclusions[1]"),
		Entry("a reservation of two addresses of a family", balancers,
			`{addresses: [192.0.2.0/24], reservations: [{namespace: a, name: b, addresses: [192.0.2.1, 192.0.2.2]}]}`, "Invalid spec.reservations[0].addresses"),
		Entry("odd words", balancers, `{addresses: [192.0.2.0/24], onShrink: Odd, ipMode: Odd}`, "NotSupported spec.onShrink", "NotSupported spec.ipMode"),
		Entry("all words", balancers, `{addresses: [192.0.2.0/24], onShrink: Rehome, ipMode: Proxy, autoAssign: false, avoidNetworkAndBroadcast: true}`),
		Entry("exclusive addresses for all", balancers, `{addresses: [192.0.2.0/24], exclusive: true}`, "Invalid spec.exclusive"),

		Entry("nodes", balancers, `{nodeSelector: {matchLabels: {a: b}}, nodeAddressTypes: [InternalIP, ExternalIP], autoAssign: false, priority: 3,
			serviceSelector: {matchLabels: {a: b}}, exclusive: false, avoidNetworkAndBroadcast: false, onShrink: Rehome}`),
		Entry("odd types of addresses", balancers, `{nodeSelector: {}, nodeAddressTypes: [Hostname]}`, "NotSupported spec.nodeAddressTypes[0]"),
		Entry("a type twice", balancers, `{nodeSelector: {}, nodeAddressTypes: [InternalIP, InternalIP]}`, "Invalid spec.nodeAddressTypes"),
		Entry("no types", balancers, `{nodeSelector: {}, nodeAddressTypes: []}`, "Invalid spec.nodeAddressTypes"),
		Entry("types without nodes", balancers, `{addresses: [192.0.2.0/24], nodeAddressTypes: [InternalIP]}`, "Invalid spec.nodeAddressTypes"),
		Entry("what only addresses have", balancers, `{nodeSelector: {}, exclusions: [192.0.2.1], retain: 1h, limitPerNamespace: 1, exclusive: true,
			avoidNetworkAndBroadcast: true, namespaceSelector: {}, reservations: [{namespace: a, name: b, addresses: [192.0.2.1]}]}`,
			"Invalid spec.exclusions", "Invalid spec.retain", "Invalid spec.limitPerNamespace", "Invalid spec.exclusive",
			"Invalid spec.avoidNetworkAndBroadcast", "Invalid spec.reservations"),
		Entry("an odd operator for nodes", balancers, `{nodeSelector: {matchExpressions: [{key: a, operator: Odd}]}}`, "Invalid spec.nodeSelector.matchExpressions"),
		Entry("Exists with values for nodes", balancers, `{nodeSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}`,
			"Invalid spec.nodeSelector.matchExpressions"),
	}
}
