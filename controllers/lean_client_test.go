// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// newLeanTest returns a client of a server that answers every request with a status
// and an object, and notes the requests.
func newLeanTest(t *testing.T, status int, answer any) (to client.Client, requests *[]string) {
	t.Helper()
	requests = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		lean := "whole"
		if strings.HasPrefix(r.Header.Get("Accept"), metadataOnly) {
			lean = "lean"
		}
		if !strings.Contains(string(body), "10.0.0.1") && !strings.Contains(r.URL.Path, "services") {
			t.Errorf("the body has not what is to be written: %s", body)
		}
		*requests = append(*requests, strings.Join([]string{r.Method, r.URL.String(), lean}, " "))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, discoveryv1.AddToScheme, metav1.AddMetaToScheme, servicenetv1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	mapper := apimeta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Service"), apimeta.RESTScopeNamespace)
	whole := &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: runtime.ContentTypeJSON}}
	to, err := newLeanClient(whole, client.Options{Scheme: scheme, Mapper: mapper, HTTPClient: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return client.WithFieldOwner(to, "tester"), requests
}

func leanSlice() *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", ResourceVersion: "1"},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}},
	}
}

func metadataOf(name string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, ResourceVersion: "7", UID: "u"},
	}
}

func TestWritesAreAnsweredWithMetadataAlone(t *testing.T) {
	to, requests := newLeanTest(t, http.StatusOK, metadataOf("web-1"))
	slice := leanSlice()
	if err := to.Update(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	if slice.ResourceVersion != "7" || slice.UID != "u" || len(slice.Endpoints) != 1 {
		t.Errorf("the slice is now %v", slice)
	}
	object := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		Subsets:    []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: "10.0.0.1"}}}},
	}
	if err := to.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	block := &servicenetv1alpha1.AllocationBlock{ObjectMeta: metav1.ObjectMeta{Name: "nodeport-0"}, First: "10.0.0.1"}
	if err := to.Update(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	service := metadataOf("web")
	service.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"status":{"loadBalancer":{"ingress":[{"ip":"10.0.0.1"}]}}}`))
	if err := to.Status().Patch(t.Context(), service, patch); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PUT /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/web-1?fieldManager=tester lean",
		"POST /api/v1/namespaces/shop/endpoints?fieldManager=tester lean",
		"PUT /apis/servicenet.dev/v1alpha1/allocationblocks/nodeport-0?fieldManager=tester lean",
		"PATCH /api/v1/namespaces/shop/services/web/status?fieldManager=tester lean",
	}
	if diff := cmp.Diff(want, *requests); diff != "" {
		t.Error(diff)
	}
}

func TestOtherKindsAreAnsweredWhole(t *testing.T) {
	answer := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", ResourceVersion: "7"},
		Spec:       corev1.ServiceSpec{ClusterIP: "10.0.0.9"},
	}
	to, requests := newLeanTest(t, http.StatusOK, answer)
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
	if err := errors.Join(to.Create(t.Context(), service), to.Update(t.Context(), service)); err != nil {
		t.Fatal(err)
	}
	for _, request := range *requests {
		if !strings.HasSuffix(request, " whole") {
			t.Error(request)
		}
	}
	if service.Spec.ClusterIP != "10.0.0.9" {
		t.Errorf("the answer is not in the Service: %v", service.Spec)
	}
}

func TestRefusalsOfLeanWritesAreTold(t *testing.T) {
	conflict := apierrors.NewConflict(discoveryv1.Resource("endpointslices"), "web-1", errors.New("changed"))
	to, _ := newLeanTest(t, http.StatusConflict, conflict.Status())
	slice := leanSlice()
	if err := to.Update(t.Context(), slice); !apierrors.IsConflict(err) {
		t.Errorf("got %v, want a conflict", err)
	}
	if slice.ResourceVersion != "1" {
		t.Errorf("the slice is now %v", slice)
	}
}

func TestWhoDoesNotKnowLeanAnswersIsFoundOut(t *testing.T) {
	whole := leanSlice()
	whole.TypeMeta = metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}
	to, _ := newLeanTest(t, http.StatusOK, whole)
	if err := to.Update(t.Context(), leanSlice()); !errors.Is(err, errNoMetadata) {
		t.Errorf("got %v, want %v", err, errNoMetadata)
	}
}
