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
// an object that was written, only the metadata is what the server has. Patches of the
// status of a Service of which only the metadata is asked for are sent without the detours
// of a client that does not know what it sends.
type leanClient struct {
	client.Client
	slices, core, blocks rest.Interface
	parameters           runtime.ParameterCodec
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
	core, errCore := clientOf(corev1.SchemeGroupVersion.WithKind("Endpoints"))
	blocks, errBlocks := clientOf(servicenetv1alpha1.GroupVersion.WithKind("AllocationBlock"))
	if err := errors.Join(errSlices, errCore, errBlocks); err != nil {
		return nil, fmt.Errorf("building the client of what is written most: %w", err)
	}
	return &leanClient{
		Client: whole, slices: slices, core: core, blocks: blocks, parameters: runtime.NewParameterCodec(options.Scheme),
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
	return c.send(ctx, c.with(to.Post().Resource(resource), all.AsCreateOptions(), len(options)).Body(object), object)
}

// Update updates an object likewise.
func (c *leanClient) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	to, resource := c.of(object)
	if to == nil {
		return c.Client.Update(ctx, object, options...)
	}
	var all client.UpdateOptions
	all.ApplyOptions(options)
	request := to.Put().Resource(resource).Name(object.GetName())
	return c.send(ctx, c.with(request, all.AsUpdateOptions(), len(options)).Body(object), object)
}

// of returns what to write an object with, nil if it is no lean one.
func (c *leanClient) of(object client.Object) (to rest.Interface, resource string) {
	switch object.(type) {
	case *discoveryv1.EndpointSlice:
		return c.slices, "endpointslices"
	case *corev1.Endpoints:
		return c.core, "endpoints"
	case *servicenetv1alpha1.AllocationBlock:
		return c.blocks, "allocationblocks"
	default:
		return nil, ""
	}
}

// with adds options to a request. Where there are none, they need not be encoded.
func (c *leanClient) with(request *rest.Request, options runtime.Object, count int) *rest.Request {
	if count == 0 {
		return request
	}
	return request.VersionedParams(options, c.parameters)
}

// send makes a request. The metadata of the answer becomes that of the object.
func (c *leanClient) send(ctx context.Context, request *rest.Request, object client.Object) error {
	var answer metav1.PartialObjectMetadata
	err := request.
		NamespaceIfScoped(object.GetNamespace(), object.GetNamespace() != "").
		SetHeader("Accept", metadataOnly).
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

// Status is of client.Client.
func (c *leanClient) Status() client.SubResourceWriter {
	return &leanStatus{SubResourceWriter: c.Client.Status(), to: c}
}

// leanStatus writes statuses.
type leanStatus struct {
	client.SubResourceWriter
	to *leanClient
}

// Patch patches the status of an object. Of the metadata of a Service, that of the answer
// becomes the object's.
func (s *leanStatus) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
	var all client.SubResourcePatchOptions
	all.ApplyOptions(options)
	meta, isMeta := object.(*metav1.PartialObjectMetadata)
	if !isMeta || all.SubResourceBody != nil || meta.GroupVersionKind() != corev1.SchemeGroupVersion.WithKind("Service") {
		return s.SubResourceWriter.Patch(ctx, object, patch, options...)
	}
	content, err := patch.Data(object)
	if err != nil {
		return fmt.Errorf("building the patch of a status: %w", err)
	}
	request := s.to.core.Patch(patch.Type()).Resource("services").Name(object.GetName()).SubResource("status")
	return s.to.send(ctx, s.to.with(request, all.AsPatchOptions(), len(options)).Body(content), object)
}
