// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// breath is how long a worker waits between two requests: a Service is to be under load,
// not the machine.
const breath = 20 * time.Millisecond

// counter counts answers, and requests that had none by why.
type counter struct {
	mu      sync.Mutex
	answers map[string]int
}

func (c *counter) add(answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[answer]++
}

// String has a line for each answer: how often, and which.
func (c *counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text strings.Builder
	for _, answer := range slices.Sorted(maps.Keys(c.answers)) {
		fmt.Fprintf(&text, "%d %s\n", c.answers[answer], answer)
	}
	return text.String()
}

// load asks until the context ends, and tells meanwhile what became of that.
func load(ctx context.Context, workers int, url string) error {
	c := &counter{answers: map[string]int{}}
	for range workers {
		go c.work(ctx, url)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/tally", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c) })
	web := &http.Server{Addr: webAddress, Handler: mux, ReadHeaderTimeout: idleTimeout}
	context.AfterFunc(ctx, func() { _ = web.Close() })
	if err := web.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// work is one worker.
func (c *counter) work(ctx context.Context, url string) {
	tick := time.NewTicker(breath)
	defer tick.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, patience)
		answer, err := get(asking, url)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			answer = "error: " + err.Error()
		}
		c.add(strings.TrimSpace(answer))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
