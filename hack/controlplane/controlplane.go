// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"k8s.io/client-go/rest"
)

// ControlPlane is a running control plane. Its methods may be called from
// several goroutines.
type ControlPlane struct {
	options   Options
	temporary bool // options.Dir was made here
	families  families
	pki       *pki
	spawner   *spawner

	etcd      *Process
	etcdURL   string
	apiServer *APIServer

	mu      sync.Mutex
	parts   []*Process // in the order they were first started
	servers int        // API servers started so far
	stopped bool
	err     error
	done    chan struct{}
}

// Start starts etcd and kube-apiserver and returns when the API server is
// ready. The context bounds the start only: what runs, runs until Stop.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	options, temporary, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{
		options:   options,
		temporary: temporary,
		spawner:   newSpawner(),
		done:      make(chan struct{}),
	}
	if err := cp.start(ctx); err != nil {
		return nil, errors.Join(err, cp.Stop())
	}
	return cp, nil
}

func (cp *ControlPlane) start(ctx context.Context) error {
	var err error
	if cp.families, err = parseFamilies(cp.options.ServiceClusterIPRange); err != nil {
		return err
	}
	if err := cp.prepareDir(); err != nil {
		return err
	}
	addresses, names := cp.families.serverNames()
	if cp.options.Address.IsValid() {
		addresses = append(addresses, cp.options.Address)
	}
	if cp.pki, err = newPKI(cp.path("certificates"), addresses, names); err != nil {
		return err
	}
	if err := cp.startEtcd(ctx); err != nil {
		return err
	}
	cp.apiServer, err = cp.StartAPIServer(ctx, "kube-apiserver", cp.options.APIServerArgs...)
	return err
}

// prepareDir makes the folders, without what an earlier control plane left.
func (cp *ControlPlane) prepareDir() error {
	dir, err := filepath.Abs(cp.options.Dir)
	if err != nil {
		return fmt.Errorf("folder of the control plane: %w", err)
	}
	cp.options.Dir = dir
	for _, name := range []string{"certificates", "data", "kubeconfigs", "logs"} {
		if err := os.RemoveAll(cp.path(name)); err != nil {
			return fmt.Errorf("removing what an earlier control plane left: %w", err)
		}
		if err := os.MkdirAll(cp.path(name), 0o700); err != nil {
			return fmt.Errorf("making the control plane's folders: %w", err)
		}
	}
	return cp.copyEtcdData()
}

// copyEtcdData gives etcd the data to begin with, if there are any.
func (cp *ControlPlane) copyEtcdData() error {
	if cp.options.EtcdData == "" {
		return nil
	}
	data := cp.path("data", "etcd")
	// Copied folders get the mode that the umask leaves; etcd wants its own for
	// itself.
	if err := os.Mkdir(data, 0o700); err != nil {
		return fmt.Errorf("making the folder of etcd: %w", err)
	}
	if err := os.CopyFS(data, os.DirFS(cp.options.EtcdData)); err != nil {
		return fmt.Errorf("copying the data of an earlier etcd: %w", err)
	}
	return nil
}

// path returns a path inside the control plane's folder.
func (cp *ControlPlane) path(elements ...string) string {
	return filepath.Join(append([]string{cp.options.Dir}, elements...)...)
}

// Dir is the absolute path of the control plane's folder.
func (cp *ControlPlane) Dir() string { return cp.options.Dir }

// Etcd is the process of etcd.
func (cp *ControlPlane) Etcd() *Process { return cp.etcd }

// APIServer is the API server that Start started.
func (cp *ControlPlane) APIServer() *APIServer { return cp.apiServer }

// RESTConfig is for a client of the first API server with all rights and no
// rate limit. Every call returns a copy of its own.
func (cp *ControlPlane) RESTConfig() *rest.Config { return cp.apiServer.RESTConfig() }

// ConfigFor is for a client of the first API server, known to it by a client
// certificate as the given user in the given groups.
func (cp *ControlPlane) ConfigFor(user string, groups ...string) (*rest.Config, error) {
	return cp.apiServer.ConfigFor(user, groups...)
}

// Done is closed when a part ends that nobody asked to, and by Stop.
// Err then says which it was.
func (cp *ControlPlane) Done() <-chan struct{} { return cp.done }

// Err names the first part that ended unasked, with its exit status and its
// last log lines (*DeathError). It is nil while all is well and after a plain
// Stop.
func (cp *ControlPlane) Err() error {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	return cp.err
}

// fail records that a part ended unasked.
func (cp *ControlPlane) fail(err error) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if cp.stopped || cp.err != nil {
		return
	}
	cp.err = err
	close(cp.done)
}

// Stop ends every part, the last one started first, and removes the folder if
// it was a temporary one. Stopping twice does no harm.
func (cp *ControlPlane) Stop() error {
	cp.mu.Lock()
	if cp.stopped {
		cp.mu.Unlock()
		return nil
	}
	cp.stopped = true
	if cp.err == nil {
		close(cp.done)
	}
	cp.mu.Unlock() // from here on no part is added or started again

	var errs []error
	for _, part := range slices.Backward(cp.parts) {
		errs = append(errs, part.stopWithGrace())
	}
	cp.spawner.close()
	if cp.temporary {
		errs = append(errs, os.RemoveAll(cp.options.Dir))
	}
	return errors.Join(errs...)
}
