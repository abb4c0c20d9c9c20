// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package library

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// errCut is what a client sees of a connection that is gone.
var errCut = errors.New("connection cut by the test")

// faulty is a connection that dies at one write of an EndpointSlice: before the
// request reaches the server, or after the server carried it out and before the
// answer is back. For the controllers that is what a crash of their process is.
// From then on nothing gets through, unless the connection recovers.
type faulty struct {
	base         http.RoundTripper
	dieAt        int // the write to die at, counted from 1
	answerIsLost bool
	recovers     bool

	mu      sync.Mutex
	writes  int
	created int // slices the server has created
	dead    bool
	died    chan struct{}
}

// over returns a config whose connection is the faulty one.
func (f *faulty) over(config *rest.Config) *rest.Config {
	f.died = make(chan struct{})
	return wrapped(config, func(base http.RoundTripper) http.RoundTripper {
		f.base = base
		return f
	})
}

// RoundTrip implements http.RoundTripper.
func (f *faulty) RoundTrip(request *http.Request) (*http.Response, error) {
	dies, cut := f.judge(request)
	if cut || dies && !f.answerIsLost {
		f.die(dies)
		return nil, errCut
	}
	response, err := f.base.RoundTrip(request)
	f.count(response)
	if dies {
		if err == nil {
			err = response.Body.Close()
		}
		f.die(dies)
		return nil, errors.Join(errCut, err)
	}
	return response, err
}

// judge tells whether this request is the one to die at, and whether the
// connection is dead already.
func (f *faulty) judge(request *http.Request) (dies, cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !isSliceWrite(request) {
		return false, f.dead
	}
	f.writes++
	dies = f.writes == f.dieAt
	cut = f.dead
	f.dead = f.dead || dies && !f.recovers
	return dies, cut
}

func (f *faulty) count(response *http.Response) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if response != nil && response.StatusCode == http.StatusCreated && isSliceWrite(response.Request) {
		f.created++
	}
}

func (f *faulty) slicesCreated() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.created
}

func (f *faulty) die(now bool) {
	if now {
		close(f.died)
	}
}

// gated is a connection over which no list or watch is answered before it opens.
type gated struct {
	base http.RoundTripper
	open chan struct{}
}

func (g *gated) over(config *rest.Config) *rest.Config {
	return wrapped(config, func(base http.RoundTripper) http.RoundTripper {
		g.base = base
		return g
	})
}

// RoundTrip implements http.RoundTripper.
func (g *gated) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/endpointslices") {
		select {
		case <-g.open:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	return g.base.RoundTrip(request)
}

// refusing is a connection on which the first writes of EndpointSlices are
// answered with an internal error.
type refusing struct {
	base http.RoundTripper

	mu    sync.Mutex
	times int
}

func (r *refusing) over(config *rest.Config) *rest.Config {
	return wrapped(config, func(base http.RoundTripper) http.RoundTripper {
		r.base = base
		return r
	})
}

// RoundTrip implements http.RoundTripper.
func (r *refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	refuse := isSliceWrite(request) && r.times > 0
	if refuse {
		r.times--
	}
	r.mu.Unlock()
	if !refuse {
		return r.base.RoundTrip(request)
	}
	return &http.Response{
		Status: "500 Internal Server Error", StatusCode: http.StatusInternalServerError, Request: request,
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader("refused by the test")),
	}, nil
}

func isSliceWrite(request *http.Request) bool {
	return request.Method != http.MethodGet && strings.Contains(request.URL.Path, "/endpointslices")
}

// wrapped returns a config whose connection goes through a wrapper.
func wrapped(config *rest.Config, wrap func(http.RoundTripper) http.RoundTripper) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap(wrap)
	return config
}
