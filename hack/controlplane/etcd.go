// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"net"
	"strconv"
)

// loopback is where every part listens.
const loopback = "127.0.0.1"

// loopbackAddress is host and port of a server on the loopback interface.
func loopbackAddress(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// loopbackURL is the root of a server on the loopback interface.
func loopbackURL(scheme string, port int) string { return scheme + "://" + loopbackAddress(port) }

// startEtcd starts an empty etcd without fsync: its data is as short-lived as
// the control plane, and a disk under load must not slow the tests down.
func (cp *ControlPlane) startEtcd(ctx context.Context) error {
	path, err := cp.options.Binaries.Find("etcd")
	if err != nil {
		return err
	}
	probes, err := cp.pki.etcd.httpClient()
	if err != nil {
		return err
	}
	var port int
	cp.etcd, port, err = cp.startOnFreePort(ctx, func(port int) (Command, error) {
		url := loopbackURL("https", port)
		args := []string{
			"--data-dir=" + cp.path("data", "etcd"),
			"--listen-client-urls=" + url,
			"--advertise-client-urls=" + url,
			// A cluster of one has no peers, but the flag can't be empty.
			"--listen-peer-urls=" + loopbackURL("http", 0),
			"--cert-file=" + cp.pki.path(etcdFile),
			"--key-file=" + cp.pki.path(etcdKeyFile),
			"--trusted-ca-file=" + cp.pki.path(etcdCAFile),
			"--client-cert-auth",
			"--unsafe-no-fsync",
		}
		return Command{
			Name:  "etcd",
			Path:  path,
			Args:  append(args, cp.options.EtcdArgs...),
			Ready: HTTPReady(probes, url+"/readyz"),
		}, nil
	})
	cp.etcdURL = loopbackURL("https", port)
	return err
}
