// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"servicenet.dev/servicenet/test/badinput"
)

// review returns the bytes that the API server sends.
func review(tb testing.TB, r *admissionv1.AdmissionRequest) []byte {
	tb.Helper()
	return encode(tb, admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: r,
	})
}

// send has a webhook answer some bytes.
func send(ctx context.Context, hook *Hook, target string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	hook.handler().ServeHTTP(recorder, r)
	return recorder
}

func TestWhileDrainingConnectionsEndWithTheirAnswer(t *testing.T) {
	draining := make(chan struct{})
	mutate, _ := newWorld(t).hooks()
	mutate.Draining = draining
	r := request(t, badinput.Make("free", "web", corev1.ServiceTypeClusterIP), nil)
	body := review(t, &r.AdmissionRequest)
	if got := send(t.Context(), mutate, MutateServicesPath, body); got.Header().Get("Connection") != "" {
		t.Error("the connection ends before")
	}
	close(draining)
	got := send(t.Context(), mutate, MutateServicesPath, body)
	if got.Header().Get("Connection") != "close" || !strings.Contains(got.Body.String(), `"allowed":true`) {
		t.Errorf("answer %s, with %v", got.Body, got.Header())
	}
}

func TestTheServersPatienceIsKept(t *testing.T) {
	for target, want := range map[string]time.Duration{
		"/": 9 * time.Second, "/?timeout=2s": 1800 * time.Millisecond, "/?timeout=1h": 9 * time.Second, "/?timeout=x": 9 * time.Second,
	} {
		var left time.Duration
		hook := &Hook{
			Ready: func() error { return nil }, Metrics: NewMetrics(),
			Judge: func(ctx context.Context, _ *admissionv1.AdmissionRequest, _ *Times) (*Verdict, error) {
				deadline, _ := ctx.Deadline()
				left = time.Until(deadline).Round(100 * time.Millisecond)
				return &Verdict{}, nil
			},
		}
		r := request(t, badinput.Make("free", "web", corev1.ServiceTypeClusterIP), nil)
		send(t.Context(), hook, target, review(t, &r.AdmissionRequest))
		if left > want || left < want-time.Second {
			t.Errorf("%s: %s, want %s", target, left, want)
		}
	}
}

// Faults are counted from zero on, as soon as there is an answer of their kind: the first
// one is an increase then.
func TestAnswersAreCounted(t *testing.T) {
	mutate, _ := newWorld(t).hooks()
	for _, service := range []*corev1.Service{
		badinput.Make("free", "a", corev1.ServiceTypeClusterIP), badinput.Make("free", "b", corev1.ServiceTypeClusterIP, badinput.Singular("x")),
	} {
		mutate.Handle(t.Context(), request(t, service, nil))
	}
	odd := request(t, badinput.Make("free", "c", corev1.ServiceTypeClusterIP), nil)
	odd.Operation, odd.Resource.Resource = "SING", "pods"
	mutate.Handle(t.Context(), odd)
	const want = `
# HELP servicenet_webhook_requests_total Requests answered, by webhook, operation and outcome (allowed, patched, refused, postponed, malformed, failed).
# TYPE servicenet_webhook_requests_total counter
servicenet_webhook_requests_total{operation="CREATE",outcome="failed",webhook="mutate"} 0
servicenet_webhook_requests_total{operation="CREATE",outcome="patched",webhook="mutate"} 1
servicenet_webhook_requests_total{operation="CREATE",outcome="postponed",webhook="mutate"} 0
servicenet_webhook_requests_total{operation="CREATE",outcome="refused",webhook="mutate"} 1
servicenet_webhook_requests_total{operation="other",outcome="failed",webhook="mutate"} 0
servicenet_webhook_requests_total{operation="other",outcome="malformed",webhook="mutate"} 1
servicenet_webhook_requests_total{operation="other",outcome="postponed",webhook="mutate"} 0
`
	if err := testutil.CollectAndCompare(mutate.Metrics, strings.NewReader(want), "servicenet_webhook_requests_total"); err != nil {
		t.Error(err)
	}
}

// FuzzBytes sends anything. The answer is never 500, and nothing panics.
func FuzzBytes(f *testing.F) {
	stored := badinput.Make("free", "web", corev1.ServiceTypeNodePort, badinput.IPs("10.96.9.1"), badinput.HTTP(30080))
	for i, test := range badinput.Table() {
		r := request(f, test.Service, test.Old)
		body := review(f, &r.AdmissionRequest)
		f.Add(body)
		const bytesOfJSON = "\x00{}[]\",:-0a1n"
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		for range 20 {
			spoilt := slices.Clone(body)
			for range 1 + rng.IntN(4) {
				spoilt[rng.IntN(len(spoilt))] = bytesOfJSON[rng.IntN(len(bytesOfJSON))]
			}
			f.Add(spoilt)
		}
	}
	change := request(f, stored, stored)
	change.OldObject.Raw = []byte("null")
	f.Add(review(f, &change.AdmissionRequest))
	change.OldObject.Raw, change.Object.Raw = nil, nil
	f.Add(review(f, &change.AdmissionRequest))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		mutate, validate := newWorld(t).hooks()
		for _, hook := range []*Hook{mutate, validate} {
			got := send(t.Context(), hook, "/", body)
			answer := admissionv1.AdmissionReview{}
			if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil || answer.Response == nil || got.Code != http.StatusOK {
				t.Fatalf("answer %d %s: %v", got.Code, got.Body, err)
			}
			if code := answer.Response.Result.Code; code == 500 || !answer.Response.Allowed && code < 400 {
				t.Fatalf("code %d: %s", code, answer.Response.Result.Message)
			}
			if failed := testutil.ToFloat64(hook.Metrics.requests.WithLabelValues(hook.Name, "CREATE", string(failed))); failed > 0 {
				t.Fatal("it panicked")
			}
			if failed := testutil.ToFloat64(hook.Metrics.requests.WithLabelValues(hook.Name, "UPDATE", string(failed))); failed > 0 {
				t.Fatal("it panicked")
			}
		}
	})
}

var _ webhook.AdmissionHandler = (*Hook)(nil)
