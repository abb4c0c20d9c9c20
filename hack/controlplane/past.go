// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// PutInEtcd stores a value in etcd itself, past the API servers and all that they
// check. They read JSON as well as what they write; the Service web of the namespace
// default has the key /registry/services/specs/default/web.
func (cp *ControlPlane) PutInEtcd(ctx context.Context, key string, value []byte) error {
	return cp.askEtcd(ctx, "put", map[string][]byte{"key": []byte(key), "value": value})
}

// DeleteInEtcd removes a value of etcd, if it is there.
func (cp *ControlPlane) DeleteInEtcd(ctx context.Context, key string) error {
	return cp.askEtcd(ctx, "deleterange", map[string][]byte{"key": []byte(key)})
}

// askEtcd calls the JSON form of etcd's API, in which bytes are base64.
func (cp *ControlPlane) askEtcd(ctx context.Context, what string, body map[string][]byte) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("request to etcd: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, cp.etcdURL+"/v3/kv/"+what, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("request to etcd: %w", err)
	}
	clients, err := cp.pki.etcd.httpClient()
	if err != nil {
		return err
	}
	defer clients.CloseIdleConnections()
	response, err := clients.Do(request)
	if err != nil {
		return fmt.Errorf("asking etcd to %s: %w", what, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking etcd to %s: %s", what, response.Status)
	}
	return nil
}
