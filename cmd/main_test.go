// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"servicenet.dev/servicenet/controllers"
)

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, test := range []struct {
		args string
		want []string // parts of the message
	}{
		{"--max-endpoints-per-slice=0", []string{`"0"`, "--max-endpoints-per-slice", "1 to 1000"}},
		{"--max-endpoints-per-slice=1001", []string{`"1001"`, "--max-endpoints-per-slice", "1 to 1000"}},
		{"--max-endpoints-per-slice=many", []string{`"many"`, "--max-endpoints-per-slice", "1 to 1000"}},
		{"--concurrent-service-endpoint-syncs=51", []string{`"51"`, "--concurrent-service-endpoint-syncs", "1 to 50"}},
		{"--concurrent-endpoint-syncs=0", []string{`"0"`, "--concurrent-endpoint-syncs", "1 to 50"}},
		{"--mirroring-concurrent-service-endpoint-syncs=51", []string{`"51"`, "--mirroring-concurrent-service-endpoint-syncs", "1 to 50"}},
		{"--mirroring-max-endpoints-per-subset=1001", []string{`"1001"`, "--mirroring-max-endpoints-per-subset", "1 to 1000"}},
		{"--max-endpoint-updates-gather-period=0s", []string{`"0s"`, "1ms to 1m"}},
		{"--endpoint-updates-batch-period=2m", []string{`"2m"`, "--endpoint-updates-batch-period", "0s to 1m"}},
		{"--endpointslice-updates-batch-period=-1s", []string{`"-1s"`, "--endpointslice-updates-batch-period", "0s to 1m"}},
		{"--mirroring-endpointslice-updates-batch-period=5", []string{`"5"`, "0s to 1m"}},
		{"--min-resync-period=1s", []string{`"1s"`, "--min-resync-period", "1m0s and more"}},
		{"--keep-orphaned-endpoints=some", []string{`"some"`, "--keep-orphaned-endpoints", "true and false"}},
		{"--controllers=nodeports", []string{`"nodeports"`, "--controllers", `"endpointslice"`}},
		{"--service-node-port-range=40000-30000", []string{`"40000-30000"`, "--service-node-port-range", "30000-32767"}},
		{"--service-node-port-range=0-100", []string{`"0-100"`, "--service-node-port-range", "30000-32767"}},
		{"--repair-interval=10ms", []string{`"10ms"`, "--repair-interval", "1s and more"}},
		{"--load-balancer-class=a/b/c", []string{`"a/b/c"`, "--load-balancer-class", "servicenet.dev/pool"}},
		{"--namespace=Not_A_Name", []string{`"Not_A_Name"`, "--namespace", "lower case"}},
		{"--controllers=*,-x", []string{`"-x"`, "--controllers", `"endpointslice"`}},
		{"--endpoints-mode=maybe", []string{`"maybe"`, "--endpoints-mode", `"on" "off" "auto"`}},
		{"--endpoints-quiet-period=1ms", []string{`"1ms"`, "--endpoints-quiet-period", "1s and more"}},
		{"--kube-controller-manager-leases=k3s", []string{`"k3s"`, "--kube-controller-manager-leases", "namespace/name"}},
		{"--enable-webhooks=maybe", []string{`"maybe"`, "--enable-webhooks", "true and false"}},
		{"--enable-webhooks --controllers=endpointslice", []string{"EnableWebhooks", "clusterip and nodeport"}},
		{"--webhook-port=0", []string{`"0"`, "--webhook-port", "1 to 65535"}},
		{"--webhook-drain-period=2m", []string{`"2m"`, "--webhook-drain-period", "0s to 1m"}},
		{"--allowed-external-ips=192.0.2.1", []string{`"192.0.2.1"`, "--allowed-external-ips", "CIDRs"}},
		{"--allowed-external-ips=none,192.0.2.0/24", []string{`"none"`, "--allowed-external-ips", "alone"}},
		{"--kube-api-qps=-1", []string{`"-1"`, "--kube-api-qps", "0 to 1000000"}},
		{"--kube-api-qps=NaN", []string{`"NaN"`, "--kube-api-qps", "0 to 1000000"}},
		{"--kube-api-burst=-1", []string{`"-1"`, "--kube-api-burst", "0 to"}},
		{"--leader-elect=maybe", []string{`"maybe"`, "--leader-elect", "true and false"}},
		{"--leader-election-namespace=Not_A_Name", []string{`"Not_A_Name"`, "--leader-election-namespace", "lower case"}},
		{"--metrics-bind-address=nonsense", []string{`"nonsense"`, "--metrics-bind-address", "host:port"}},
		{"--health-probe-bind-address=:70000", []string{`":70000"`, "--health-probe-bind-address", "0 to 65535"}},
		{"--tls-min-version=VersionTLS11", []string{`"VersionTLS11"`, "--tls-min-version", "VersionTLS12 and VersionTLS13"}},
		{"--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA", []string{"--tls-cipher-suites", "is none of", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
		{"--no-such-flag", []string{"--no-such-flag"}},
		{"start", []string{`"start"`, "flags only"}},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), strings.Fields(test.args), &stdout, &stderr); code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			for _, part := range append(test.want, "manager --help") {
				if !strings.Contains(stderr.String(), part) {
					t.Errorf("%q does not say %q", stderr.String(), part)
				}
			}
		})
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, &stdout, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Fatalf("exit code %d, on stderr %q", code, stderr.String())
	}
	for _, name := range []string{
		"kubeconfig", "controllers", "leader-elect", "leader-election-namespace", "metrics-bind-address",
		"health-probe-bind-address", "kube-api-qps", "kube-api-burst", "concurrent-service-endpoint-syncs",
		"concurrent-endpoint-syncs", "concurrent-service-syncs", "mirroring-concurrent-service-endpoint-syncs", "mirroring-max-endpoints-per-subset",
		"endpointslice-updates-batch-period", "endpoint-updates-batch-period", "mirroring-endpointslice-updates-batch-period",
		"max-endpoint-updates-gather-period", "endpointslice-merge-rate", "endpoints-check-period", "min-resync-period", "keep-orphaned-endpoints", "max-endpoints-per-slice", "endpoints-mode", "endpoints-quiet-period", "kube-controller-manager-leases", "enable-webhooks", "zap-log-level", "version",
		"service-node-port-range", "repair-interval", "namespace", "webhook-bind-address", "webhook-port", "webhook-cert-dir",
		"webhook-cert-name", "webhook-key-name", "webhook-drain-period", "allowed-external-ips", "enable-http2",
		"load-balancer-class", "load-balancer-default", "tls-min-version", "tls-cipher-suites",
	} {
		if !strings.Contains(stdout.String(), "--"+name+" ") {
			t.Errorf("--%s is not listed", name)
		}
	}
}

func TestVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--version"}, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	if !strings.HasPrefix(stdout.String(), "servicenet dev (go") {
		t.Errorf("got %q", stdout.String())
	}
}

func TestDefaults(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	got := newSettings()
	if err := got.parse(nil); err != nil {
		t.Fatal(err)
	}
	want := controllers.Options{
		Controllers: []string{"*"}, EndpointsMode: "on",
		EndpointsQuietPeriod: time.Minute, KubeControllerManagerLeases: []string{"kube-system/kube-controller-manager"},
		ConcurrentServiceEndpointSyncs: 5, ConcurrentEndpointSyncs: 5, MirroringConcurrentServiceEndpointSyncs: 5,
		ConcurrentServiceSyncs: 32,
		MaxEndpointsPerSlice:   100, MirroringMaxEndpointsPerSubset: 1000, MinResyncPeriod: 12 * time.Hour, MaxUpdatesGatherPeriod: time.Second, SliceMergeRate: 20, EndpointsCheckPeriod: 10 * time.Minute,
		Namespace: "kube-system", ServiceNodePortRange: controllers.PortRange{First: 30000, Last: 32767}, RepairInterval: 3 * time.Minute,
		WebhookDrainPeriod: 5 * time.Second, AllowedExternalIPs: []string{"*"}, LoadBalancerClass: "servicenet.dev/pool",
	}
	if diff := cmp.Diff(want, got.controllers); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if got.leaderElect || got.metricsAddress != "0" || got.healthAddress != ":8081" {
		t.Errorf("leader election %v, metrics %q, health %q", got.leaderElect, got.metricsAddress, got.healthAddress)
	}
}

func TestFlagsReachTheOptions(t *testing.T) {
	got := newSettings()
	err := got.parse([]string{
		"--controllers=*", "--controllers=-endpointslice", "--endpoints-mode=off",
		"--endpoints-quiet-period=5m", "--kube-controller-manager-leases=kube-system/k3s,hosted/manager",
		"--concurrent-service-endpoint-syncs=7", "--max-endpoints-per-slice=250", "--kube-api-qps=20", "--kube-api-burst=40",
		"--concurrent-endpoint-syncs=8", "--concurrent-service-syncs=6", "--mirroring-concurrent-service-endpoint-syncs=9", "--mirroring-max-endpoints-per-subset=10",
		"--endpointslice-updates-batch-period=1s", "--endpoint-updates-batch-period=2s",
		"--mirroring-endpointslice-updates-batch-period=3s", "--min-resync-period=1h", "--keep-orphaned-endpoints",
		"--max-endpoint-updates-gather-period=4s", "--endpointslice-merge-rate=5", "--endpoints-check-period=30s",
		"--namespace=system", "--service-node-port-range=31000-31999", "--repair-interval=1m",
		"--admission-policy=false", "--load-balancer-class=example.com/ours", "--load-balancer-default",
		"--enable-webhooks", "--webhook-drain-period=2s", "--allowed-external-ips=192.0.2.0/24", "--allowed-external-ips=2001:db8::/64",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := controllers.Options{
		Controllers: []string{"*", "-endpointslice"}, EndpointsMode: "off",
		EndpointsQuietPeriod: 5 * time.Minute, KubeControllerManagerLeases: []string{"kube-system/k3s", "hosted/manager"},
		ConcurrentServiceEndpointSyncs: 7, MaxEndpointsPerSlice: 250, KubeAPIQPS: 20, KubeAPIBurst: 40,
		ConcurrentServiceSyncs: 6, ConcurrentEndpointSyncs: 8, MirroringConcurrentServiceEndpointSyncs: 9, MirroringMaxEndpointsPerSubset: 10,
		EndpointSliceUpdatesBatchPeriod: time.Second, EndpointUpdatesBatchPeriod: 2 * time.Second,
		MirroringEndpointSliceUpdatesBatchPeriod: 3 * time.Second, MinResyncPeriod: time.Hour, KeepOrphanedEndpoints: true,
		MaxUpdatesGatherPeriod: 4 * time.Second, SliceMergeRate: 5, EndpointsCheckPeriod: 30 * time.Second,
		Namespace: "system", ServiceNodePortRange: controllers.PortRange{First: 31000, Last: 31999}, RepairInterval: time.Minute,
		NoAdmissionPolicy: true, LoadBalancerClass: "example.com/ours", LoadBalancerDefault: true,
		EnableWebhooks: true, WebhookDrainPeriod: 2 * time.Second, AllowedExternalIPs: []string{"192.0.2.0/24", "2001:db8::/64"},
	}
	if diff := cmp.Diff(want, got.controllers); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestNamespaceOfThePodIsTheDefault(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "services")
	if got := newSettings().controllers.Namespace; got != "services" {
		t.Errorf("got %q", got)
	}
}

func TestAddresses(t *testing.T) {
	for address, allowed := range map[string]bool{
		"0": true, ":8081": true, "127.0.0.1:0": true, "[::1]:8443": true, "localhost:65535": true,
		"": false, "8081": false, "127.0.0.1": false, ":http": false, ":-1": false, "::1:80": false,
	} {
		if _, err := listenAddress(address); (err == nil) != allowed {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestNoServerToTalkTo(t *testing.T) {
	t.Setenv("KUBECONFIG", "/does/not/exist")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("HOME", t.TempDir())
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), nil, &stdout, &stderr); code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	if !strings.Contains(stderr.String(), "--kubeconfig") {
		t.Errorf("%q does not say where a kubeconfig is looked for", stderr.String())
	}
}
