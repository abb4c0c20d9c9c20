// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
	"servicenet.dev/servicenet/internal/tracker"
)

// addCloud adds the controller of a cloud provider's load balancers, if there is a
// provider and it is selected, with a cache of its own: a provider may read any part of a
// Service or a node.
func addCloud(mgr ctrl.Manager, options Options) error {
	if options.Cloud == nil || !options.runs(CloudLoadBalancerName) {
		return nil
	}
	terms := hosts.Terms{Class: options.Cloud.Class}
	own, err := newCloudCluster(mgr, options, terms)
	if err != nil {
		return fmt.Errorf("building the cache of the %s controller: %w", CloudLoadBalancerName, err)
	}
	if err := mgr.Add(own); err != nil {
		return fmt.Errorf("adding the cache of the %s controller: %w", CloudLoadBalancerName, err)
	}
	if err := mgr.AddReadyzCheck("servicenet-cloud-caches", cachesSynced(own.GetCache())); err != nil {
		return fmt.Errorf("adding the readiness check of the %s controller: %w", CloudLoadBalancerName, err)
	}
	balancer, _ := options.Cloud.Provider.LoadBalancer()
	policy := hosts.Policy{Readiness: options.Cloud.NodeReadiness}
	counters, err := newCloudMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	r := &cloudReconciler{
		access: newAccess(mgr, own, "service-controller"),
		cloud:  options.Cloud, balancer: balancer, terms: terms,
		calls: newCloudCalls(options.Cloud.CallTimeout, counters), metrics: counters,
		statuses: own.GetClient(),
		nodes:    &cloudNodes{reader: own.GetClient(), policy: policy},
		records:  newCloudRecords(),
		pass:     &nodePass{},
		tracker:  tracker.New(keyOf),
	}
	err = newControllerRetrying(cloudRetryLimiter(), mgr, CloudLoadBalancerName, "service", options.Cloud.ConcurrentSyncs,
		own.GetCache(), r.watches()).Complete(r)
	if err != nil {
		return fmt.Errorf("adding the %s controller: %w", CloudLoadBalancerName, err)
	}
	return nil
}

// cloudRetryLimiter delays each failing Service by itself, by as much as upstream's
// service controller does.
func cloudRetryLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	const first, longest = 5 * time.Second, 5 * time.Minute
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](first, longest)
}

func newCloudCluster(mgr ctrl.Manager, options Options, terms hosts.Terms) (cluster.Cluster, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	services, nodes := stored(terms.Strip), stored(hosts.StripNode)
	resync := wait.Jitter(options.MinResyncPeriod, 1)
	services.SyncPeriod = &resync
	return cluster.New(clientConfig(mgr.GetConfig(), options), func(o *cluster.Options) {
		o.Scheme = scheme
		o.Logger = mgr.GetLogger()
		o.HTTPClient = mgr.GetHTTPClient()
		o.MapperProvider = func(*rest.Config, *http.Client) (apimeta.RESTMapper, error) { return mgr.GetRESTMapper(), nil }
		o.Cache = cache.Options{ByObject: map[client.Object]cache.ByObject{&corev1.Service{}: services, &corev1.Node{}: nodes}}
	})
}

// watches are Services, and nodes by way of all Services that the provider serves.
func (r *cloudReconciler) watches() []watch {
	return []watch{
		watching(&corev1.Service{}, r.serviceEvents()),
		watching(&corev1.Node{}, r.nodeEvents()),
	}
}

func (r *cloudReconciler) serviceEvents() eventHandlers[*corev1.Service] {
	return eventHandlers[*corev1.Service]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Service], q queue) {
			r.tracker.Seen(e.Object)
			if r.terms.Matters(e.Object) || r.records.get(keyOf(e.Object)) != nil {
				enqueueAtStart(ctx, e, q)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*corev1.Service], q queue) {
			news := r.tracker.Seen(e.ObjectNew)
			switch {
			case isResync(e.ObjectOld, e.ObjectNew):
				news = r.terms.Matters(e.ObjectNew)
			case news:
				news = r.terms.News(e.ObjectOld, e.ObjectNew)
			}
			if news {
				q.Add(reconcile.Request{NamespacedName: keyOf(e.ObjectNew)})
			}
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*corev1.Service], q queue) {
			r.tracker.Forget(keyOf(e.Object))
			if r.records.get(keyOf(e.Object)) != nil {
				q.Add(reconcile.Request{NamespacedName: keyOf(e.Object)})
			}
		},
	}
}

// nodeEvents have all Services looked at when the nodes change that load balancers lead
// to. What a provider reads of a node besides is as fresh as the last such change.
func (r *cloudReconciler) nodeEvents() eventHandlers[*corev1.Node] {
	note := func(changed bool, q queue) {
		r.nodes.changed()
		if !changed {
			return
		}
		names := r.records.affected()
		r.pass.begin(r.clock.Now(), names)
		for _, name := range names {
			q.Add(reconcile.Request{NamespacedName: name})
		}
	}
	return eventHandlers[*corev1.Node]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*corev1.Node], q queue) {
			note(hosts.Included(e.Object), q)
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*corev1.Node], q queue) {
			note(r.nodes.policy.Changed(e.ObjectOld, e.ObjectNew), q)
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*corev1.Node], q queue) {
			note(hosts.Included(e.Object), q)
		},
	}
}
