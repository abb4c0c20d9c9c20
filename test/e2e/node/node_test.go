// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// upTimeout and healTimeout bound the waits for a cluster on a busy machine.
const (
	upTimeout   = 5 * time.Minute
	healTimeout = 2 * time.Minute
)

// cluster is one in a folder of its own.
type cluster struct {
	t   *testing.T
	bin string
	dir string
}

// newCluster skips where there can't be one. The cluster is taken down with the test.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	bin := os.Getenv("SERVICENET_BIN")
	if bin == "" || os.Geteuid() != 0 {
		t.Skip("real nodes take root, and programs that `make test-e2e` builds")
	}
	if _, err := net.InterfaceByName("snet0"); err == nil {
		t.Skip("another cluster is up on this machine")
	}
	c := &cluster{t: t, bin: bin, dir: filepath.Join(t.TempDir(), "cluster")}
	t.Cleanup(func() {
		if output, err := c.node(context.WithoutCancel(t.Context()), "down"); err != nil {
			t.Errorf("taking the cluster down: %v\n%s", err, output)
		}
	})
	return c
}

// node runs the program.
func (c *cluster) node(ctx context.Context, command string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	args = append([]string{command, "--dir=" + c.dir}, args...)
	output, err := exec.CommandContext(ctx, filepath.Join(c.bin, "node"), args...).CombinedOutput()
	return string(output), err
}

// up brings the cluster up and returns what that says.
func (c *cluster) up() string {
	c.t.Helper()
	images := filepath.Join(c.bin, "images")
	output, err := c.node(c.t.Context(), "up", "--images="+images+"/pause.tar,"+images+"/coredns.tar")
	if err != nil {
		c.t.Fatalf("bringing the cluster up: %v\n%s", err, output)
	}
	return output
}

// processes are those that status names, by name; none if it knows of no cluster.
func (c *cluster) processes() map[string]int {
	c.t.Helper()
	found := map[string]int{}
	output, err := c.node(c.t.Context(), "status")
	if err != nil {
		return found
	}
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		if pid, err := strconv.Atoi(fields[0]); err == nil {
			found[fields[1]] = pid
		}
	}
	return found
}

// kill kills a process of the cluster, if there is a cluster and it has that.
func (c *cluster) kill(name string) {
	c.t.Helper()
	pid, runs := c.processes()[name]
	if !runs {
		return
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		c.t.Errorf("killing %s: %v", name, err)
	}
}

// killAndHeal kills processes of a cluster that is up, and waits until others run in
// their stead and the cluster answers.
func (c *cluster) killAndHeal(names ...string) {
	c.t.Helper()
	before := c.processes()
	for _, name := range names {
		if before[name] == 0 {
			c.t.Fatalf("there is no %s among %v", name, before)
		}
		c.kill(name)
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), healTimeout)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		after := c.processes()
		if !slices.ContainsFunc(names, func(name string) bool { return after[name] == 0 || after[name] == before[name] }) {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatalf("%v are not started again: before %v, after %v", names, before, after)
		}
	}
	c.awaitAnswer()
}

// kubectl returns what it prints.
func (c *cluster) kubectl(args ...string) (string, error) {
	kubectl := filepath.Join(c.bin, "k8s", os.Getenv("K8S_VERSION"), "kubectl")
	args = append([]string{"--kubeconfig=" + filepath.Join(c.dir, "kubeconfig"), "--request-timeout=5s"}, args...)
	output, err := exec.CommandContext(c.t.Context(), kubectl, args...).CombinedOutput()
	return string(output), err
}

// awaitAnswer waits until the cluster answers, its node is ready and DNS is available.
func (c *cluster) awaitAnswer() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), healTimeout)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last string
	for {
		nodes, err := c.kubectl("get", "nodes", "--no-headers")
		dns, dnsErr := c.kubectl("-n", "kube-system", "get", "deployment", "coredns", "--no-headers")
		if err == nil && dnsErr == nil && strings.Contains(nodes, " Ready ") && strings.Contains(dns, " 1/1 ") {
			return
		}
		last = fmt.Sprintf("%s%s(%v, %v)", nodes, dns, err, dnsErr)
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatalf("the cluster does not heal:\n%s", last)
		}
	}
}

// TestNothingIsLeft compares the machine before and after clusters that end in all ways.
// Its parts follow one another: a machine has one cluster at a time.
func TestNothingIsLeft(t *testing.T) {
	for name, end := range map[string]func(c *cluster){
		"taken down": func(*cluster) {},
		"supervisor killed": func(c *cluster) {
			c.kill("supervisor")
		},
		"brought up twice": func(c *cluster) {
			if output := c.up(); !strings.Contains(output, "up already") {
				c.t.Errorf("the second time says:\n%s", output)
			}
		},
		"everything killed but the supervisor, healed": func(c *cluster) {
			c.killAndHeal("containerd", "kubelet", "kube-proxy", "etcd", "kube-apiserver", "kube-controller-manager")
		},
		"machine killed, healed": func(c *cluster) {
			c.killAndHeal("machine", "kubelet")
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := lookForTraces(t)
			c := newCluster(t)
			c.up()
			c.awaitAnswer()
			end(c)
			for range 2 { // it may be run again and again
				if output, err := c.node(t.Context(), "down"); err != nil {
					t.Fatalf("taking the cluster down: %v\n%s", err, output)
				}
			}
			if diff := cmp.Diff(before, lookForTraces(t)); diff != "" {
				t.Errorf("left behind (+) or gone (-):\n%s", diff)
			}
			if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
				t.Errorf("its folder is still there: %v", err)
			}
		})
	}
}

// TestInterruptedStartLeavesNothing kills up and its supervisor at moments of the start.
func TestInterruptedStartLeavesNothing(t *testing.T) {
	for _, after := range []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second, 6 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			before := lookForTraces(t)
			c := newCluster(t)
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "node"), "up", "--dir="+c.dir) // killed with the context
			if output, err := cmd.CombinedOutput(); err == nil {
				t.Fatalf("it came up without images:\n%s", output)
			}
			c.kill("supervisor")
			if output, err := c.node(t.Context(), "down"); err != nil {
				t.Fatalf("taking the cluster down: %v\n%s", err, output)
			}
			if diff := cmp.Diff(before, lookForTraces(t)); diff != "" {
				t.Errorf("left behind (+) or gone (-):\n%s", diff)
			}
		})
	}
}
