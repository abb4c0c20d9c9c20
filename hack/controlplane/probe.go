// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// probeTimeout bounds one question whether a part is ready.
const probeTimeout = 5 * time.Second

// HTTPReady returns a Ready function for a Command: ready when a GET of the URL
// answers 200.
func HTTPReady(client *http.Client, url string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		response, err := client.Do(request)
		if err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode == http.StatusOK {
			return nil
		}
		// The text of a failed check names the part that is not ready. Should it
		// not come in full, what came is better than nothing.
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		return fmt.Errorf("%s answers %s: %s", url, response.Status, strings.TrimSpace(string(text)))
	}
}

// Ports that systems neither choose for outgoing connections nor have for node ports: one
// of them is still free when a process that listened there is started again.
const (
	firstPort = 10_000
	lastPort  = 29_999
	portTries = 100
)

// errTaken says that others have claimed a port.
var errTaken = errors.New("others are about to listen there")

// FreePort returns a TCP port of 127.0.0.1 that is free at the moment, and that no other
// call returns while this process lives. Somebody else may take it before the caller does.
func FreePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	var err error
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		var listener net.Listener
		if listener, err = config.Listen(ctx, "tcp", loopbackAddress(port)); err != nil {
			continue
		}
		if err = listener.Close(); err == nil && claim(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("looking for a free port of %d to %d: %w", firstPort, lastPort, cmp.Or(err, errTaken))
}
