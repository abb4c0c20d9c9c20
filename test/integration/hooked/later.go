// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hooked

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Later is a webhook of somebody else that comes after those of the manager, so that
// they are asked again about what it makes of a Service.
type Later struct {
	patch string
	// called is told of each request, if it is set.
	called func()
}

// Labels are those of the Services that it is asked about.
func (*Later) Labels() map[string]string { return map[string]string{"later": "yes"} }

// StartLater starts one that patches each new Service with a JSON patch, which makes a
// NodePort of it, until the spec ends, and waits until the API server asks it.
func StartLater(ctx context.Context, s *Server, called func(), patch string) *Later {
	GinkgoHelper()
	l := &Later{patch: patch, called: called}
	server := httptest.NewTLSServer(l)
	DeferCleanup(server.Close)
	hook := admissionregistrationv1.MutatingWebhook{
		Name: "later.example.com", AdmissionReviewVersions: []string{"v1"},
		SideEffects: new(admissionregistrationv1.SideEffectClassNone),
		ClientConfig: admissionregistrationv1.WebhookClientConfig{
			URL:      &server.URL,
			CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		},
		ObjectSelector: &metav1.LabelSelector{MatchLabels: l.Labels()},
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"services"}},
		}},
	}
	configuration := &admissionregistrationv1.MutatingWebhookConfiguration{
		// They are called in the order of their names.
		ObjectMeta: metav1.ObjectMeta{Name: "zz-later"}, Webhooks: []admissionregistrationv1.MutatingWebhook{hook},
	}
	Expect(s.API.Create(ctx, configuration)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(s.API.Delete(ctx, configuration)).To(Succeed()) })
	Eventually(func(ctx context.Context) (corev1.ServiceType, error) {
		probe := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "free", GenerateName: "probe-", Labels: l.Labels()}}
		probe.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}}
		err := s.API.Create(ctx, probe)
		if err == nil {
			err = s.API.Delete(ctx, probe)
		}
		return probe.Spec.Type, err
	}).WithContext(ctx).Should(Equal(corev1.ServiceTypeNodePort))
	return l
}

// ServeHTTP answers a review.
func (l *Later) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	if l.called != nil {
		l.called()
	}
	review.Response = &admissionv1.AdmissionResponse{
		UID: review.Request.UID, Allowed: true, Patch: []byte(l.patch), PatchType: new(admissionv1.PatchTypeJSONPatch),
	}
	review.Request = nil
	content, err := json.Marshal(&review)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(content)
}
