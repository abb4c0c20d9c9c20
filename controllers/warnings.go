// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"strings"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// deprecatedWarning is the code of warnings about deprecated kinds, and of most
// others (RFC 7234, "Miscellaneous Persistent Warning").
const deprecatedWarning = 299

// warnings logs what the API server warns of, except that Endpoints are on their
// way out: it says so with every answer since Kubernetes 1.33, and keeping them is
// what one of the controllers is for.
type warnings struct{}

var _ rest.WarningHandlerWithContext = warnings{}

// HandleWarningHeaderWithContext implements [rest.WarningHandlerWithContext].
func (warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, message string) {
	if code == deprecatedWarning && message != "" && !strings.HasPrefix(message, "v1 Endpoints is deprecated") {
		log.FromContext(ctx).Info("The API server warns", "warning", message)
	}
}
