// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/policy"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/internal/standby"
)

// deploymentName is that of config/manager, without the prefix.
const deploymentName = "controller-manager"

// ownFinalizers is what the names of finalizers begin with that only we take off.
const ownFinalizers = "servicenet.dev/"

// cleaner removes what a manager leaves. Each step leaves alone what is gone, so that
// all can be done again.
type cleaner struct {
	api               client.Client
	namespace, prefix string
}

// step is what was done, and what does it. It returns how often.
type step struct {
	what string
	do   func(ctx context.Context) (int, error)
}

// cleanupScheme knows what steps read.
func cleanupScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionregistrationv1.AddToScheme, appsv1.AddToScheme, coordinationv1.AddToScheme, corev1.AddToScheme,
		networkingv1.AddToScheme, servicenetv1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	return scheme, nil
}

// run does all steps. What has to be gone before the rest ends it when it fails; of the
// rest as much is removed as can be.
func (c *cleaner) run(ctx context.Context, out io.Writer) error {
	for _, first := range []step{
		{"webhook configurations removed", c.removeWebhooks},
		{"Deployments removed", c.removeDeployment},
		{"replicas that left a Lease behind", c.awaitReplicas},
	} {
		if err := first.run(ctx, out); err != nil {
			return err
		}
	}
	var errs []error
	for _, rest := range []step{
		{"finalizers of Services removed", func(ctx context.Context) (int, error) { return c.removeFinalizers(ctx, coreKind("Service")) }},
		{"finalizers of pools removed", c.removePoolFinalizers},
		{"admission policies and bindings removed", c.removePolicies},
		{"blocks of the ledger removed", c.removeBlocks},
		{"ServiceCIDRs of pools removed", c.removeServiceCIDRs},
		{"objects that asked who writes endpoints removed", c.removeQuestions},
		{"Leases removed", c.removeLeases},
	} {
		errs = append(errs, rest.run(ctx, out))
	}
	return errors.Join(errs...)
}

// run does a step, and prints a line.
func (s step) run(ctx context.Context, out io.Writer) error {
	count, err := s.do(ctx)
	fmt.Fprintf(out, "%6d %s\n", count, s.what)
	if err != nil {
		return fmt.Errorf("%s: %w", s.what, err)
	}
	return nil
}

// remove deletes an object, if it is there.
func (c *cleaner) remove(ctx context.Context, object client.Object, options ...client.DeleteOption) (int, error) {
	err := c.api.Delete(ctx, object, options...)
	switch {
	case err == nil:
		return 1, nil
	case apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err):
		return 0, nil
	default:
		return 0, fmt.Errorf("deleting %s: %w", object.GetName(), err)
	}
}

// removeAll deletes the objects of a list that are ours.
func (c *cleaner) removeAll(
	ctx context.Context, list client.ObjectList, ours func(client.Object) bool, options ...client.ListOption,
) (count int, err error) {
	if err := c.api.List(ctx, list, options...); err != nil {
		if apimeta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return 0, nil
		}
		return 0, err
	}
	var errs []error
	err = apimeta.EachListItem(list, func(item runtime.Object) error {
		if object, ok := item.(client.Object); ok && ours(object) {
			removed, err := c.remove(ctx, object)
			count += removed
			errs = append(errs, err)
		}
		return nil
	})
	return count, errors.Join(append(errs, err)...)
}

func (c *cleaner) removeWebhooks(ctx context.Context) (count int, err error) {
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: c.prefix + name} }
	var errs []error
	for _, object := range []client.Object{
		&admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: named(serviceWebhooks)},
		&admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: named(serviceWebhooks)},
		&admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: named(poolWebhooks)},
	} {
		removed, err := c.remove(ctx, object)
		count += removed
		errs = append(errs, err)
	}
	return count, errors.Join(errs...)
}

func (c *cleaner) removeDeployment(ctx context.Context) (int, error) {
	meta := metav1.ObjectMeta{Namespace: c.namespace, Name: c.prefix + deploymentName}
	return c.remove(ctx, &appsv1.Deployment{ObjectMeta: meta}, client.PropagationPolicy(metav1.DeletePropagationBackground))
}

func coreKind(kind string) schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind(kind) }

func (c *cleaner) removePoolFinalizers(ctx context.Context) (count int, err error) {
	var errs []error
	for _, kind := range []string{"ClusterIPPool", "LoadBalancerPool", "NodePortPool"} {
		removed, err := c.removeFinalizers(ctx, servicenetv1alpha1.GroupVersion.WithKind(kind))
		count += removed
		errs = append(errs, err)
	}
	return count, errors.Join(errs...)
}

// removeFinalizers takes ours from all objects of a kind.
func (c *cleaner) removeFinalizers(ctx context.Context, kind schema.GroupVersionKind) (count int, err error) {
	const page = 500
	var errs []error
	list := &metav1.PartialObjectMetadataList{}
	for {
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		err := c.api.List(ctx, list, client.Limit(page), client.Continue(list.Continue))
		if apimeta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return count, nil
		}
		if err != nil {
			return count, errors.Join(append(errs, err)...)
		}
		for i := range list.Items {
			object := &list.Items[i]
			if !slices.ContainsFunc(object.Finalizers, ours) {
				continue
			}
			object.SetGroupVersionKind(kind)
			if err := c.freeOf(ctx, object); err != nil {
				errs = append(errs, err)
				continue
			}
			count++
		}
		if list.Continue == "" {
			return count, errors.Join(errs...)
		}
	}
}

func ours(finalizer string) bool { return strings.HasPrefix(finalizer, ownFinalizers) }

// freeOf takes our finalizers from an object, whoever else writes to it.
func (c *cleaner) freeOf(ctx context.Context, object *metav1.PartialObjectMetadata) error {
	for {
		rest := slices.DeleteFunc(slices.Clone(object.Finalizers), ours)
		change, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"finalizers": rest, "resourceVersion": object.ResourceVersion},
		})
		if err != nil {
			return fmt.Errorf("encoding a change of %s: %w", client.ObjectKeyFromObject(object), err)
		}
		err = c.api.Patch(ctx, object, client.RawPatch(types.MergePatchType, change))
		if apierrors.IsConflict(err) {
			err = c.api.Get(ctx, client.ObjectKeyFromObject(object), object)
			if err == nil {
				continue
			}
		}
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("changing %s: %w", client.ObjectKeyFromObject(object), err)
		}
		return nil
	}
}

// removePolicies deletes bindings first: a policy without one is obeyed by nobody.
func (c *cleaner) removePolicies(ctx context.Context) (int, error) {
	ours := func(object client.Object) bool {
		return policy.ClusterIPs.Has(object) || policy.NodePorts.Has(object)
	}
	bindings, err := c.removeAll(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBindingList{}, ours)
	policies, more := c.removeAll(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyList{}, ours)
	return bindings + policies, errors.Join(err, more)
}

func (c *cleaner) removeBlocks(ctx context.Context) (int, error) {
	return c.removeAll(ctx, &servicenetv1alpha1.AllocationBlockList{}, func(client.Object) bool { return true })
}

// removeServiceCIDRs deletes those that the manager made for pools. The API server
// keeps one while Services have its addresses.
func (c *cleaner) removeServiceCIDRs(ctx context.Context) (int, error) {
	return c.removeAll(ctx, &networkingv1.ServiceCIDRList{}, func(object client.Object) bool {
		cidr, ok := object.(*networkingv1.ServiceCIDR)
		return ok && cidr.DeletionTimestamp == nil && pool.OwnerPool(cidr) != ""
	})
}

// removeQuestions removes what a replica that was killed has left of
// --endpoints-mode=auto. Their EndpointSlices go with them.
func (c *cleaner) removeQuestions(ctx context.Context) (int, error) {
	asks := func(object client.Object) bool {
		return standby.Question(client.ObjectKeyFromObject(object), c.namespace)
	}
	services, err := c.removeAll(ctx, &corev1.ServiceList{}, asks, client.InNamespace(c.namespace))
	endpoints, more := c.removeAll(ctx, &corev1.EndpointsList{}, asks, client.InNamespace(c.namespace))
	return services + endpoints, errors.Join(err, more)
}
