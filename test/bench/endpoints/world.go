// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"servicenet.dev/servicenet/hack/controlplane"
)

const (
	namespace = "bench"
	nodes     = 50
	// writers is how many objects are written at a time.
	writers = 40
	// pollEvery is how often a state is looked at that is waited for. No figure
	// depends on it: events carry their own time.
	pollEvery = 5 * time.Millisecond
)

// world is a control plane of its own, with nodes that nobody simulates, and
// the eyes and hands of the benchmark in it.
type world struct {
	*tracker

	plane   *controlplane.ControlPlane
	clients kubernetes.Interface
	// stopWatching ends the tracker's watches.
	stopWatching context.CancelFunc
	// admin is for requests that no client has.
	admin *http.Client
	// addresses counts those that pods were given.
	addresses atomic.Uint32
	// starts counts the processes that were started.
	starts atomic.Int32

	writing sync.Mutex
	// changes are all that was done to pods, lastWritten when the last answer
	// came.
	changes     []*change
	lastWritten time.Time
}

// newWorld starts a control plane in a folder, with the data of an earlier etcd
// or else with nodes and a namespace only.
func newWorld(ctx context.Context, dir, etcdData string) (*world, error) {
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Dir:                       dir,
		EtcdData:                  etcdData,
		NoServiceAccountAdmission: true,
		APIServerArgs:             []string{"--max-requests-inflight=8000", "--max-mutating-requests-inflight=4000"},
	})
	if err != nil {
		return nil, err
	}
	w := &world{plane: plane, tracker: newTracker()}
	ctx, w.stopWatching = context.WithCancel(ctx)
	if err := w.prepare(ctx, etcdData == ""); err != nil {
		return nil, errors.Join(err, w.end())
	}
	return w, nil
}

func (w *world) prepare(ctx context.Context, isEmpty bool) error {
	config := w.plane.RESTConfig()
	config.WarningHandler = rest.NoWarnings{} // about every use of Endpoints
	config.ContentType = runtime.ContentTypeProtobuf
	var err error
	if w.clients, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("client of the control plane: %w", err)
	}
	if w.admin, err = rest.HTTPClientFor(w.plane.RESTConfig()); err != nil {
		return fmt.Errorf("client of the control plane: %w", err)
	}
	if isEmpty {
		if err := w.plane.AddNodes(ctx, nodes); err != nil {
			return err
		}
		space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		if _, err := w.clients.CoreV1().Namespaces().Create(ctx, space, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("making a namespace: %w", err)
		}
	} else {
		w.addresses.Store(1 << 20) // beyond those of the pods that are there
	}
	return w.watch(ctx)
}

// end ends the control plane but keeps its data. The API server would wait for
// those who watch; what it has answered is in etcd, so it need not.
func (w *world) end() error {
	w.stopWatching()
	return errors.Join(w.plane.APIServer().Kill(), w.plane.Stop())
}

// stop ends the control plane and removes all it kept but its logs.
func (w *world) stop() error {
	err := w.end()
	for _, name := range []string{"kubeconfigs", "certificates", "data"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(w.plane.Dir(), name)))
	}
	return err
}

// inParallel calls a function for the numbers from 0 to count-1, as many at a
// time as there are writers, and returns the first error.
func inParallel(ctx context.Context, count int, do func(ctx context.Context, number int) error) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for number := range count {
		if within.Err() != nil {
			break
		}
		group.Go(func() error { return do(within, number) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx) // the loop may have ended early
}

// paced calls a function for the numbers from 0 to count-1, one every so often,
// however long each takes, and returns when all have ended.
func paced(ctx context.Context, count int, every time.Duration, do func(ctx context.Context, number int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for number := range count {
		group.Go(func() error { return do(ctx, number) })
		select {
		case <-ctx.Done():
			return group.Wait()
		case <-ticker.C:
		}
	}
	return group.Wait()
}

// pause lets some time pass.
func pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// awaitShown waits until slices and Endpoints show everything that was done.
func (w *world) awaitShown(ctx context.Context) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		pods, services := w.missing()
		if pods+services == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("slices lack %d changes of pods, and the Endpoints of %d Services are not complete: %w",
				pods, services, context.Cause(ctx))
		case <-w.plane.Done():
			return w.plane.Err()
		case <-ticker.C:
		}
	}
}
