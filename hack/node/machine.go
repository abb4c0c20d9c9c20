// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// inside is the folder of a node as the machine itself sees it: short enough for
// sockets, wherever the clone is.
const inside = "/run/servicenet"

// uplinkTimeout bounds the wait for the supervisor to plug the machine in.
const uplinkTimeout = 30 * time.Second

// machine is the first process of a node: it makes the namespaces that it was started
// in fit to live in, and runs containerd, kubelet and kube-proxy.
func machine(ctx context.Context, s settings) error {
	if os.Getpid() != 1 {
		return errors.New("machine: to be the first process of a PID namespace (`node up` starts it)")
	}
	programs, err := nodePrograms(s)
	if err != nil {
		return err
	}
	if err := syscall.Sethostname([]byte(nodeName(s.node))); err != nil {
		return fmt.Errorf("naming the machine: %w", err)
	}
	if err := mountAll(s.path("nodes", nodeName(s.node))); err != nil {
		return err
	}
	if err := setUpNetwork(ctx, s); err != nil {
		return err
	}
	if err := makeCgroups(s.node); err != nil {
		return err
	}
	return tend(ctx, programs)
}

// setUpNetwork gives the uplink its addresses, and the machine routes to this machine
// and to the pods of the other nodes.
func setUpNetwork(ctx context.Context, s settings) error {
	if err := awaitUplink(ctx); err != nil {
		return err
	}
	err := ip(ctx,
		"link set lo up",
		"address add "+machineAddress(s.node+1, true).String()+" dev "+uplinkName,
		"address add "+machineAddress(s.node+1, false).String()+" dev "+uplinkName+" nodad",
		"link set "+uplinkName+" up",
		// kubelet looks for the interface of a default route.
		"route add default via "+machineAddress(1, true).Addr().String(),
		"-6 route add default via "+machineAddress(1, false).Addr().String(),
	)
	if err != nil {
		return err
	}
	if err := addRoutes(ctx, uplinkName, podRoutes(s.nodes, s.node)); err != nil {
		return err
	}
	for _, setting := range []string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"} {
		if err := writeSetting(setting, "1"); err != nil {
			return err
		}
	}
	return nil
}

// writeSetting writes a setting of the kernel, by the name that sysctl has for it.
func writeSetting(name, value string) error {
	if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0o600); err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return nil
}

// awaitUplink waits until the supervisor has plugged the machine in.
func awaitUplink(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, uplinkTimeout)
	defer cancel()
	for {
		_, err := net.InterfaceByName(uplinkName)
		if err == nil {
			return nil
		}
		if !pause(ctx, followInterval) {
			return fmt.Errorf("the machine was not plugged in: %w", err)
		}
	}
}
