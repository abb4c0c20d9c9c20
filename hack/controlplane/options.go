// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"
)

// DefaultServiceClusterIPRange makes a dual-stack control plane, IPv4 first.
const DefaultServiceClusterIPRange = "10.96.0.0/16,fd00:10:96::/112"

// Options says what control plane to start. The zero value is a dual-stack one
// in a temporary folder.
type Options struct {
	// Dir holds data, certificates, kubeconfigs and logs. What an earlier
	// control plane left there is removed. Empty means a new temporary folder,
	// which Stop removes.
	Dir string

	// Binaries are the folders searched for the programs, in order.
	// Nil means FindBinaries().
	Binaries Binaries

	// ServiceClusterIPRange is one CIDR or two of different families, separated
	// by a comma; the first one's family is the primary one of the cluster, and
	// nodes and pods get addresses of the same families.
	// Empty means DefaultServiceClusterIPRange.
	ServiceClusterIPRange string

	// EtcdData is a folder with the data of an etcd that has ended, such as
	// data/etcd in the folder of a stopped control plane; this one begins with a
	// copy of it. It must not be inside Dir. Empty means an empty cluster.
	EtcdData string

	// Address is the address of this machine on which the API server listens, and
	// which it publishes as its endpoint of the Service "kubernetes", so that pods
	// and nodes with networks of their own reach it. The zero value is the loopback
	// interface, with an endpoint that nobody reaches.
	Address netip.Addr

	// NoServiceAccountAdmission lets pods be created without a service account,
	// for control planes that run without a kube-controller-manager.
	NoServiceAccountAdmission bool

	// EtcdArgs and APIServerArgs come after the arguments of this package, so
	// that they win.
	EtcdArgs, APIServerArgs []string

	// OnReady, when set, is told about each part that came up and how long that
	// took. It is called from the goroutine that starts the part.
	OnReady func(part *Process, took time.Duration)
}

// families of the control plane, primary one first.
type families []netip.Prefix

// parseFamilies reads a list of Service CIDRs.
func parseFamilies(serviceClusterIPRange string) (families, error) {
	var ranges families
	for text := range strings.SplitSeq(serviceClusterIPRange, ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("ServiceClusterIPRange %q: want one CIDR, or two separated by a comma: %w",
				serviceClusterIPRange, err)
		}
		ranges = append(ranges, prefix)
	}
	if len(ranges) > 2 || len(ranges) == 2 && ranges[0].Addr().Is4() == ranges[1].Addr().Is4() {
		return nil, fmt.Errorf("ServiceClusterIPRange %q: want at most one CIDR of each IP family", serviceClusterIPRange)
	}
	return ranges, nil
}

// serverNames are what clients in the cluster call the API server: the first
// address of each range of Services, and its names in DNS.
func (f families) serverNames() (addresses []netip.Addr, names []string) {
	for _, family := range f {
		addresses = append(addresses, family.Masked().Addr().Next())
	}
	return addresses, []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
}

// primaryIsIPv4 says whether the first family is IPv4.
func (f families) primaryIsIPv4() bool { return f[0].Addr().Is4() }

// withDefaults fills in what the caller left out; temporary says that Dir is a
// folder made here, to be removed at the end.
func (o Options) withDefaults() (_ Options, temporary bool, _ error) {
	if o.ServiceClusterIPRange == "" {
		o.ServiceClusterIPRange = DefaultServiceClusterIPRange
	}
	if o.Binaries == nil {
		o.Binaries = FindBinaries()
	}
	if o.OnReady == nil {
		o.OnReady = func(*Process, time.Duration) {}
	}
	if o.Dir != "" {
		return o, false, nil
	}
	dir, err := os.MkdirTemp("", "controlplane-")
	if err != nil {
		return o, false, fmt.Errorf("making a folder for the control plane: %w", err)
	}
	o.Dir = dir
	return o, true, nil
}
