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
	// The JSON form of etcd's API, in which bytes are base64.
	body, err := json.Marshal(map[string][]byte{"key": []byte(key), "value": value})
	if err != nil {
		return fmt.Errorf("request to etcd: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, cp.etcdURL+"/v3/kv/put", bytes.NewReader(body))
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
		return fmt.Errorf("storing %s in etcd: %w", key, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("storing %s in etcd: %s", key, response.Status)
	}
	return nil
}
