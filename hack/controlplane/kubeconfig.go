// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// WriteKubeconfig writes a kubeconfig file with the server and the client
// certificate of a config as RESTConfig and ConfigFor return it. The file
// appears whole or not at all, and only its owner can read it.
func WriteKubeconfig(path string, config *rest.Config) error {
	const name = "servicenet"
	kubeconfig := api.NewConfig()
	kubeconfig.Clusters[name] = &api.Cluster{
		Server:                   config.Host,
		CertificateAuthorityData: config.CAData,
	}
	kubeconfig.AuthInfos[name] = &api.AuthInfo{
		ClientCertificateData: config.CertData,
		ClientKeyData:         config.KeyData,
	}
	kubeconfig.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	kubeconfig.CurrentContext = name
	content, err := clientcmd.Write(*kubeconfig)
	if err != nil {
		return fmt.Errorf("encoding kubeconfig %s: %w", path, err)
	}
	if err := replaceFile(path, content); err != nil {
		return fmt.Errorf("writing kubeconfig: %w", err)
	}
	return nil
}

// replaceFile writes a file that only its owner can read, through another one
// beside it, so that nobody ever reads half of it.
func replaceFile(path string, content []byte) error {
	unfinished := path + ".unfinished"
	if err := os.WriteFile(unfinished, content, 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

// writeKubeconfigFor gives a part of the control plane a kubeconfig of its own
// in the control plane's folder and returns its path.
func (cp *ControlPlane) writeKubeconfigFor(part, user string, groups ...string) (string, error) {
	config, err := cp.ConfigFor(user, groups...)
	if err != nil {
		return "", err
	}
	path := cp.path("kubeconfigs", part)
	return path, WriteKubeconfig(path, config)
}
