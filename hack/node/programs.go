// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"

	"servicenet.dev/servicenet/hack/controlplane"
)

// Configurations, as templates with the fields of nodeValues.
var (
	//go:embed containerd.toml
	containerdConfig string
	//go:embed kubelet.yaml
	kubeletConfig string
	//go:embed kube-proxy.yaml
	proxyConfig string
	//go:embed cni.conflist
	cniConfig string
)

// nodeValues is what differs from node to node, and what is written down in one place
// alone.
type nodeValues struct {
	Name, Folder, Plugins, Cgroup, DNS, ProxyMode string
	PodRange, PodRange6, PodRanges                string
}

// writeNodeFiles writes what the programs of a node read.
func (c *cluster) writeNodeFiles(number int) error {
	folder := c.path("nodes", nodeName(number))
	if err := os.MkdirAll(filepath.Join(folder, "cni"), 0o700); err != nil {
		return fmt.Errorf("folder of a node: %w", err)
	}
	values := nodeValues{
		Name: nodeName(number), Folder: inside, Plugins: pluginFolder, Cgroup: nodeCgroup(number),
		DNS: dnsAddress, ProxyMode: c.proxyMode,
		PodRange: podRange(number, true).String(), PodRange6: podRange(number, false).String(), PodRanges: podRanges,
	}
	for file, text := range map[string]string{
		"containerd.toml":      containerdConfig,
		"kubelet.yaml":         kubeletConfig,
		"kube-proxy.yaml":      proxyConfig,
		"cni/10-snet.conflist": cniConfig,
		"resolv.conf":          "", // no names but those of the cluster
	} {
		var content bytes.Buffer
		if err := template.Must(template.New(file).Parse(text)).Execute(&content, values); err != nil {
			return fmt.Errorf("writing %s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), content.Bytes(), 0o600); err != nil {
			return fmt.Errorf("files of a node: %w", err)
		}
	}
	return c.writeCredentials(number, folder)
}

// writeCredentials writes what the programs of a node are known by.
func (c *cluster) writeCredentials(number int, folder string) error {
	for name, identity := range map[string][]string{
		"kubelet":    {"system:node:" + nodeName(number), "system:nodes"},
		"kube-proxy": {"system:kube-proxy"},
	} {
		config, err := c.plane.ConfigFor(identity[0], identity[1:]...)
		if err != nil {
			return err
		}
		if err := controlplane.WriteKubeconfig(filepath.Join(folder, name+".kubeconfig"), config); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "ca.crt"), c.plane.RESTConfig().CAData, 0o600); err != nil {
		return fmt.Errorf("files of a node: %w", err)
	}
	return nil
}

// nodePrograms are what a machine runs. Programs are found and logs are opened before
// mounts hide where they are.
func nodePrograms(s settings) ([]program, error) {
	binaries := controlplane.FindBinaries()
	kubelet, err := binaries.Find("kubelet")
	if err != nil {
		return nil, err
	}
	proxy, err := binaries.Find("kube-proxy")
	if err != nil {
		return nil, err
	}
	containerd, err := exec.LookPath("containerd")
	if err != nil {
		return nil, fmt.Errorf("looking for containerd: %w", err)
	}
	programs := []program{
		{name: "containerd", path: containerd, args: []string{"--config=" + inside + "/containerd.toml"}},
		{name: "kubelet", path: kubelet, args: []string{
			"--config=" + inside + "/kubelet.yaml",
			"--kubeconfig=" + inside + "/kubelet.kubeconfig",
			"--hostname-override=" + nodeName(s.node),
			"--node-ip=" + nodeAddress(s.node, true).String() + "," + nodeAddress(s.node, false).String(),
			"--node-labels=topology.kubernetes.io/zone=" + zone(s.node),
		}},
		{name: "kube-proxy", path: proxy, args: []string{"--config=" + inside + "/kube-proxy.yaml"}},
	}
	for i := range programs {
		path := s.path("logs", nodeName(s.node)+"-"+programs[i].name+".log")
		programs[i].log, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("log of a node: %w", err)
		}
	}
	return programs, nil
}
