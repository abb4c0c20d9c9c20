// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// Register has a server serve the webhook at a path.
func (h *Hook) Register(server webhook.Server, path string) { server.Register(path, h.handler()) }

// handler reads and writes reviews. While the replica is draining, each connection
// ends with its next answer: one that is left open might be used in the very moment
// in which the server closes it.
func (h *Hook) handler() http.Handler {
	hook := &webhook.Admission{Handler: h, WithContextFunc: noteTimeout}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-h.Draining:
			w.Header().Set("Connection", "close")
		default:
		}
		hook.ServeHTTP(w, r)
	})
}

type timeoutKey struct{}

// noteTimeout notes how long the API server waits for the answer.
func noteTimeout(ctx context.Context, r *http.Request) context.Context {
	timeout, err := time.ParseDuration(r.URL.Query().Get("timeout"))
	if err != nil || timeout <= 0 || timeout > patience {
		return ctx
	}
	return context.WithValue(ctx, timeoutKey{}, timeout)
}

// timeoutOf returns how long an answer may take, with some time left to send it.
func timeoutOf(ctx context.Context) time.Duration {
	timeout, ok := ctx.Value(timeoutKey{}).(time.Duration)
	if !ok {
		timeout = patience
	}
	return timeout - timeout/10
}
