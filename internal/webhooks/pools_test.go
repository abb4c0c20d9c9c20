// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/pool"
)

// onePoolInUse is a cluster in which Services have 10.96.5.9 and port 31009.
type onePoolInUse struct{}

func (onePoolInUse) ClusterIPPool(string) *admission.ClusterIPPoolRequest {
	return &admission.ClusterIPPoolRequest{
		CIDRs: []pool.ServiceCIDR{{Prefix: netip.MustParsePrefix("10.96.0.0/16"), Ready: true}},
		Usage: admission.Usage[netip.Addr]{Numbers: slices.Values([]netip.Addr{netip.MustParseAddr("10.96.5.9")})},
	}
}

func (onePoolInUse) LoadBalancerPool(string) *admission.LoadBalancerPoolRequest {
	return &admission.LoadBalancerPoolRequest{
		Usage: admission.Usage[netip.Addr]{Numbers: slices.Values([]netip.Addr{netip.MustParseAddr("192.0.2.9")})},
	}
}

func (onePoolInUse) NodePortPool(string) *admission.NodePortPoolRequest {
	return &admission.NodePortPoolRequest{
		Cluster: allocator.PortSpan{First: 30000, Last: 32767},
		Usage:   admission.Usage[pool.Port]{Numbers: slices.Values([]pool.Port{31009})},
	}
}

func rawPool(t *testing.T, object any) runtime.RawExtension {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return runtime.RawExtension{Raw: raw}
}

func addresses(cidr string) *servicenetv1alpha1.ClusterIPPool {
	return &servicenetv1alpha1.ClusterIPPool{Spec: servicenetv1alpha1.ClusterIPPoolSpec{CIDRs: []string{cidr}}}
}

func balancers(addresses string) *servicenetv1alpha1.LoadBalancerPool {
	return &servicenetv1alpha1.LoadBalancerPool{Spec: servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{addresses}}}
}

func nodePorts(first, last int32) *servicenetv1alpha1.NodePortPool {
	return &servicenetv1alpha1.NodePortPool{
		Spec: servicenetv1alpha1.NodePortPoolSpec{Ranges: []servicenetv1alpha1.PortRange{{First: first, Last: last}}},
	}
}

func TestPoolsAreJudgedByWhatIsToBecomeOfThem(t *testing.T) {
	t.Parallel()
	pools := &Pools{onePoolInUse{}}
	tests := map[string]struct {
		judge     Judge
		resource  string
		operation admissionv1.Operation
		is, was   any
		cause     string // the field; none if it is allowed
	}{
		"a good pool is made": {pools.ValidateClusterIPPool, "clusterippools", admissionv1.Create, addresses("10.96.5.0/24"), nil, ""},
		"a bad one is not":    {pools.ValidateClusterIPPool, "clusterippools", admissionv1.Create, addresses("10.96.5.1/24"), nil, "spec.cidrs[0]"},
		"it grows": {pools.ValidateClusterIPPool, "clusterippools", admissionv1.Update,
			addresses("10.96.4.0/22"), addresses("10.96.5.0/24"), ""},
		"it shrinks under use": {pools.ValidateClusterIPPool, "clusterippools", admissionv1.Update,
			addresses("10.96.5.128/25"), addresses("10.96.5.0/24"), "spec.cidrs"},
		"it is deleted under use": {pools.ValidateClusterIPPool, "clusterippools", admissionv1.Delete,
			nil, addresses("10.96.5.0/24"), "metadata.annotations[servicenet.dev/force]"},
		"one out of use is deleted": {pools.ValidateClusterIPPool, "clusterippools", admissionv1.Delete,
			nil, addresses("10.96.6.0/24"), ""},
		"a good pool of ports is made": {pools.ValidateNodePortPool, "nodeportpools", admissionv1.Create, nodePorts(31000, 31099), nil, ""},
		"a bad one of ports is not":    {pools.ValidateNodePortPool, "nodeportpools", admissionv1.Create, nodePorts(1, 2), nil, "spec.ranges[0]"},
		"ports shrink under use": {pools.ValidateNodePortPool, "nodeportpools", admissionv1.Update,
			nodePorts(31010, 31099), nodePorts(31000, 31099), "spec.ranges"},
		"ports are deleted under use": {pools.ValidateNodePortPool, "nodeportpools", admissionv1.Delete,
			nil, nodePorts(31000, 31099), "metadata.annotations[servicenet.dev/force]"},
		"a good pool of load balancers is made": {pools.ValidateLoadBalancerPool, "loadbalancerpools", admissionv1.Create,
			balancers("192.0.2.0/24"), nil, ""},
		"a bad one of load balancers is not": {pools.ValidateLoadBalancerPool, "loadbalancerpools", admissionv1.Create,
			balancers("192.0.2.9"), nil, "spec.addresses[0]"},
		"addresses of load balancers shrink under use": {pools.ValidateLoadBalancerPool, "loadbalancerpools", admissionv1.Update,
			balancers("192.0.2.10-192.0.2.19"), balancers("192.0.2.0/24"), "spec.addresses"},
		"addresses of load balancers are deleted under use": {pools.ValidateLoadBalancerPool, "loadbalancerpools", admissionv1.Delete,
			nil, balancers("192.0.2.0/24"), "metadata.annotations[servicenet.dev/force]"},
		"a connection is no matter of theirs": {pools.ValidateNodePortPool, "nodeportpools", admissionv1.Connect, nil, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := &admissionv1.AdmissionRequest{
				Name: "shop", Operation: test.operation,
				Resource: metav1.GroupVersionResource(servicenetv1alpha1.GroupVersion.WithResource(test.resource)),
			}
			if test.is != nil {
				request.Object = rawPool(t, test.is)
			}
			if test.was != nil {
				request.OldObject = rawPool(t, test.was)
			}
			verdict, err := test.judge(t.Context(), request, &Times{})
			if err != nil {
				t.Fatal(err)
			}
			cause := ""
			if verdict.Refusal != nil {
				cause = verdict.Refusal.Details.Causes[0].Field
				if verdict.Refusal.Code != 422 || verdict.Refusal.Details.Name != "shop" || verdict.Refusal.Details.Group != "servicenet.dev" {
					t.Errorf("refused with %+v", verdict.Refusal)
				}
			}
			if cause != test.cause {
				t.Errorf("refused for %q, want %q: %+v", cause, test.cause, verdict.Refusal)
			}
		})
	}
}

func TestWhatIsNoPoolIsMalformed(t *testing.T) {
	t.Parallel()
	pools := &Pools{onePoolInUse{}}
	fine := metav1.GroupVersionResource(servicenetv1alpha1.GroupVersion.WithResource("clusterippools"))
	for name, request := range map[string]*admissionv1.AdmissionRequest{
		"another kind":  {Resource: metav1.GroupVersionResource{Version: "v1", Resource: "services"}, Operation: admissionv1.Create},
		"nothing":       {Resource: fine, Operation: admissionv1.Create},
		"no old object": {Resource: fine, Operation: admissionv1.Delete},
		"no JSON":       {Resource: fine, Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: []byte("{")}},
	} {
		_, err := pools.ValidateClusterIPPool(t.Context(), request, &Times{})
		if malformed := (*MalformedError)(nil); !errors.As(err, &malformed) {
			t.Errorf("%s: got %v, want a MalformedError", name, err)
		}
	}
}
