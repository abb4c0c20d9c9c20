// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func TestOnlyTheWarningOfEndpointsIsSilenced(t *testing.T) {
	for name, test := range map[string]struct {
		code    int
		message string
		logged  bool
	}{
		"Endpoints are deprecated":    {299, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice", false},
		"so is another kind":          {299, "v1 ComponentStatus is deprecated in v1.19+", true},
		"another word on Endpoints":   {299, "v1 Endpoints has a subset of more than 1000 addresses", true},
		"Endpoints somewhere in it":   {299, "admission webhook: v1 Endpoints is deprecated here", true},
		"a webhook's warning":         {299, "Service web has no owner", true},
		"nothing said":                {299, "", false},
		"a code of caches, not of us": {110, "Response is Stale", false},
	} {
		t.Run(name, func(t *testing.T) {
			var logged []string
			logger := funcr.New(func(_, args string) { logged = append(logged, args) }, funcr.Options{})
			warnings{}.HandleWarningHeaderWithContext(log.IntoContext(t.Context(), logger), test.code, "agent", test.message)
			if (len(logged) == 1) != test.logged {
				t.Errorf("logged %q", logged)
			}
			if test.logged && !strings.Contains(strings.Join(logged, ""), test.message) {
				t.Errorf("%q does not say %q", logged, test.message)
			}
		})
	}
}
