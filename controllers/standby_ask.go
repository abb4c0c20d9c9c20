// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/standby"
)

// wordLength makes it certain that a word was never asked with before.
const wordLength = 10

// put makes or changes one of the objects that ask. before is empty if there is none;
// the change fails if it is not that any more.
func (a *attendant) put(ctx context.Context, before, now client.Object) error {
	now.SetNamespace(a.options.Namespace)
	var err error
	if before.GetUID() == "" {
		err = a.api.Create(ctx, now)
	} else {
		err = a.api.Update(ctx, now)
	}
	if err != nil {
		return fmt.Errorf("asking who writes endpoints, with %T %s/%s: %w", now, a.options.Namespace, now.GetName(), err)
	}
	return nil
}

// question returns the Service that asks who writes EndpointSlices and Endpoints. An
// empty word leaves the one there is.
func (s *scene) question(word string, record standby.Record) *corev1.Service {
	service := s.service.DeepCopy()
	if service.UID == "" {
		service = headless(standby.ServiceName)
	}
	service.Spec.Type, service.Spec.Selector = corev1.ServiceTypeClusterIP, unmatched()
	if word != "" {
		service.Labels = withEntry(service.Labels, standby.QuestionLabel, word)
	}
	service.Annotations = withEntry(service.Annotations, standby.RecordAnnotation, record.String())
	return service
}

// mirroringService returns the Service without a selector.
func (s *scene) mirroringService() *corev1.Service {
	if s.mirroredService.UID == "" {
		return headless(standby.MirroredName)
	}
	service := s.mirroredService.DeepCopy()
	service.Spec.Type, service.Spec.Selector = corev1.ServiceTypeClusterIP, nil
	return service
}

// mirrorQuestion returns the Endpoints that ask who mirrors them. Their address is one
// for documentation, and not ready: the Service of their name leads nowhere.
func (s *scene) mirrorQuestion(word string) *corev1.Endpoints {
	endpoints := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{
		Name: standby.MirroredName, ResourceVersion: s.mirrored.ResourceVersion, UID: s.mirrored.UID,
		Labels: map[string]string{standby.QuestionLabel: word},
	}}
	endpoints.Subsets = []corev1.EndpointSubset{{NotReadyAddresses: []corev1.EndpointAddress{{IP: "192.0.2.1"}}}}
	return endpoints
}

// headless returns a Service that takes no number. It bears the label that asks from the
// beginning, since it is found by it.
func headless(name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{standby.QuestionLabel: ""}},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone},
	}
}

// unmatched is a selector that matches nothing.
func unmatched() map[string]string {
	return map[string]string{standby.QuestionLabel: "nobody-bears-this"}
}

func withEntry(entries map[string]string, key, value string) map[string]string {
	changed := maps.Clone(entries)
	if changed == nil {
		changed = map[string]string{}
	}
	changed[key] = value
	return changed
}

// tell writes the record where it is not what there is, and asks with a new word if that
// is due.
func (a *attendant) tell(ctx context.Context, s *scene, record standby.Record, again bool) error {
	word := ""
	if again {
		word = rand.String(wordLength)
	}
	if again || record.String() != s.record.String() {
		if err := a.put(ctx, &s.service, s.question(word, record)); err != nil {
			return err
		}
	}
	if !again || !slices.Contains(a.controllers, EndpointSliceMirroringName) {
		return nil
	}
	if s.askedToMirror() == "" {
		if err := a.put(ctx, &s.mirroredService, s.mirroringService()); err != nil {
			return err
		}
	}
	return a.put(ctx, &s.mirrored, s.mirrorQuestion(word))
}

// withdraw removes what asks, and Endpoints that answer: they have no owner. What bears
// one of the names and does not ask is somebody else's.
func withdraw(ctx context.Context, api client.Client, namespace string) error {
	for _, object := range []client.Object{
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: standby.ServiceName}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: standby.MirroredName}},
		&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: standby.ServiceName}},
		&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: standby.MirroredName}},
	} {
		err := api.Get(ctx, client.ObjectKeyFromObject(object), object)
		if _, asks := object.GetLabels()[standby.QuestionLabel]; err == nil && asks {
			err = api.Delete(ctx, object)
		}
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("removing %T %s/%s: %w", object, namespace, object.GetName(), err)
		}
	}
	return nil
}
