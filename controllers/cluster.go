// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/endpointslice"
)

// newCluster builds the cache and client of the controllers: only the kinds they
// read, stripped before they are stored, and never copied on a read, since
// nothing here writes to an object it got from the cache.
func newCluster(mgr ctrl.Manager, options Options) (cluster.Cluster, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, discoveryv1.AddToScheme, metav1.AddMetaToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	own, err := cluster.New(clientConfig(mgr.GetConfig(), options), func(o *cluster.Options) {
		o.Scheme = scheme
		o.Logger = mgr.GetLogger()
		o.HTTPClient = mgr.GetHTTPClient()
		o.MapperProvider = func(*rest.Config, *http.Client) (apimeta.RESTMapper, error) { return mgr.GetRESTMapper(), nil }
		o.Cache = cacheOptions(options)
		o.NewClient = newLeanClient
	})
	if err != nil {
		return nil, err
	}
	ctx := context.Background() //nolint:forbidigo // nothing is started yet that a context could end
	return own, addIndexes(ctx, own.GetCache(), options.Controllers)
}

// cacheOptions strips every kind before it is stored. Services and Endpoints are
// shown again now and then, in case an event got lost.
func cacheOptions(options Options) cache.Options {
	services, objects := stored(endpointslice.StripService), stored(endpoints.StripEndpoints)
	resync := wait.Jitter(options.MinResyncPeriod, 1)
	services.SyncPeriod, objects.SyncPeriod = &resync, &resync
	return cache.Options{ByObject: map[client.Object]cache.ByObject{
		&corev1.Service{}:            services,
		&corev1.Endpoints{}:          objects,
		&corev1.Pod{}:                stored(endpointslice.NewPodStripper()),
		&corev1.Node{}:               stored(endpointslice.StripNode),
		&discoveryv1.EndpointSlice{}: stored(endpointslice.StripSlice),
	}}
}

// clientConfig leaves the host's settings alone but for the encoding, which is
// cheaper to read, the limits asked for, and what is done with warnings.
func clientConfig(host *rest.Config, options Options) *rest.Config {
	config := rest.CopyConfig(host)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.RateLimiter = nil
	config.WarningHandler, config.WarningHandlerWithContext = nil, warnings{}
	config.QPS, config.Burst = -1, 0
	if options.KubeAPIQPS > 0 {
		config.QPS, config.Burst = options.KubeAPIQPS, options.KubeAPIBurst
	}
	return config
}

// stored is the cache setting of a kind that is stripped by a function.
func stored[T client.Object](strip func(T) T) cache.ByObject {
	return cache.ByObject{
		UnsafeDisableDeepCopy: new(true),
		Transform: toolscache.TransformFunc(func(object any) (any, error) {
			if typed, ok := object.(T); ok {
				return strip(typed), nil
			}
			return object, nil // a tombstone: its object went through here already
		}),
	}
}
