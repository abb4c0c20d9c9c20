// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	// maxNodes is how many nodes the address plan below has room for.
	maxNodes = 8192

	// podsPerNode fits the 1,022 addresses of a node's IPv4 range.
	podsPerNode = "1000"

	// nodeParallelism is how many nodes are written at a time.
	nodeParallelism = 16
)

// DefaultZones are the zones of AddNodes when none are named.
func DefaultZones() []string { return []string{"zone-a", "zone-b", "zone-c"} }

// AddNodes makes the simulated nodes node-0 to node-(count-1), spread over the
// zones in turn (DefaultZones if none are named). Each is Ready, has addresses
// and pod ranges of the control plane's IP families and room for 1,000 pods.
// Nodes that exist keep their spec, so that a larger count adds nodes.
//
// Nobody renews the nodes' Leases before StartKwok: with a
// kube-controller-manager they turn NotReady after 50 s.
func (cp *ControlPlane) AddNodes(ctx context.Context, count int, zones ...string) error {
	if count < 0 || count > maxNodes {
		return fmt.Errorf("adding %d nodes: there is room for 0 to %d", count, maxNodes)
	}
	if len(zones) == 0 {
		zones = DefaultZones()
	}
	clients, err := kubernetes.NewForConfig(cp.RESTConfig())
	if err != nil {
		return fmt.Errorf("client of the control plane: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(nodeParallelism)
	for i := range count {
		group.Go(func() error {
			node := cp.simulatedNode(i, zones[i%len(zones)])
			if err := addNode(ctx, clients, node); err != nil {
				return fmt.Errorf("adding %s: %w", node.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// addNode creates a node, unless it exists. Unlike other kinds, nodes are created
// with their status.
func addNode(ctx context.Context, clients kubernetes.Interface, node *corev1.Node) error {
	nodes := clients.CoreV1().Nodes()
	if _, err := nodes.Create(ctx, node, metav1.CreateOptions{}); apierrors.IsAlreadyExists(err) {
		return nil
	} else if err != nil {
		return err
	}
	// Admission taints every new node as not ready. kube-controller-manager
	// takes that back in its own time, too late for pods created next.
	_, err := nodes.Patch(ctx, node.Name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{})
	return err
}

func (cp *ControlPlane) simulatedNode(index int, zone string) *corev1.Node {
	name := fmt.Sprintf("node-%d", index)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:     name,
				corev1.LabelTopologyZone: zone,
				corev1.LabelOSStable:     "linux",
				corev1.LabelArchStable:   runtime.GOARCH,
			},
			Annotations: map[string]string{simulatedKey: simulatedValue},
		},
		Status: corev1.NodeStatus{
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: name}},
			Capacity: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("1k"),
				corev1.ResourceMemory: resource.MustParse("1Ti"),
				corev1.ResourcePods:   resource.MustParse(podsPerNode),
			},
			Conditions: []corev1.NodeCondition{{
				Type:               corev1.NodeReady,
				Status:             corev1.ConditionTrue,
				Reason:             "Simulated",
				LastHeartbeatTime:  metav1.Now(),
				LastTransitionTime: metav1.Now(),
			}},
		},
	}
	node.Status.Allocatable = node.Status.Capacity
	for _, family := range cp.families {
		address, pods := nodeNetwork(index, family.Addr().Is4())
		node.Status.Addresses = append(node.Status.Addresses,
			corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: address.String()})
		node.Spec.PodCIDRs = append(node.Spec.PodCIDRs, pods.String())
	}
	node.Spec.PodCIDR = node.Spec.PodCIDRs[0]
	return node
}

// nodeNetwork returns the address of a node and the range of its pods:
//
//	IPv4  172.16.0.0/12 for nodes,     a /22 each out of 10.128.0.0/9 for pods
//	IPv6  fd00:10:172::/64 for nodes,  a /64 each out of fd00:10:128::/48 for pods
//
// They are clear of DefaultServiceClusterIPRange.
func nodeNetwork(index int, isIPv4 bool) (address netip.Addr, pods netip.Prefix) {
	number := uint32(index) //nolint:gosec // 0 to maxNodes
	if isIPv4 {
		node, podRange := [4]byte{172, 16}, [4]byte{10, 128}
		binary.BigEndian.PutUint32(node[:], binary.BigEndian.Uint32(node[:])+number+1)
		binary.BigEndian.PutUint32(podRange[:], binary.BigEndian.Uint32(podRange[:])+number<<10)
		return netip.AddrFrom4(node), netip.PrefixFrom(netip.AddrFrom4(podRange), 22)
	}
	node := [16]byte{0xfd, 0x00, 0x00, 0x10, 0x01, 0x72}
	podRange := [16]byte{0xfd, 0x00, 0x00, 0x10, 0x01, 0x28}
	binary.BigEndian.PutUint32(node[12:], number+1)
	binary.BigEndian.PutUint16(podRange[6:], uint16(number)) //nolint:gosec // 0 to maxNodes
	return netip.AddrFrom16(node), netip.PrefixFrom(netip.AddrFrom16(podRange), 64)
}
