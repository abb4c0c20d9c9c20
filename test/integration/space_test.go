// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// space is the namespace that a spec has to itself.
type space string

// newSpace makes a namespace in which pods can be created. If the spec fails,
// its report shows what is in there.
func newSpace(ctx context.Context) space {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	in := space(namespace.Name)
	DeferCleanup(in.reportOnFailure)
	Eventually(in.find(&corev1.ServiceAccount{}, "default")).WithContext(ctx).Should(Succeed())
	return in
}

// terminate deletes the namespace and waits until its Services and slices are
// gone. Its pods take their time.
func (in space) terminate(ctx context.Context) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: string(in)}}
	Expect(api.Delete(ctx, namespace)).To(Succeed())
	for _, list := range []client.ObjectList{&corev1.ServiceList{}, &discoveryv1.EndpointSliceList{}} {
		Eventually(func(ctx context.Context) (int, error) {
			err := api.List(ctx, list, client.InNamespace(in))
			return apimeta.LenList(list), err
		}).WithContext(ctx).Should(BeZero())
	}
}

func (in space) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: string(in), Name: name}
}

// find returns a function that reads an object, for Eventually.
func (in space) find(object client.Object, name string) func(context.Context) error {
	return func(ctx context.Context) error { return api.Get(ctx, in.key(name), object) }
}

// get reads an object into the given one and returns it.
func get[T client.Object](ctx context.Context, in space, object T, name string) T {
	GinkgoHelper()
	Expect(api.Get(ctx, in.key(name), object)).To(Succeed())
	return object
}

// patch merges JSON into an object: that of the given type and name.
func (in space) patch(ctx context.Context, object client.Object, name, json string) {
	GinkgoHelper()
	object.SetNamespace(string(in))
	object.SetName(name)
	Expect(api.Patch(ctx, object, mergePatch(json))).To(Succeed())
}

// delete deletes an object: that of the given type and name.
func (in space) delete(ctx context.Context, object client.Object, name string, options ...client.DeleteOption) {
	GinkgoHelper()
	object.SetNamespace(string(in))
	object.SetName(name)
	Expect(api.Delete(ctx, object, options...)).To(Succeed())
}

func mergePatch(json string) client.Patch { return client.RawPatch(types.MergePatchType, []byte(json)) }

// newService describes a Service that selects pods by their app label.
func (in space) newService(name, label string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: string(in), Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{app: label},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
}

// expose creates such a Service, named like the pods it selects.
func (in space) expose(ctx context.Context, name string) *corev1.Service {
	GinkgoHelper()
	service := in.newService(name, name)
	Expect(api.Create(ctx, service)).To(Succeed())
	return service
}
