// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"k8s.io/client-go/kubernetes"

	"servicenet.dev/servicenet/hack/controlplane"
)

// readyTimeout bounds the waits for nodes and for DNS.
const readyTimeout = 3 * time.Minute

//go:embed coredns.yaml
var dnsObjects []byte

func (c *cluster) client() (kubernetes.Interface, error) {
	clients, err := kubernetes.NewForConfig(c.plane.RESTConfig())
	if err != nil {
		return nil, fmt.Errorf("client of the cluster: %w", err)
	}
	return clients, nil
}

// grantKubeletClient lets the API server use kubelets, for logs and commands in pods.
func (c *cluster) grantKubeletClient(ctx context.Context) error {
	clients, err := c.client()
	if err != nil {
		return err
	}
	binding := rbacv1ac.ClusterRoleBinding("kubelet-client").
		WithRoleRef(rbacv1ac.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("ClusterRole").WithName("system:kubelet-api-admin")).
		WithSubjects(rbacv1ac.Subject().WithAPIGroup(rbacv1.GroupName).WithKind(rbacv1.UserKind).WithName(controlplane.KubeletClient))
	_, err = clients.RbacV1().ClusterRoleBindings().Apply(ctx, binding, metav1.ApplyOptions{FieldManager: "node", Force: true})
	if err != nil {
		return fmt.Errorf("letting the API server use kubelets: %w", err)
	}
	return nil
}

// awaitNodes waits until all nodes are ready.
func (c *cluster) awaitNodes(ctx context.Context) error {
	clients, err := c.client()
	if err != nil {
		return err
	}
	for number := 1; number <= c.nodes; number++ {
		var last error
		err := wait.PollUntilContextTimeout(ctx, followInterval, readyTimeout, true, func(ctx context.Context) (bool, error) {
			last = nodeReady(ctx, clients, nodeName(number))
			return last == nil, nil
		})
		if err != nil {
			return fmt.Errorf("%s is not ready: %w (%w); see %s-*.log", nodeName(number), last, err, c.path("logs", nodeName(number)))
		}
		progressf(c.begin, "%s ready", nodeName(number))
	}
	return nil
}

func nodeReady(ctx context.Context, clients kubernetes.Interface, name string) error {
	node, err := clients.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for i := range node.Status.Conditions {
		if condition := &node.Status.Conditions[i]; condition.Type == corev1.NodeReady {
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return fmt.Errorf("it says %s", condition.Message)
		}
	}
	return errors.New("it says nothing")
}

// startDNS has CoreDNS run as a Deployment, and waits until it is available.
func (c *cluster) startDNS(ctx context.Context) error {
	file := c.path("coredns.yaml")
	if err := os.WriteFile(file, dnsObjects, 0o600); err != nil {
		return fmt.Errorf("writing the objects of CoreDNS: %w", err)
	}
	if err := c.plane.Apply(ctx, file); err != nil {
		return err
	}
	clients, err := c.client()
	if err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(ctx, followInterval, readyTimeout, true, func(ctx context.Context) (bool, error) {
		deployment, err := clients.AppsV1().Deployments(metav1.NamespaceSystem).Get(ctx, "coredns", metav1.GetOptions{})
		return err == nil && deployment.Status.AvailableReplicas > 0, nil
	})
	if err != nil {
		return fmt.Errorf("CoreDNS is not available: %w", err)
	}
	progressf(c.begin, "CoreDNS ready")
	return nil
}
