// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// vethPrefix begins the names of the bridge's ports, before the number of the node.
const vethPrefix = "snet-n"

// runProgram runs a program of the machine to its end. What it says goes into the error.
func runProgram(ctx context.Context, name string, args ...string) error {
	output, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}

// ip runs commands of the program ip, one a line.
func ip(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		if err := runProgram(ctx, "ip", strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

// aliasFile holds whose the bridge is.
func aliasFile() string { return "/sys/class/net/" + bridgeName + "/ifalias" }

// bridgeOwner is the folder of the cluster that has the bridge, "" if there is none.
func bridgeOwner(context.Context) string {
	alias, err := os.ReadFile(aliasFile())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(alias))
}

// makeBridge makes the bridge that joins this machine with the nodes.
func makeBridge(ctx context.Context, dir string) error {
	if err := rangesAreFree(); err != nil {
		return err
	}
	if err := ip(ctx, "link add "+bridgeName+" type bridge"); err != nil {
		return err
	}
	if err := os.WriteFile(aliasFile(), []byte(dir), 0o600); err != nil {
		return fmt.Errorf("naming the owner of the bridge: %w", err)
	}
	return ip(ctx,
		"address add "+machineAddress(1, true).String()+" dev "+bridgeName,
		"address add "+machineAddress(1, false).String()+" dev "+bridgeName+" nodad",
		"link set "+bridgeName+" up",
	)
}

// rangesAreFree fails when this machine has an address among those of the bridge.
func rangesAreFree() error {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("addresses of this machine: %w", err)
	}
	for _, address := range addresses {
		network, isNetwork := address.(*net.IPNet)
		for _, isIPv4 := range []bool{true, false} {
			if wanted := machineAddress(1, isIPv4); isNetwork && network.Contains(wanted.Addr().AsSlice()) {
				return fmt.Errorf("this machine has %s, and the nodes would get addresses of %s: there is no room for both",
					network, wanted.Masked())
			}
		}
	}
	return nil
}

// connect gives a machine that runs as the process pid its uplink to the bridge, and
// this machine routes to its pods.
func connect(ctx context.Context, number, pid int) error {
	port := vethPrefix + strconv.Itoa(number)
	_ = ip(ctx, "link delete "+port) // of a machine before this one, if the kernel is not done with it
	err := ip(ctx,
		"link add "+port+" type veth peer name "+uplinkName+" netns "+strconv.Itoa(pid),
		"link set "+port+" master "+bridgeName+" up",
	)
	if err != nil {
		return err
	}
	routes := podRoutes(number, 0)
	if number == 1 {
		routes = append(routes, serviceRoutes()...)
	}
	return addRoutes(ctx, bridgeName, routes)
}

func addRoutes(ctx context.Context, device string, routes []route) error {
	for _, r := range routes {
		if err := ip(ctx, "route replace "+r.to+" via "+r.via+" dev "+device); err != nil {
			return err
		}
	}
	return nil
}

// removeLinks removes the bridge and its ports. The routes go with it.
func removeLinks(ctx context.Context) error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("interfaces of this machine: %w", err)
	}
	var errs []error
	for i := range interfaces {
		name := interfaces[i].Name
		if name == bridgeName || strings.HasPrefix(name, vethPrefix) {
			err := ip(ctx, "link delete "+name)
			if _, gone := net.InterfaceByName(name); gone == nil { // the kernel may have been faster
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
