// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"servicenet.dev/servicenet/internal/ledger"
)

// ServiceKind is that of a Service, as the API server names it in a Status.
func ServiceKind() schema.GroupKind { return schema.GroupKind{Kind: "Service"} }

// Refuse returns the answer to an object with faults: 422, each of them a cause. An
// object without a name is called by what its name will begin with.
func Refuse(kind schema.GroupKind, meta *metav1.ObjectMeta, faults field.ErrorList) *metav1.Status {
	name := meta.Name
	if name == "" {
		name = meta.GenerateName
	}
	return &apierrors.NewInvalid(kind, name, faults).ErrStatus
}

// Postpone returns the answer when it could not be found out in time whether a
// number can be had: 503, and when to come again, in whole seconds, at least one.
// Clients of Kubernetes do so by themselves. What went wrong inside is for logs.
func Postpone(err *ledger.UnavailableError) *metav1.Status {
	seconds := max(1, int32((err.RetryAfter+time.Second-1)/time.Second)) //nolint:gosec // seconds
	status := &apierrors.NewServiceUnavailable(fmt.Sprintf("%s; try again in %d s", err.Reason, seconds)).ErrStatus
	status.Details = &metav1.StatusDetails{RetryAfterSeconds: seconds}
	return status
}
