// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/hack/lock"
)

// lockPatience is how long a supervisor waits for somebody who only looks whether the
// lock is taken.
const lockPatience = 2 * time.Second

// progressf prints a line with the time since the beginning.
func progressf(begin time.Time, format string, args ...any) {
	fmt.Printf("[%5.1f s] %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
}

// cluster is what a supervisor looks after.
type cluster struct {
	settings
	begin time.Time
	plane *controlplane.ControlPlane
}

// serve is the supervisor: it starts everything, starts again what ends, and stops
// everything when asked to.
func serve(ctx context.Context, s settings) error {
	held, err := acquirePatiently(ctx, s.dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &cluster{settings: s, begin: time.Now()}
	if err = c.start(ctx); err == nil {
		err = c.announce(held)
	}
	if err == nil {
		<-ctx.Done()
		progressf(c.begin, "stopping")
	}
	cancel() // what ends from here on is not started again
	if c.plane != nil {
		err = errors.Join(err, c.plane.Stop())
	}
	return errors.Join(err, held.Release())
}

func acquirePatiently(ctx context.Context, dir string) (*lock.Lock, error) {
	patience := time.Now().Add(lockPatience)
	for {
		held, err := lock.Acquire(dir)
		if _, isHeld := errors.AsType[*lock.HeldError](err); !isHeld || time.Now().After(patience) || !pause(ctx, followInterval) {
			return held, err
		}
	}
}

// start starts everything.
func (c *cluster) start(ctx context.Context) error {
	if err := os.WriteFile(c.path("settings"), []byte(c.describe()), 0o600); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	if err := makeBridge(ctx, c.dir); err != nil {
		return err
	}
	if err := c.startControlPlane(ctx); err != nil {
		return err
	}
	if err := c.grantKubeletClient(ctx); err != nil {
		return err
	}
	for number := 1; number <= c.nodes; number++ {
		if err := c.startNode(ctx, number); err != nil {
			return err
		}
	}
	for _, image := range c.images {
		if err := c.loadEverywhere(ctx, image); err != nil {
			return err
		}
		progressf(c.begin, "image %s loaded", image)
	}
	if err := c.awaitNodes(ctx); err != nil {
		return err
	}
	if err := c.startDNS(ctx); err != nil {
		return err
	}
	return controlplane.WriteKubeconfig(c.kubeconfig(), c.plane.RESTConfig())
}

// startControlPlane starts what runs on this machine itself.
func (c *cluster) startControlPlane(ctx context.Context) error {
	audit, err := c.auditArgs()
	if err != nil {
		return err
	}
	c.plane, err = controlplane.Start(ctx, controlplane.Options{
		Dir:           c.dir,
		Address:       hostAddress(),
		APIServerArgs: audit,
		OnReady:       func(part *controlplane.Process, _ time.Duration) { progressf(c.begin, "%s ready", part.Name()) },
	})
	if err != nil {
		return err
	}
	manager := c.plane.StartStockControllerManager
	if c.endpoints == endpointsOurs {
		manager = c.plane.StartControllerManager
	}
	// It holds a Lease as in any cluster: others look at that to know of it.
	controllers, err := manager(ctx, "--leader-elect=true")
	if err != nil {
		return err
	}
	scheduler, err := c.plane.StartScheduler(ctx)
	if err != nil {
		return err
	}
	for _, part := range []*controlplane.Process{c.plane.Etcd(), c.plane.APIServer().Process, controllers, scheduler} {
		go c.keep(ctx, part, nil)
	}
	return nil
}

//go:embed audit.yaml
var auditPolicy []byte

// auditArgs have the API server note what the manager asks for.
func (c *cluster) auditArgs() ([]string, error) {
	policy := c.path("audit.yaml")
	if err := os.WriteFile(policy, auditPolicy, 0o600); err != nil {
		return nil, fmt.Errorf("writing the audit policy: %w", err)
	}
	const megabytes = 200 // for a few hours of tests; what is older goes
	return []string{
		"--audit-policy-file=" + policy, "--audit-log-path=" + c.path("logs", "audit.log"),
		fmt.Sprintf("--audit-log-maxsize=%d", megabytes), "--audit-log-maxbackup=1",
	}, nil
}

// keep starts a part again whenever it ends, and does then what is to be done.
func (c *cluster) keep(ctx context.Context, part *controlplane.Process, then func(context.Context) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-part.Done():
		}
		progressf(c.begin, "%s ended (%v) and is started again", part.Name(), part.Err())
		err := part.Restart(ctx)
		if err == nil && then != nil {
			err = then(ctx)
		}
		if err != nil && ctx.Err() == nil {
			progressf(c.begin, "%v", err)
		}
		if !pause(ctx, restartDelay) {
			return
		}
	}
}

// startNode starts a machine and connects it.
func (c *cluster) startNode(ctx context.Context, number int) error {
	if err := c.writeNodeFiles(number); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("looking for this program: %w", err)
	}
	part, err := c.plane.StartProcess(ctx, controlplane.Command{
		Name:     nodeName(number) + "-machine",
		Path:     self,
		Args:     append([]string{machineCommand, fmt.Sprintf("--node=%d", number)}, c.flags()...),
		Isolated: true,
	})
	if err != nil {
		return err
	}
	plugIn := func(ctx context.Context) error {
		return errors.Join(recordMachine(c.path("nodes", nodeName(number)), part.PID()), connect(ctx, number, part.PID()))
	}
	if err := plugIn(ctx); err != nil {
		return fmt.Errorf("%w%s", err, c.logTail(number, "machine"))
	}
	go c.keep(ctx, part, plugIn)
	return nil
}

// announce leaves word for those who ask what runs.
func (c *cluster) announce(held *lock.Lock) error {
	var text strings.Builder
	for _, line := range [][2]string{
		{"pid", strconv.Itoa(os.Getpid())},
		{"API server", c.plane.RESTConfig().Host},
		{"settings", c.describe()},
		{"logs", c.path("logs") + " " + c.path("cluster.log")},
	} {
		fmt.Fprintf(&text, "%-11s %s\n", line[0], line[1])
	}
	fmt.Fprintf(&text, "\nexport KUBECONFIG=%s\n", c.kubeconfig())
	fmt.Printf("\n%s", text.String())
	return held.Describe(text.String())
}
