// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/yaml"

	"servicenet.dev/servicenet/hack/controlplane"
)

func TestRangesDoNotOverlap(t *testing.T) {
	t.Parallel()
	var ranges []netip.Prefix
	for _, isIPv4 := range []bool{true, false} {
		ranges = append(ranges, machineAddress(1, isIPv4).Masked())
		for number := 1; number <= maxNodes; number++ {
			ranges = append(ranges, podRange(number, isIPv4))
			if !machineAddress(1, isIPv4).Masked().Contains(nodeAddress(number, isIPv4)) {
				t.Errorf("the address %s of a node is not on the bridge", nodeAddress(number, isIPv4))
			}
		}
	}
	for text := range strings.SplitSeq(controlplane.DefaultServiceClusterIPRange, ",") {
		ranges = append(ranges, netip.MustParsePrefix(text))
	}
	for i, a := range ranges {
		for _, b := range ranges[:i] {
			if a.Overlaps(b) {
				t.Errorf("%s overlaps %s", a, b)
			}
		}
	}
}

func TestRoutesLeadToTheOtherNodes(t *testing.T) {
	t.Parallel()
	want := []route{
		{"10.198.1.0/24", "10.197.0.2"}, {"fd00:10:198:1::/64", "fd00:10:197::2"},
		{"10.198.3.0/24", "10.197.0.4"}, {"fd00:10:198:3::/64", "fd00:10:197::4"},
	}
	if diff := cmp.Diff(want, podRoutes(3, 2), cmp.AllowUnexported(route{})); diff != "" {
		t.Errorf("routes of the second of three nodes (-want +got):\n%s", diff)
	}
}

func TestSettingsReachTheSupervisor(t *testing.T) {
	t.Parallel()
	want, err := parse([]string{"--dir=/there", "--endpoints=ours", "--proxy-mode=iptables", "--nodes=3", "--images=a.tar,b.tar"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse(want.flags())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(settings{}), cmp.Transformer("length", func(all []string) string {
		return strings.Join(all, " ")
	})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatCanNotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--endpoints=both"}, {"--proxy-mode=ipvs"}, {"--nodes=0"}, {"--nodes=201"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}

// A process is known by the variable it was started with, and by when it was started.
func TestProcessesAreKnown(t *testing.T) {
	t.Parallel()
	const dir = "/no/such/cluster"
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	cmd.Env = append(os.Environ(), marker+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	processes, err := marked(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]process{{cmd.Process.Pid, "sleep"}}, processes, cmp.AllowUnexported(process{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if others, err := marked(dir + "2"); err != nil || len(others) > 0 {
		t.Errorf("processes of another cluster: %v (%v)", others, err)
	}
	if startTime(cmd.Process.Pid) == "" {
		t.Error("the process has no time of its start")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if after := startTime(cmd.Process.Pid); after != "" {
		t.Errorf("a process that has ended was started at %s", after)
	}
}

func TestConfigurationsAreWellFormed(t *testing.T) {
	t.Parallel()
	values := nodeValues{Name: "node-1", Folder: inside, Cgroup: nodeCgroup(1), PodRange: "10.198.1.0/24", PodRange6: "fd00::/64"}
	for name, text := range map[string]string{"kubelet": kubeletConfig, "kube-proxy": proxyConfig, "CNI": cniConfig} {
		var content strings.Builder
		if err := template.Must(template.New(name).Option("missingkey=error").Parse(text)).Execute(&content, values); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var parsed map[string]any
		if err := yaml.Unmarshal([]byte(content.String()), &parsed); err != nil || len(parsed) == 0 {
			t.Errorf("%s: %v\n%s", name, err, content.String())
		}
	}
}
