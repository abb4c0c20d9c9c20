// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/ledger"
)

// Judge decides on a request. It notes what it spends time on. See the package for
// what becomes of its errors.
type Judge func(ctx context.Context, request *admissionv1.AdmissionRequest, times *Times) (*Verdict, error)

// Verdict is what is answered.
type Verdict struct {
	// Refusal is why not; nil allows the request.
	Refusal *metav1.Status
	// Patch changes what is allowed.
	Patch []admission.Operation
	// Warnings are for whoever asked, in either case.
	Warnings []string
}

// MalformedError says that a request is none that an API server sends here.
type MalformedError struct{ Err error }

func (e *MalformedError) Error() string { return fmt.Sprintf("malformed request: %v", e.Err) }

func (e *MalformedError) Unwrap() error { return e.Err }

// Hook is one webhook. All fields but Draining must be set.
type Hook struct {
	// Name is that in metrics and logs.
	Name  string
	Judge Judge
	// Ready tells why nothing can be answered now, nil if it can.
	Ready func() error
	// Draining is closed when the replica is about to stop.
	Draining <-chan struct{}
	Metrics  *Metrics
}

const (
	// slow answers are logged.
	slow = time.Second
	// patience is how long an answer may take where the API server does not say.
	patience = 10 * time.Second
	// comeAgain is when it is worth asking again.
	comeAgain = time.Second
)

// Handle is of admission.Handler.
//
//nolint:gocritic // the interface has the request by value
func (h *Hook) Handle(ctx context.Context, request webhook.AdmissionRequest) webhook.AdmissionResponse {
	begun := time.Now()
	times := &Times{last: begun}
	ctx, cancel := context.WithTimeout(ctx, timeoutOf(ctx))
	defer cancel()
	response, result := h.answer(ctx, &request.AdmissionRequest, times)
	took := time.Since(begun)
	h.Metrics.answered(h.Name, request.Operation, result, took)
	if took > slow {
		log.FromContext(ctx).Info("A webhook was slow", "webhook", h.Name, "operation", request.Operation,
			"outcome", result, "took", took.String(), "times", times.String())
	}
	return webhook.AdmissionResponse{AdmissionResponse: response}
}

// answer asks the Judge, and answers even when that panics.
func (h *Hook) answer(
	ctx context.Context, request *admissionv1.AdmissionRequest, times *Times,
) (response admissionv1.AdmissionResponse, result outcome) {
	defer func() {
		if cause := recover(); cause != nil {
			err := fmt.Errorf("panic: %v", cause)
			log.FromContext(ctx).Error(err, "A webhook failed", "webhook", h.Name, "stack", string(debug.Stack()))
			response, result = refuse(admission.Postpone(unavailable(nil))), failed
		}
	}()
	if err := h.Ready(); err != nil {
		return refuse(admission.Postpone(&ledger.UnavailableError{Reason: err.Error(), RetryAfter: comeAgain})), postponed
	}
	verdict, err := h.Judge(ctx, request, times)
	if err != nil {
		return h.fail(ctx, err)
	}
	return verdict.response()
}

// fail answers when nothing could be decided.
func (h *Hook) fail(ctx context.Context, err error) (admissionv1.AdmissionResponse, outcome) {
	if malformed := (*MalformedError)(nil); errors.As(err, &malformed) {
		return refuse(&apierrors.NewBadRequest(malformed.Error()).ErrStatus), malformedRequest
	}
	known := (*ledger.UnavailableError)(nil)
	if !errors.As(err, &known) {
		known = unavailable(err)
	}
	if known.Err != nil {
		log.FromContext(ctx).Error(known.Err, "A webhook could not find out what to answer", "webhook", h.Name, "reason", known.Reason)
	}
	return refuse(admission.Postpone(known)), postponed
}

func unavailable(err error) *ledger.UnavailableError {
	return &ledger.UnavailableError{Reason: "the request could not be looked into", RetryAfter: comeAgain, Err: err}
}

func refuse(status *metav1.Status) admissionv1.AdmissionResponse {
	return admissionv1.AdmissionResponse{Result: status}
}

func (v *Verdict) response() (admissionv1.AdmissionResponse, outcome) {
	if v.Refusal != nil {
		response := refuse(v.Refusal)
		response.Warnings = v.Warnings
		return response, refused
	}
	response := admissionv1.AdmissionResponse{
		Allowed: true, Warnings: v.Warnings, Result: &metav1.Status{Code: http.StatusOK},
	}
	if len(v.Patch) == 0 {
		return response, allowed
	}
	patch, err := json.Marshal(v.Patch)
	if err != nil {
		return refuse(admission.Postpone(unavailable(err))), failed
	}
	response.Patch, response.PatchType = patch, new(admissionv1.PatchTypeJSONPatch)
	return response, patched
}
