// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package replicas

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/test/badinput"
)

const (
	tenants = 20
	// portsOfTenant are the node ports of each tenant, of which the last ones are named
	// by Services and the others chosen for them.
	firstPort, portsOfTenant, namedPorts = 31000, 80, 10
)

// tenant is a namespace with exclusive pools: of each kind one whose numbers are chosen,
// and one whose numbers Services name.
type tenant int

func (t tenant) name() string { return fmt.Sprintf("tenant-%02d", int(t)) }

func (t tenant) chosen() netip.Prefix {
	return netip.MustParsePrefix(fmt.Sprintf("10.96.%d.0/24", 10+int(t)))
}
func (t tenant) named() netip.Prefix {
	return netip.MustParsePrefix(fmt.Sprintf("10.96.%d.0/26", 100+int(t)))
}
func (t tenant) port() int32 {
	return firstPort + int32(t)*portsOfTenant //nolint:gosec // twenty at most
}

// owns tells whether the numbers of a Service are the tenant's.
func (t tenant) owns(service *corev1.Service) bool {
	for _, text := range service.Spec.ClusterIPs {
		if address := netip.MustParseAddr(text); !t.chosen().Contains(address) && !t.named().Contains(address) {
			return false
		}
	}
	for i := range service.Spec.Ports {
		if port := service.Spec.Ports[i].NodePort; port != 0 && (port < t.port() || port >= t.port()+portsOfTenant) {
			return false
		}
	}
	return true
}

// makeTenants makes the namespaces and their pools.
func makeTenants(ctx context.Context) {
	GinkgoHelper()
	for t := range tenant(tenants) {
		labels := badinput.NamespaceLabels(t.name())
		Expect(plane.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.name(), Labels: labels}})).To(Succeed())
		policy := servicenetv1alpha1.PoolPolicy{NamespaceSelector: &metav1.LabelSelector{MatchLabels: labels}, Exclusive: true}
		first := policy
		first.Priority = 1
		Expect(plane.API.Create(ctx, addresses(t.name(), t.chosen(), first))).To(Succeed())
		Expect(plane.API.Create(ctx, addresses(t.name()+"-named", t.named(), policy))).To(Succeed())
		Expect(plane.API.Create(ctx, ports(t.name(), t.port(), portsOfTenant-namedPorts, first))).To(Succeed())
		Expect(plane.API.Create(ctx, ports(t.name()+"-named", t.port()+portsOfTenant-namedPorts, namedPorts, policy))).To(Succeed())
	}
}

func addresses(name string, of netip.Prefix, policy servicenetv1alpha1.PoolPolicy) *servicenetv1alpha1.ClusterIPPool {
	pool := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	pool.Spec.CIDRs, pool.Spec.PoolPolicy = []string{of.String()}, policy
	return pool
}

func ports(name string, first, count int32, policy servicenetv1alpha1.PoolPolicy) *servicenetv1alpha1.NodePortPool {
	pool := &servicenetv1alpha1.NodePortPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	pool.Spec.Ranges, pool.Spec.PoolPolicy = []servicenetv1alpha1.PortRange{{First: first, Last: first + count - 1}}, policy
	return pool
}
