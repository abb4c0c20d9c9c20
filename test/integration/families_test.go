// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/pool"
)

// The API server is asked, in dry runs, for every combination of the fields that
// decide on the addresses of a Service, and so is pool.Decide.
var _ = DescribeTable("The families of a Service are those that the API server decides on",
	func(ctx SpecContext, ranges string, cluster pool.Cluster) {
		server, err := controlplane.Start(ctx, controlplane.Options{ServiceClusterIPRange: ranges, NoServiceAccountAdmission: true})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		reader, err := client.New(server.RESTConfig(), client.Options{})
		Expect(err).NotTo(HaveOccurred())
		judge := familyJudge{Client: reader, cluster: cluster}

		By("creating Services")
		judge.compare(ctx, nil, everySpec())

		for name, spec := range oldSpecs(cluster) {
			By("changing a Service that is " + name)
			old := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: spec}
			Expect(reader.Create(ctx, old)).To(Succeed())
			judge.compare(ctx, old, changesOf(&old.Spec))
		}
	},
	Entry("dual-stack", "10.96.0.0/16,fd00:10:96::/112", pool.Cluster{Primary: corev1.IPv4Protocol, DualStack: true}),
	Entry("dual-stack, IPv6 first", "fd00:10:96::/112,10.96.0.0/16", pool.Cluster{Primary: corev1.IPv6Protocol, DualStack: true}),
	Entry("IPv4 only", "10.96.0.0/16", pool.Cluster{Primary: corev1.IPv4Protocol}),
)

// familyJudge compares what the API server and pool.Decide say.
type familyJudge struct {
	client.Client
	cluster pool.Cluster
}

// compare compares the answers to all specs, and shows the first few that differ.
func (j familyJudge) compare(ctx context.Context, old *corev1.Service, specs []corev1.ServiceSpec) {
	GinkgoHelper()
	different := make([]string, len(specs))
	var group errgroup.Group
	group.SetLimit(8)
	for i := range specs {
		group.Go(func() error {
			asked := describeSpec(&specs[i])
			server, err := j.askServer(ctx, old, specs[i].DeepCopy())
			if own := j.askPool(old, &specs[i]); err == nil && own != server && !moreOf(own, server, old, &specs[i]) {
				different[i] = fmt.Sprintf("%s\n\tserver: %s\n\tours:   %s", asked, server, own)
			}
			return err
		})
	}
	Expect(group.Wait()).To(Succeed())
	different = slices.DeleteFunc(different, func(line string) bool { return line == "" })
	Expect(different[:min(len(different), 20)]).To(BeEmpty(), "%d of %d", len(different), len(specs))
}

func (j familyJudge) askServer(ctx context.Context, old *corev1.Service, spec *corev1.ServiceSpec) (string, error) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "asked"}, Spec: *spec}
	write := func() error { return j.Create(ctx, service, client.DryRunAll) }
	if old != nil {
		service.Name = old.Name
		write = func() error { return j.Update(ctx, service, client.DryRunAll) }
	}
	err := write()
	var refused apierrors.APIStatus
	switch {
	case err == nil:
		return describeFamilies(service.Spec.IPFamilyPolicy, service.Spec.IPFamilies, len(service.Spec.ClusterIPs)), nil
	case errors.As(err, &refused) && apierrors.IsInvalid(err):
		var causes []string
		for _, cause := range refused.Status().Details.Causes {
			causes = append(causes, string(cause.Type)+" "+cause.Field)
		}
		return describeCauses(causes), nil
	case strings.Contains(err.Error(), "INTERNAL_ERROR"):
		return panicked, nil
	}
	return "", err
}

// panicked is the answer of a server that looked for the allocator of a family that
// it does not have: the stream ends.
const panicked = "panicked"

func (j familyJudge) askPool(old *corev1.Service, spec *corev1.ServiceSpec) string {
	families, faults := pool.Decide(j.cluster, &corev1.Service{Spec: *spec}, old)
	if len(faults) > 0 {
		var causes []string
		for _, fault := range faults {
			causes = append(causes, string(fault.Type)+" "+fault.Field)
		}
		return describeCauses(causes)
	}
	addresses := len(families.Needs)
	if external := spec.Type == corev1.ServiceTypeExternalName; !external {
		switch {
		case spec.ClusterIP == corev1.ClusterIPNone:
			addresses++
		case old != nil:
			addresses += min(len(old.Spec.ClusterIPs), len(families.Families))
			if len(old.Spec.ClusterIPs) > 0 && old.Spec.ClusterIPs[0] == corev1.ClusterIPNone {
				addresses = 1
			}
		}
	}
	return describeFamilies(families.Policy, families.Families, addresses)
}

func describeFamilies(policy *corev1.IPFamilyPolicy, families []corev1.IPFamily, addresses int) string {
	text := "none"
	if policy != nil {
		text = string(*policy)
	}
	return fmt.Sprintf("%s %v, %d addresses", text, families, addresses)
}

func describeCauses(causes []string) string {
	slices.Sort(causes)
	return strings.Join(slices.Compact(causes), ", ")
}

// moreOf tells whether the server found the same fault, and others that follow from
// it: it tries to give a Service that is to be headless, and must not be, a second
// address, even where the cluster has no second family.
func moreOf(own, server string, old *corev1.Service, spec *corev1.ServiceSpec) bool {
	return old != nil && spec.ClusterIP == none && old.Spec.ClusterIP != none &&
		own == "FieldValueInvalid spec.clusterIPs[0]" && (strings.Contains(server, own) || server == panicked)
}

func describeSpec(spec *corev1.ServiceSpec) string {
	return fmt.Sprintf("%s %q %q %s selector %v", spec.Type, spec.ClusterIP, spec.ClusterIPs,
		describeFamilies(spec.IPFamilyPolicy, spec.IPFamilies, 0), spec.Selector)
}

// Addresses that Services name: of either family, two of IPv4.
const (
	named4, other4, named6 = "10.96.7.4", "10.96.7.5", "fd00:10:96::74"
	none                   = corev1.ClusterIPNone
)

// everySpec returns all combinations for a Service that is created.
func everySpec() []corev1.ServiceSpec {
	addresses := [][]string{
		// clusterIP, then clusterIPs.
		{""}, {none}, {none, none}, {named4}, {named4, named4}, {named6}, {named6, named6}, {named4, named4, named6},
		{named6, named6, named4}, {"", named4}, {"", named4, named6}, {named4, named6}, {named4, named4, other4},
		{named4, named4, named6, other4}, {none, none, named4}, {named4, named4, none}, {"010.96.7.4"}, {"::ffff:10.96.7.4"},
	}
	policies := []corev1.IPFamilyPolicy{
		"", corev1.IPFamilyPolicySingleStack, corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack, "Odd",
	}
	types := []corev1.ServiceType{corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName}
	specs := combine(types, addresses, append(familyLists(), []corev1.IPFamily{"IPv4", "IPv4"}, []corev1.IPFamily{"IPv5"}), policies)
	// Other types differ where they are headless.
	types = []corev1.ServiceType{corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer}
	return append(specs, combine(types, [][]string{{""}, {none}, {named4}}, familyLists(), policies)...)
}

// changesOf returns combinations for a Service that is changed.
func changesOf(old *corev1.ServiceSpec) []corev1.ServiceSpec {
	addresses := [][]string{{""}, {none}, {named4, named4}, {named6}, {named4, named4, named6}}
	if len(old.ClusterIPs) > 0 {
		own := old.ClusterIPs
		addresses = append(addresses, []string{own[0]}, []string{"", own[0]}, []string{own[0], own[0]},
			[]string{own[0], own[0], named4}, []string{own[0], own[0], named6}, []string{other4, own[0]},
			append([]string{own[0]}, own...), append([]string{other4}, own...), append([]string{""}, own...))
	}
	policies := []corev1.IPFamilyPolicy{
		"", corev1.IPFamilyPolicySingleStack, corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack,
	}
	types := []corev1.ServiceType{corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName}
	return slices.DeleteFunc(combine(types, addresses, familyLists(), policies), func(spec corev1.ServiceSpec) bool {
		// Of an ExternalName the server overlooks a changed clusterIP, and stores an
		// address that nobody allocated. Ours refuses.
		return spec.Type == corev1.ServiceTypeExternalName && len(spec.ClusterIPs) == 0 &&
			spec.ClusterIP != "" && spec.ClusterIP != old.ClusterIP && old.Type != corev1.ServiceTypeExternalName
	})
}

func familyLists() [][]corev1.IPFamily {
	return [][]corev1.IPFamily{nil, {"IPv4"}, {"IPv6"}, {"IPv4", "IPv6"}, {"IPv6", "IPv4"}}
}

func combine(
	types []corev1.ServiceType, addresses [][]string, families [][]corev1.IPFamily, policies []corev1.IPFamilyPolicy,
) (specs []corev1.ServiceSpec) {
	for _, kind := range types {
		for _, given := range addresses {
			for _, list := range families {
				for _, policy := range policies {
					spec := serviceSpec(kind, given, list, policy)
					specs = append(specs, spec)
					spec.Selector = map[string]string{app: "web"}
					specs = append(specs, spec)
				}
			}
		}
	}
	return specs
}

func serviceSpec(kind corev1.ServiceType, given []string, families []corev1.IPFamily, policy corev1.IPFamilyPolicy) corev1.ServiceSpec {
	spec := corev1.ServiceSpec{Type: kind, ClusterIP: given[0], ClusterIPs: given[1:], IPFamilies: families}
	if policy != "" {
		spec.IPFamilyPolicy = &policy
	}
	if kind == corev1.ServiceTypeExternalName {
		spec.ExternalName = "db.example.com"
	} else {
		spec.Ports = []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}}
	}
	return spec
}

// oldSpecs returns Services to change, as a cluster can have them.
func oldSpecs(cluster pool.Cluster) map[string]corev1.ServiceSpec {
	selects := func(spec corev1.ServiceSpec) corev1.ServiceSpec {
		spec.Selector = map[string]string{app: "web"}
		return spec
	}
	const clusterIP = corev1.ServiceTypeClusterIP
	specs := map[string]corev1.ServiceSpec{
		"plain":                serviceSpec(clusterIP, []string{""}, nil, ""),
		"preferring-two":       serviceSpec(clusterIP, []string{""}, nil, corev1.IPFamilyPolicyPreferDualStack),
		"headless":             selects(serviceSpec(clusterIP, []string{none}, nil, "")),
		"headless-no-selector": serviceSpec(clusterIP, []string{none}, nil, ""),
		"an-external-name":     serviceSpec(corev1.ServiceTypeExternalName, []string{""}, nil, ""),
	}
	if cluster.DualStack {
		second := corev1.IPv6Protocol
		if cluster.Primary == corev1.IPv6Protocol {
			second = corev1.IPv4Protocol
		}
		specs["of-the-second-family"] = serviceSpec(clusterIP, []string{""}, []corev1.IPFamily{second}, "")
		specs["requiring-two"] = serviceSpec(clusterIP, []string{""}, nil, corev1.IPFamilyPolicyRequireDualStack)
	}
	return specs
}
