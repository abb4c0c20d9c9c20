// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/standby"
)

// statusReader reads how managers stand, in a namespace or in all of them.
type statusReader struct {
	api client.Reader
	in  client.InNamespace
}

func newStatusReader(namespace string) (*statusReader, error) {
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the API server (--kubeconfig, $KUBECONFIG, ~/.kube/config): %w", err)
	}
	scheme := runtime.NewScheme()
	err = errors.Join(corev1.AddToScheme(scheme), coordinationv1.AddToScheme(scheme), servicenetv1alpha1.AddToScheme(scheme))
	if err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	api, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("reaching the API server %s: %w", restConfig.Host, err)
	}
	return &statusReader{api: api, in: client.InNamespace(namespace)}, nil
}

// read returns a table, the names of its columns first.
func (r *statusReader) read(ctx context.Context, table string) ([][]string, error) {
	switch table {
	case replicasTable:
		return r.replicas(ctx)
	case endpointsTable:
		return r.endpoints(ctx)
	default:
		return r.pools(ctx)
	}
}

// managed is what there is of a manager in a namespace.
type managed struct {
	leader   string
	replicas int
	mode     string
}

func (r *statusReader) replicas(ctx context.Context) ([][]string, error) {
	found := map[string]*managed{}
	of := func(namespace string) *managed {
		if found[namespace] == nil {
			found[namespace] = &managed{}
		}
		return found[namespace]
	}
	var elected, holders coordinationv1.LeaseList
	err := errors.Join(
		r.api.List(ctx, &elected, r.in, client.MatchingFields{"metadata.name": leaderElectionID}),
		r.api.List(ctx, &holders, r.in, client.HasLabels{store.LeaseLabel}))
	if err != nil {
		return nil, fmt.Errorf("reading the Leases of the managers: %w", err)
	}
	asking, err := r.asking(ctx)
	if err != nil {
		return nil, err
	}
	for i := range elected.Items {
		of(elected.Items[i].Namespace).leader = ptr.Deref(elected.Items[i].Spec.HolderIdentity, "")
	}
	for i := range holders.Items {
		of(holders.Items[i].Namespace).replicas++
	}
	for i := range asking {
		of(asking[i].Namespace).mode = "auto"
	}
	rows := [][]string{{"NAMESPACE", "LEADER", "REPLICAS", "ENDPOINTS-MODE"}}
	for _, namespace := range slices.Sorted(maps.Keys(found)) {
		m := found[namespace]
		rows = append(rows, []string{namespace, m.leader, strconv.Itoa(m.replicas), cmp.Or(m.mode, "on-or-off")})
	}
	return rows, nil
}

// asking returns the Services with the records of leaders.
func (r *statusReader) asking(ctx context.Context) ([]corev1.Service, error) {
	var services corev1.ServiceList
	if err := r.api.List(ctx, &services, r.in, client.HasLabels{standby.QuestionLabel}); err != nil {
		return nil, fmt.Errorf("reading the Services that ask who writes endpoints: %w", err)
	}
	return slices.DeleteFunc(services.Items, func(s corev1.Service) bool { return s.Name != standby.ServiceName }), nil
}

func (r *statusReader) endpoints(ctx context.Context) ([][]string, error) {
	asking, err := r.asking(ctx)
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"NAMESPACE", "CONTROLLER", "ACTS", "REASON", "SINCE", "MESSAGE"}}
	for i := range asking {
		record, err := standby.ParseRecord(asking[i].Annotations[standby.RecordAnnotation])
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", asking[i].Namespace, err)
		}
		for _, name := range slices.Sorted(maps.Keys(record)) {
			decided := record[name]
			rows = append(rows, []string{
				asking[i].Namespace, name, strconv.FormatBool(decided.Acts), string(decided.Reason), decided.Since, decided.Message,
			})
		}
	}
	return rows, nil
}

// pools returns the usage of the pools, none where the cluster does not have their kinds.
func (r *statusReader) pools(ctx context.Context) ([][]string, error) {
	rows := [][]string{{"KIND", "POOL", "TOTAL", "USED", "FREE", "READY"}}
	var (
		clusterIPs servicenetv1alpha1.ClusterIPPoolList
		nodePorts  servicenetv1alpha1.NodePortPoolList
		balancers  servicenetv1alpha1.LoadBalancerPoolList
	)
	for _, list := range []client.ObjectList{&clusterIPs, &nodePorts, &balancers} {
		if err := r.api.List(ctx, list); err != nil && !apimeta.IsNoMatchError(err) {
			return nil, fmt.Errorf("reading the pools: %w", err)
		}
	}
	for i := range clusterIPs.Items {
		pool, is := clusterIPs.Items[i].Name, &clusterIPs.Items[i].Status
		rows = append(rows, poolRow("ClusterIPPool", pool, is.Total, is.Used, is.Free, is.Conditions))
	}
	for i := range nodePorts.Items {
		pool, is := nodePorts.Items[i].Name, &nodePorts.Items[i].Status
		rows = append(rows, poolRow("NodePortPool", pool, count(is.Capacity), count(is.Used), count(is.Free), is.Conditions))
	}
	for i := range balancers.Items {
		pool, is := balancers.Items[i].Name, &balancers.Items[i].Status
		rows = append(rows, poolRow("LoadBalancerPool", pool, is.Total, is.Used, is.Free, is.Conditions))
	}
	return rows, nil
}

func poolRow(kind, name, total, used, free string, conditions []metav1.Condition) []string {
	ready := ""
	if condition := apimeta.FindStatusCondition(conditions, "Ready"); condition != nil {
		ready = string(condition.Status)
	}
	return []string{kind, name, total, used, free, ready}
}

// count writes a number that may not be known.
func count(number *int32) string {
	if number == nil {
		return ""
	}
	return strconv.Itoa(int(*number))
}
