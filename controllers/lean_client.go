// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// metadataOnly asks for an answer without a spec or status, as clients of metadata
// do (https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches).
const metadataOnly = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

// errNoMetadata says that whoever answered did not know what was asked for.
var errNoMetadata = errors.New("the API server did not answer with the metadata of what it stored")

// leanClient has the API server answer creates and updates of EndpointSlices,
// Endpoints and AllocationBlocks with the metadata of what it stored: a hundred
// endpoints, which the sender knows, are neither encoded, sent nor read once more. Of
// an object that was written, only the metadata is what the server has.
type leanClient struct {
	client.Client
	slices, endpoints, blocks rest.Interface
	parameters                runtime.ParameterCodec
}

// newLeanClient is what [client.New] is.
func newLeanClient(config *rest.Config, options client.Options) (client.Client, error) {
	whole, err := client.New(config, options)
	if err != nil {
		return nil, err
	}
	codecs := serializer.NewCodecFactory(options.Scheme)
	clientOf := func(kind schema.GroupVersionKind) (rest.Interface, error) {
		return apiutil.RESTClientForGVK(kind, false, false, config, codecs, options.HTTPClient)
	}
	slices, errSlices := clientOf(discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"))
	endpoints, errEndpoints := clientOf(corev1.SchemeGroupVersion.WithKind("Endpoints"))
	blocks, errBlocks := clientOf(servicenetv1alpha1.GroupVersion.WithKind("AllocationBlock"))
	if err := errors.Join(errSlices, errEndpoints, errBlocks); err != nil {
		return nil, fmt.Errorf("building the client of what is written most: %w", err)
	}
	return &leanClient{
		Client: whole, slices: slices, endpoints: endpoints, blocks: blocks, parameters: runtime.NewParameterCodec(options.Scheme),
	}, nil
}

// Create creates an object, whose metadata becomes that of the one the server has.
func (c *leanClient) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	to, resource := c.of(object)
	if to == nil {
		return c.Client.Create(ctx, object, options...)
	}
	var all client.CreateOptions
	all.ApplyOptions(options)
	return c.send(ctx, to.Post().Resource(resource), object, all.AsCreateOptions())
}

// Update updates an object likewise.
func (c *leanClient) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	to, resource := c.of(object)
	if to == nil {
		return c.Client.Update(ctx, object, options...)
	}
	var all client.UpdateOptions
	all.ApplyOptions(options)
	return c.send(ctx, to.Put().Resource(resource).Name(object.GetName()), object, all.AsUpdateOptions())
}

// of returns what to write an object with, nil if it is no lean one.
func (c *leanClient) of(object client.Object) (to rest.Interface, resource string) {
	switch object.(type) {
	case *discoveryv1.EndpointSlice:
		return c.slices, "endpointslices"
	case *corev1.Endpoints:
		return c.endpoints, "endpoints"
	case *servicenetv1alpha1.AllocationBlock:
		return c.blocks, "allocationblocks"
	default:
		return nil, ""
	}
}

func (c *leanClient) send(ctx context.Context, request *rest.Request, object client.Object, options runtime.Object) error {
	var answer metav1.PartialObjectMetadata
	err := request.
		NamespaceIfScoped(object.GetNamespace(), object.GetNamespace() != "").
		SetHeader("Accept", metadataOnly).
		VersionedParams(options, c.parameters).
		Body(object).
		Do(ctx).
		Into(&answer)
	if err != nil {
		return err
	}
	meta, isMeta := object.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
	if !isMeta || answer.ResourceVersion == "" {
		return errNoMetadata
	}
	*meta = answer.ObjectMeta
	return nil
}
