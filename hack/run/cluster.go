// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"servicenet.dev/servicenet/hack/controlplane"
)

// cluster is what `make run` runs.
type cluster struct {
	plane      *controlplane.ControlPlane
	manager    *controlplane.Manager
	kubeconfig string
	nodes      int
}

// start starts everything, and stops what runs when one part fails.
func start(ctx context.Context, s settings) (*cluster, error) {
	fmt.Printf("starting an empty cluster in %s\n", s.dir)
	plane, err := controlplane.Start(ctx, controlplane.Options{Dir: s.dir, OnReady: progress})
	if err != nil {
		return nil, err
	}
	c := &cluster{plane: plane, nodes: s.nodes, kubeconfig: filepath.Join(plane.Dir(), "kubeconfig")}
	if err := c.startParts(ctx, s); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func (c *cluster) startParts(ctx context.Context, s settings) error {
	if err := c.plane.InstallCRDs(ctx, s.crds); err != nil {
		return err
	}
	if _, err := c.plane.StartControllerManager(ctx); err != nil {
		return err
	}
	if _, err := c.plane.StartScheduler(ctx); err != nil {
		return err
	}
	if _, err := c.plane.StartKwok(ctx); err != nil {
		return err
	}
	if err := c.plane.AddNodes(ctx, s.nodes); err != nil {
		return err
	}
	var err error
	c.manager, err = c.plane.StartManager(ctx, controlplane.ManagerOptions{
		Path:          s.manager,
		RoleFile:      s.roleFile,
		ServeWebhooks: true,
		// There is no cloud: load balancers without a class are ours.
		Args: append([]string{"--load-balancer-default"}, s.managerArgs...),
	})
	if err != nil {
		return err
	}
	if err := c.plane.RegisterWebhooks(ctx, c.manager.WebhookURL, s.webhooks); err != nil {
		return err
	}
	return controlplane.WriteKubeconfig(c.kubeconfig, c.plane.RESTConfig())
}

// wait returns when a signal asks for the end, or with the error of the part
// that ended unasked.
func (c *cluster) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		fmt.Println("stopping")
		return nil
	case <-c.plane.Done():
		return c.plane.Err()
	}
}

// stop ends all parts and removes what is of no use without them. The logs
// stay until the next start.
func (c *cluster) stop() error {
	err := c.plane.Stop()
	for _, name := range []string{"kubeconfig", "kubeconfigs", "certificates", "data"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(c.plane.Dir(), name)))
	}
	return err
}

// progress prints a line for a part that came up.
func progress(part *controlplane.Process, took time.Duration) {
	fmt.Printf("  %-24s ready after %.1f s\n", part.Name(), took.Seconds())
}
