// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Options say what the certificate is for, and where it is kept.
type Options struct {
	// Secret must exist; what is in it besides the certificate is kept.
	Secret types.NamespacedName
	// Authority is the name of the authority, DNSName that of the webhooks' Service.
	Authority, DNSName string
	// Mutating names the configuration of mutating webhooks, Validating those of
	// validating ones.
	Mutating   string
	Validating []string
	// Store is given the certificate.
	Store *Store
}

// Add has each replica of a manager look after the certificate. Its identity needs the
// rights of config/rbac/webhook_cert_role.yaml.
func Add(mgr ctrl.Manager, options Options) error {
	own, err := newCluster(mgr, &options)
	if err != nil {
		return fmt.Errorf("building the cache of certificates: %w", err)
	}
	if err := mgr.Add(own); err != nil {
		return fmt.Errorf("adding the cache of certificates: %w", err)
	}
	k := &keeper{
		issuer: issuer{authority: options.Authority, dnsName: options.DNSName},
		secret: options.Secret, configurations: options.configurations(),
		reader: own.GetCache(), writer: own.GetClient(), clock: clock.RealClock{}, store: options.Store,
	}
	err = ctrl.NewControllerManagedBy(mgr).Named("webhook-certificate").
		WithOptions(controller.Options{NeedLeaderElection: new(false)}).
		WatchesRawSource(source.Kind(own.GetCache(), &corev1.Secret{}, always[*corev1.Secret](options.Secret.Name))).
		WatchesRawSource(source.Kind(own.GetCache(), &admissionregistrationv1.MutatingWebhookConfiguration{},
			always[*admissionregistrationv1.MutatingWebhookConfiguration](options.Mutating))).
		WatchesRawSource(source.Kind(own.GetCache(), &admissionregistrationv1.ValidatingWebhookConfiguration{},
			always[*admissionregistrationv1.ValidatingWebhookConfiguration](options.Validating...))).
		Complete(k)
	if err != nil {
		return fmt.Errorf("adding the controller of certificates: %w", err)
	}
	return nil
}

// always asks for the one thing there is to do, whenever one of some objects changes.
func always[T client.Object](names ...string) handler.TypedEventHandler[T, reconcile.Request] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, object T) []reconcile.Request {
		if slices.Contains(names, object.GetName()) {
			return []reconcile.Request{{}}
		}
		return nil
	})
}

func (o *Options) configurations() []configuration {
	all := []configuration{{&admissionregistrationv1.MutatingWebhookConfiguration{}, o.Mutating}}
	for _, name := range o.Validating {
		all = append(all, configuration{&admissionregistrationv1.ValidatingWebhookConfiguration{}, name})
	}
	return all
}

// newCluster has a cache of what is looked after alone. Of what is chosen by its name,
// the manager may read nothing else.
func newCluster(mgr ctrl.Manager, options *Options) (cluster.Cluster, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, admissionregistrationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	return cluster.New(mgr.GetConfig(), func(o *cluster.Options) {
		o.Scheme = scheme
		o.Logger = mgr.GetLogger()
		o.HTTPClient = mgr.GetHTTPClient()
		o.MapperProvider = func(*rest.Config, *http.Client) (apimeta.RESTMapper, error) { return mgr.GetRESTMapper(), nil }
		o.Cache = cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {
				Namespaces: map[string]cache.Config{options.Secret.Namespace: {}},
				Field:      named(options.Secret.Name),
			},
			&admissionregistrationv1.MutatingWebhookConfiguration{}: {Field: named(options.Mutating)},
		}}
	})
}

func named(name string) fields.Selector { return fields.OneTermEqualSelector("metadata.name", name) }
