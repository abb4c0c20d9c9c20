// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/pool"
)

// missingKindsError says that the cluster does not have the kinds of controllers.
type missingKindsError struct {
	kinds []string
}

func (e *missingKindsError) Error() string {
	return fmt.Sprintf("the cluster does not have %s, which the controllers %s need: "+
		"install the kinds of servicenet (kubectl apply -k config/crd; those of networking.k8s.io/v1 come with Kubernetes 1.33), "+
		"or leave the controllers out (--controllers=*,-%s)",
		strings.Join(e.kinds, ", "), strings.Join(ledgerNames(), " and "), strings.Join(ledgerNames(), ",-"))
}

// haveLedgerKinds asks the API server for the kinds that are not in every cluster.
func haveLedgerKinds(mapper apimeta.RESTMapper, options Options) error {
	needed := []schema.GroupVersionKind{servicenetv1alpha1.GroupVersion.WithKind("AllocationBlock")}
	if options.runs(ClusterIPName) {
		needed = append(needed, servicenetv1alpha1.GroupVersion.WithKind("ClusterIPPool"),
			networkingv1.SchemeGroupVersion.WithKind("IPAddress"), networkingv1.SchemeGroupVersion.WithKind("ServiceCIDR"))
	}
	if options.runs(NodePortName) {
		needed = append(needed, servicenetv1alpha1.GroupVersion.WithKind("NodePortPool"))
	}
	if options.runs(LoadBalancerName) {
		needed = append(needed, servicenetv1alpha1.GroupVersion.WithKind("LoadBalancerPool"))
	}
	missing := &missingKindsError{}
	for _, kind := range needed {
		_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		switch {
		case apimeta.IsNoMatchError(err):
			missing.kinds = append(missing.kinds, kind.Kind+"."+kind.GroupVersion().String())
		case err != nil:
			return fmt.Errorf("asking the API server for the kind %s: %w", kind, err)
		}
	}
	if len(missing.kinds) > 0 {
		return missing
	}
	return nil
}

// newLedgerCluster builds the cache and the client of the controllers of numbers.
// What is cached is stripped to what they read and never copied. Of Services and
// IPAddress objects, of which there may be very many, there are records, which are
// read from the stores of their informers.
func newLedgerCluster(mgr ctrl.Manager, options Options, records *recorder) (cluster.Cluster, error) {
	scheme := runtime.NewScheme()
	var errs []error
	for _, add := range []func(*runtime.Scheme) error{
		admissionregistrationv1.AddToScheme, corev1.AddToScheme, coordinationv1.AddToScheme, networkingv1.AddToScheme,
		metav1.AddMetaToScheme, servicenetv1alpha1.AddToScheme,
	} {
		errs = append(errs, add(scheme))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	config := clientConfig(mgr.GetConfig(), options)
	// Kinds of our own have no protobuf: the client is to choose for each.
	config.ContentType, config.AcceptContentTypes = "", ""
	return cluster.New(config, func(o *cluster.Options) {
		o.Scheme = scheme
		o.Logger = mgr.GetLogger()
		o.HTTPClient = mgr.GetHTTPClient()
		o.NewClient = newLeanClient
		o.MapperProvider = func(*rest.Config, *http.Client) (apimeta.RESTMapper, error) { return mgr.GetRESTMapper(), nil }
		o.Cache = cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.Service{}:                      recordedBy(records.service),
			&corev1.Namespace{}:                    stored(stripNamespace),
			&networkingv1.IPAddress{}:              recordedBy(records.address),
			&networkingv1.ServiceCIDR{}:            stored(stripManaged[*networkingv1.ServiceCIDR]),
			&servicenetv1alpha1.AllocationBlock{}:  stored(stripManaged[*servicenetv1alpha1.AllocationBlock]),
			&servicenetv1alpha1.ClusterIPPool{}:    stored(stripManaged[*servicenetv1alpha1.ClusterIPPool]),
			&servicenetv1alpha1.NodePortPool{}:     stored(stripManaged[*servicenetv1alpha1.NodePortPool]),
			&servicenetv1alpha1.LoadBalancerPool{}: stored(stripManaged[*servicenetv1alpha1.LoadBalancerPool]),
			&corev1.Node{}:                         stored(stripBalancingNode),
			&admissionregistrationv1.ValidatingAdmissionPolicy{}: ours(
				stored(stripManaged[*admissionregistrationv1.ValidatingAdmissionPolicy])),
			&admissionregistrationv1.ValidatingAdmissionPolicyBinding{}: ours(
				stored(stripManaged[*admissionregistrationv1.ValidatingAdmissionPolicyBinding])),
		}}
	})
}

// ours is the cache setting of a kind of which only what bears our label is read.
func ours(setting cache.ByObject) cache.ByObject {
	setting.Label = labels.SelectorFromSet(labels.Set{pool.ManagedByLabel: pool.ManagedBy})
	return setting
}

// directClient reads and writes in the API server itself.
type directClient struct {
	client.Reader
	client.Writer
}

var _ store.Client = directClient{}
