// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
)

// settle is for how long writes are counted after the last that is expected.
const settle = 3 * time.Second

// world is a control plane.
type world struct {
	*settings

	plane *controlplane.ControlPlane
	api   client.WithWatch
	// http asks the API server.
	http *http.Client
}

// inWorld starts a control plane, has something done there, and stops it.
func inWorld(ctx context.Context, s *settings, do func(w *world) error) (err error) {
	plane, err := controlplane.Start(ctx, controlplane.Options{
		ServiceClusterIPRange: clusterIPs, NoServiceAccountAdmission: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	if err := plane.InstallCRDs(ctx, s.CRDs); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), servicenetv1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	config := rest.CopyConfig(plane.RESTConfig())
	config.QPS = -1
	w := &world{settings: s, plane: plane}
	if w.http, err = rest.HTTPClientFor(config); err != nil {
		return err
	}
	if w.api, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	return do(w)
}

// start starts a manager of load balancers alone.
func (w *world) start(ctx context.Context) (*controlplane.Manager, error) {
	return w.plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: w.Program, RoleFile: w.RoleFile, Args: []string{"--controllers=loadbalancer"},
	})
}

// makePool makes one of some addresses.
func (w *world) makePool(ctx context.Context, addresses string) error {
	return w.api.Create(ctx, &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: "pool"},
		Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{addresses}},
	})
}

// inParallel does something so many times, by all clients.
func (w *world) inParallel(ctx context.Context, count int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(w.clients)
	for i := range count {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// writes is how many Services the API server was asked to change, and how many statuses
// among them, by others than those who create and delete them.
type writes struct{ all, statuses float64 }

func (w *world) writes(ctx context.Context) (writes, error) {
	var sum writes
	err := scrape(ctx, w.http, w.plane.RESTConfig().Host+"/metrics", func(name string, value float64) {
		if !strings.HasPrefix(name, "apiserver_request_total{") || !strings.Contains(name, `resource="services"`) ||
			!strings.Contains(name, `verb="PATCH"`) && !strings.Contains(name, `verb="PUT"`) {
			return
		}
		sum.all += value
		if strings.Contains(name, `subresource="status"`) {
			sum.statuses += value
		}
	})
	return sum, err
}

// untilTold waits until the API server has got no event for a while.
func (w *world) untilTold(ctx context.Context) error {
	for before := -1.0; ; {
		var events float64
		err := scrape(ctx, w.http, w.plane.RESTConfig().Host+"/metrics", func(name string, value float64) {
			if strings.HasPrefix(name, "apiserver_request_total{") && strings.Contains(name, `resource="events"`) {
				events += value
			}
		})
		if err != nil || events == before {
			return err
		}
		before = events
		if err := rests(ctx, settle); err != nil {
			return err
		}
	}
}

// processor returns how many seconds of processor time a manager has used.
func processor(ctx context.Context, manager *controlplane.Manager) (seconds float64, err error) {
	err = scrape(ctx, http.DefaultClient, manager.MetricsURL+"/metrics", func(name string, value float64) {
		if name == "process_cpu_seconds_total" {
			seconds = value
		}
	})
	return seconds, err
}

// scrape goes through metrics, by name and labels.
func scrape(ctx context.Context, from *http.Client, url string, each func(name string, value float64)) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := from.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("reading metrics: %s", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		at := strings.LastIndexByte(lines.Text(), ' ')
		if value, err := strconv.ParseFloat(lines.Text()[at+1:], 64); err == nil && at > 0 {
			each(lines.Text()[:at], value)
		}
	}
	return lines.Err()
}

// rests waits, so that what is still to come comes.
func rests(ctx context.Context, period time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(period):
		return nil
	}
}
