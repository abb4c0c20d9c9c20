// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"k8s.io/client-go/rest"
)

// AdminUser and AdminGroup are who RESTConfig's clients are. The group has all
// rights, in every cluster.
const (
	AdminUser  = "admin"
	AdminGroup = "system:masters"

	// KubeletClient is who the API server is to kubelets. It has no rights of its own.
	KubeletClient = "localhost"
)

// APIServer is a kube-apiserver.
type APIServer struct {
	*Process

	// URL is its root, on Options.Address or the loopback interface.
	URL string

	authority *authority
	admin     *rest.Config
}

// StartAPIServer starts one more kube-apiserver on the same etcd. The name
// stands in messages and is the name of its log; the arguments come last, so
// that they win.
func (cp *ControlPlane) StartAPIServer(ctx context.Context, name string, args ...string) (*APIServer, error) {
	path, err := cp.options.Binaries.Find("kube-apiserver")
	if err != nil {
		return nil, err
	}
	server := &APIServer{authority: cp.pki.cluster}
	if server.admin, err = cp.pki.cluster.clientConfig(AdminUser, []string{AdminGroup}); err != nil {
		return nil, err
	}
	probes, err := rest.HTTPClientFor(server.admin)
	if err != nil {
		return nil, fmt.Errorf("client for probes: %w", err)
	}
	advertised := cp.advertiseAddress()
	part, port, err := cp.startOnFreePort(ctx, func(port int) (Command, error) {
		return Command{
			Name:  name,
			Path:  path,
			Args:  append(cp.apiServerArgs(port, advertised), args...),
			Ready: HTTPReady(probes, cp.serverURL(port)+"/readyz"),
		}, nil
	})
	if err != nil {
		return nil, err
	}
	server.Process = part
	server.URL = cp.serverURL(port)
	server.admin.Host = server.URL
	return server, nil
}

func (cp *ControlPlane) apiServerArgs(port int, advertised string) []string {
	args := []string{
		fmt.Sprintf("--secure-port=%d", port),
		"--bind-address=" + cp.serverHost(),
		"--advertise-address=" + advertised,
		"--tls-cert-file=" + cp.pki.path(servingFile),
		"--tls-private-key-file=" + cp.pki.path(servingKeyFile),
		"--client-ca-file=" + cp.pki.path(clusterCAFile),
		"--requestheader-client-ca-file=" + cp.pki.path(frontProxyCAFile),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + cp.pki.path(frontProxyFile),
		"--proxy-client-key-file=" + cp.pki.path(frontProxyKeyFile),
		"--etcd-servers=" + cp.etcdURL,
		"--etcd-cafile=" + cp.pki.path(etcdCAFile),
		"--etcd-certfile=" + cp.pki.path(etcdFile),
		"--etcd-keyfile=" + cp.pki.path(etcdKeyFile),
		"--service-cluster-ip-range=" + cp.options.ServiceClusterIPRange,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + cp.pki.path(serviceAccountKeyFile),
		"--service-account-signing-key-file=" + cp.pki.path(serviceAccountKeyFile),
		"--authorization-mode=Node,RBAC",
		// Real kubelets know it as KubeletClient; simulated ones are never asked.
		"--kubelet-client-certificate=" + cp.pki.path(servingFile),
		"--kubelet-client-key=" + cp.pki.path(servingKeyFile),
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged=true",
	}
	if cp.options.NoServiceAccountAdmission {
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	return args
}

// serverHost is the address that API servers listen on.
func (cp *ControlPlane) serverHost() string {
	if cp.options.Address.IsValid() {
		return cp.options.Address.String()
	}
	return loopback
}

// serverURL is the root of the API server with a port.
func (cp *ControlPlane) serverURL(port int) string {
	return "https://" + net.JoinHostPort(cp.serverHost(), strconv.Itoa(port))
}

// advertiseAddress is what the next API server publishes as its endpoint of the
// Service "kubernetes": Options.Address, if there is one. That can't be a loopback address, and the default, an
// address of the machine, may be missing on a laptop without a network. Nobody
// connects to it, so it comes from the blocks reserved for documentation.
func (cp *ControlPlane) advertiseAddress() string {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.servers++
	if cp.options.Address.IsValid() {
		return cp.options.Address.String()
	}
	if cp.families.primaryIsIPv4() {
		return fmt.Sprintf("192.0.2.%d", cp.servers)
	}
	return fmt.Sprintf("2001:db8::%x", cp.servers)
}

// RESTConfig is for a client of this server with all rights and no rate limit.
// Every call returns a copy of its own.
func (s *APIServer) RESTConfig() *rest.Config { return rest.CopyConfig(s.admin) }

// ConfigFor is for a client of this server, known to it by a client certificate
// as the given user in the given groups, without a rate limit.
func (s *APIServer) ConfigFor(user string, groups ...string) (*rest.Config, error) {
	config, err := s.authority.clientConfig(user, groups)
	if err != nil {
		return nil, err
	}
	config.Host = s.URL
	return config, nil
}
