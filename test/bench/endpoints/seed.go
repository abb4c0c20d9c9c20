// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// seed is a cluster that runs begin with: so many Services of so many ready pods
// each. The zero value is an empty cluster.
type seed struct {
	services, pods int
}

func (s seed) String() string { return fmt.Sprintf("%d Services of %d pods", s.services, s.pods) }

// nursery keeps the data of seeds, so that each is made once.
type nursery struct {
	dir  string
	made map[seed]string
}

// data returns the folder with the seed's data of etcd, or "" for an empty
// cluster.
func (n *nursery) data(ctx context.Context, s seed) (string, error) {
	if s == (seed{}) {
		return "", nil
	}
	if data, made := n.made[s]; made {
		return data, nil
	}
	dir := filepath.Join(n.dir, fmt.Sprintf("seed-%dx%d", s.services, s.pods))
	w, err := newWorld(ctx, dir, "")
	if err != nil {
		return "", err
	}
	err = w.grow(ctx, s)
	if err := errors.Join(err, w.end()); err != nil {
		return "", fmt.Errorf("making %s: %w", s, err)
	}
	n.made[s] = filepath.Join(dir, "data", "etcd")
	return n.made[s], nil
}

// grow makes a seed's objects. Their slices and Endpoints are those that
// kube-controller-manager writes when it finds everything there: as few and as
// full as can be, and nobody has to change them.
func (w *world) grow(ctx context.Context, s seed) error {
	err := inParallel(ctx, s.services*s.pods, func(ctx context.Context, i int) error {
		return w.createPod(ctx, serviceName(i/s.pods), i%s.pods)
	})
	if err != nil {
		return err
	}
	for i := range s.services {
		w.expectEndpoints(serviceName(i), s.pods)
	}
	err = inParallel(ctx, s.services, func(ctx context.Context, i int) error {
		return w.createService(ctx, serviceName(i))
	})
	if err != nil {
		return err
	}
	stock, err := w.startStock(ctx, settings{qps: 100000})
	if err != nil {
		return err
	}
	if err := w.awaitShown(ctx); err != nil {
		return err
	}
	return awaitIdle(ctx, stock.PID())
}

// adopt expects what a seed holds.
func (w *world) adopt(s seed) {
	for i := range s.services {
		for j := range s.pods {
			w.expect(podName(serviceName(i), j), ready)
		}
		w.expectEndpoints(serviceName(i), s.pods)
	}
}

// clear removes all seeds.
func (n *nursery) clear() error {
	var errs []error
	for _, data := range n.made {
		errs = append(errs, os.RemoveAll(filepath.Dir(filepath.Dir(data))))
	}
	return errors.Join(errs...)
}
