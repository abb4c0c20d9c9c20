// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/mirroring"
	"servicenet.dev/servicenet/internal/standby"
)

// newAskingClient reads and writes in the API server itself: what a cache shows may be
// long over.
func newAskingClient(mgr ctrl.Manager, options Options) (client.Client, error) {
	scheme := runtime.NewScheme()
	var errs []error
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, discoveryv1.AddToScheme, coordinationv1.AddToScheme, metav1.AddMetaToScheme,
	} {
		errs = append(errs, add(scheme))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	return client.New(clientConfig(mgr.GetConfig(), options), client.Options{
		Scheme: scheme, HTTPClient: mgr.GetHTTPClient(), Mapper: mgr.GetRESTMapper(),
	})
}

// scene is what there is of the questions and their answers. What is not there has no UID.
type scene struct {
	service         corev1.Service // that whose selector matches nothing, with the record
	endpoints       corev1.Endpoints
	mirroredService corev1.Service // that without a selector
	mirrored        corev1.Endpoints
	slices          discoveryv1.EndpointSliceList // of both Services
	record          standby.Record
	leases          map[string]standby.Lease
}

// read reads the scene. It fails unless all of it could be read.
func (a *attendant) read(ctx context.Context) (*scene, error) {
	s := &scene{leases: map[string]standby.Lease{}}
	var (
		services  corev1.ServiceList
		endpoints corev1.EndpointsList
	)
	ofBoth := &metav1.ListOptions{
		LabelSelector: fmt.Sprintf("%s in (%s,%s)", discoveryv1.LabelServiceName, standby.ServiceName, standby.MirroredName),
	}
	inOurs, asking := client.InNamespace(a.options.Namespace), client.HasLabels{standby.QuestionLabel}
	err := errors.Join(
		a.api.List(ctx, &services, inOurs, asking),
		a.api.List(ctx, &endpoints, inOurs, asking),
		a.api.List(ctx, &s.slices, inOurs, &client.ListOptions{Raw: ofBoth}))
	if err != nil {
		return nil, fmt.Errorf("reading who has answered: %w", err)
	}
	for i := range services.Items {
		switch services.Items[i].Name {
		case standby.ServiceName:
			s.service = services.Items[i]
		case standby.MirroredName:
			s.mirroredService = services.Items[i]
		}
	}
	for i := range endpoints.Items {
		switch endpoints.Items[i].Name {
		case standby.ServiceName:
			s.endpoints = endpoints.Items[i]
		case standby.MirroredName:
			s.mirrored = endpoints.Items[i]
		}
	}
	for _, name := range a.options.KubeControllerManagerLeases {
		if s.leases[name], err = a.readLease(ctx, name); err != nil {
			return nil, err
		}
	}
	if s.record, err = standby.ParseRecord(s.service.Annotations[standby.RecordAnnotation]); err != nil {
		a.log.Info("What a leader recorded is not used", "reason", err.Error())
		s.record = standby.Record{}
	}
	return s, nil
}

// readLease reads a Lease by its name, as namespace/name.
func (a *attendant) readLease(ctx context.Context, name string) (standby.Lease, error) {
	var lease coordinationv1.Lease
	namespace, name, _ := strings.Cut(name, "/")
	err := a.api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &lease)
	switch {
	case apierrors.IsNotFound(err):
		return standby.Lease{}, nil
	case err != nil:
		return standby.Lease{}, fmt.Errorf("reading Lease %s/%s: %w", namespace, name, err)
	}
	return standby.Lease{
		Version:  string(lease.UID) + "/" + lease.ResourceVersion,
		Duration: time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 0)) * time.Second,
	}, nil
}

// look says what a scene means for the controllers that are asked about.
func (s *scene) look(at time.Time, controllers []string) *standby.Look {
	look := &standby.Look{At: at, Leases: s.leases, Traces: map[string]standby.Trace{}}
	for _, name := range controllers {
		var trace standby.Trace
		switch name {
		case EndpointSliceName:
			trace = answers(s.asked(), s.slicesOf(standby.ServiceName))
		case EndpointsName:
			trace = answers(s.asked(), []client.Object{&s.endpoints})
		case EndpointSliceMirroringName:
			trace = answers(s.askedToMirror(), s.slicesOf(standby.MirroredName))
		}
		trace.Acted = s.record[name].Acts
		look.Traces[name] = trace
	}
	return look
}

// asked returns the word that the Service asks with, empty if it is not as it must be for
// anybody to answer.
func (s *scene) asked() string {
	service := &s.service
	if service.DeletionTimestamp != nil || !maps.Equal(service.Spec.Selector, unmatched()) ||
		service.Spec.Type == corev1.ServiceTypeExternalName {
		return ""
	}
	return service.Labels[standby.QuestionLabel]
}

// askedToMirror returns the word that the Endpoints ask with likewise.
func (s *scene) askedToMirror() string {
	object, service := &s.mirrored, &s.mirroredService
	if service.UID == "" || service.DeletionTimestamp != nil || len(object.Subsets) == 0 || !mirroring.Mirrored(object, service) {
		return ""
	}
	return object.Labels[standby.QuestionLabel]
}

// answers compares a word with what somebody else wrote about it.
func answers(word string, written []client.Object) standby.Trace {
	trace := standby.Trace{Question: word}
	for _, object := range written {
		if object.GetUID() == "" {
			continue
		}
		trace.Versions = append(trace.Versions, string(object.GetUID())+"/"+object.GetResourceVersion())
		if word != "" && object.GetLabels()[standby.QuestionLabel] == word {
			trace.Answered = true
		}
	}
	return trace
}

func (s *scene) slicesOf(service string) []client.Object {
	var all []client.Object
	for i := range s.slices.Items {
		if s.slices.Items[i].Labels[discoveryv1.LabelServiceName] == service {
			all = append(all, &s.slices.Items[i])
		}
	}
	return all
}
