// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/webhooks"
)

// addWebhooks serves the webhooks on the manager's webhook server, on every replica.
func addWebhooks(mgr ctrl.Manager, r *replica) error {
	externalIPs, err := parseExternalIPs(r.options.AllowedExternalIPs)
	if err != nil {
		return err
	}
	registrar := &registrar{registry: metrics.Registry, subsystem: "servicenet_webhook"}
	counters := register(registrar, webhooks.NewMetrics())
	if err := registrar.failed(); err != nil {
		return err
	}
	server := mgr.GetWebhookServer()
	services := webhooks.NewServices(facts{r, externalIPs}, r.store)
	pools := &webhooks.Pools{Facts: poolFacts{r}}
	for path, hook := range map[string]*webhooks.Hook{
		webhooks.MutateServicesPath:   {Name: "mutate-services", Judge: services.Mutate},
		webhooks.ValidateServicesPath: {Name: "validate-services", Judge: services.Validate},

		webhooks.ValidateClusterIPPoolsPath: {Name: "validate-clusterippools", Judge: pools.ValidateClusterIPPool},
		webhooks.ValidateNodePortPoolsPath:  {Name: "validate-nodeportpools", Judge: pools.ValidateNodePortPool},

		webhooks.ValidateLoadBalancerPoolsPath: {Name: "validate-loadbalancerpools", Judge: pools.ValidateLoadBalancerPool},
	} {
		hook.Ready, hook.Draining, hook.Metrics = r.hasBeenTold, r.draining, counters
		hook.Register(server, path)
	}
	return errors.Join(
		mgr.AddReadyzCheck("servicenet-webhooks", server.StartedChecker()),
		mgr.AddReadyzCheck("servicenet-draining", r.stays))
}

// hasBeenTold fails until what the caches show is known.
func (r *replica) hasBeenTold() error {
	select {
	case <-r.told:
		return nil
	default:
		return errors.New("the Services and the ledger have not been read yet")
	}
}

// stays is a readiness check: it fails once the replica is about to stop.
func (r *replica) stays(*http.Request) error {
	select {
	case <-r.draining:
		return errors.New("the manager is about to stop")
	default:
		return nil
	}
}

// giveNumbers gives numbers out until the context ends. Where webhooks are served, it
// does so for some time more: until everybody knows that this replica stops, requests
// go on coming.
func (r *replica) giveNumbers(ctx context.Context) error {
	if !r.options.EnableWebhooks {
		return r.store.Run(ctx)
	}
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	context.AfterFunc(ctx, func() {
		close(r.draining)
		time.AfterFunc(r.options.WebhookDrainPeriod, end)
	})
	return r.store.Run(longer)
}

// facts is what a replica knows of the cluster.
type facts struct {
	*replica

	externalIPs admission.ExternalIPs
}

var _ webhooks.Facts = facts{}

// Cluster is of webhooks.Facts.
func (f facts) Cluster() (*admission.Cluster, error) {
	families, known := f.book.families()
	if !known {
		return nil, &ledger.UnavailableError{
			Reason:     "the ServiceCIDR kubernetes, which tells the address families of the cluster, does not exist yet",
			RetryAfter: time.Second,
		}
	}
	cluster := &admission.Cluster{
		Families: families, ClusterIPs: f.book.ClusterIPs(), NodePorts: f.book.NodePorts(), ExternalIPs: f.externalIPs,
		Now: f.book.clock.Now(),
	}
	if f.options.runs(LoadBalancerName) {
		cluster.Balancing = admission.Balancing{
			Pools: f.book.LoadBalancers(), Class: f.options.LoadBalancerClass, Default: f.options.LoadBalancerDefault,
		}
	}
	return cluster, nil
}

// NamespaceLabels is of webhooks.Facts.
func (f facts) NamespaceLabels(ctx context.Context, name string) (map[string]string, error) {
	namespace, key := &corev1.Namespace{}, client.ObjectKey{Name: name}
	err := f.reader.Get(ctx, key, namespace)
	if apierrors.IsNotFound(err) {
		err = f.live.Get(ctx, key, namespace)
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	return namespace.Labels, nil
}

// ShowsService is of webhooks.Facts.
func (f facts) ShowsService(name types.NamespacedName) bool {
	_, shown, err := f.services.GetByKey(name.String())
	return shown && err == nil
}

// ServiceExists is of webhooks.Facts.
func (f facts) ServiceExists(ctx context.Context, name types.NamespacedName) (bool, error) {
	err := f.live.Get(ctx, name, &corev1.Service{})
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("looking for Service %s: %w", name, err)
	}
	return err == nil, nil
}

// Numbers is of webhooks.Facts.
func (f facts) Numbers(namespace string) iter.Seq2[ledger.Place, types.NamespacedName] {
	return func(yield func(ledger.Place, types.NamespacedName) bool) {
		for place, name := range f.store.Pending(namespace) {
			if !yield(place, name) {
				return
			}
		}
		// What is seen with its Service is not pending any more: this must come last.
		services, err := f.services.ByIndex(toolscache.NamespaceIndex, namespace)
		if err != nil {
			return // there is no such index: never
		}
		for service := range each[*serviceRecord](services) {
			for _, place := range service.Numbers {
				if !yield(place, service.NamespacedName) {
					return
				}
			}
		}
	}
}
