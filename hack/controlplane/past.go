// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// mostPuts is how many values etcd takes in one transaction.
const mostPuts = 128

// PutInEtcd stores values by their keys in etcd itself, past the API servers and all
// that they check. They read JSON as well as what they write; the Service web of the
// namespace default has the key /registry/services/specs/default/web.
func (cp *ControlPlane) PutInEtcd(ctx context.Context, values map[string][]byte) error {
	clients, err := cp.pki.etcd.httpClient()
	if err != nil {
		return err
	}
	defer clients.CloseIdleConnections()
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(values)), mostPuts) {
		// The JSON form of etcd's API, in which bytes are base64.
		type put struct {
			Request map[string][]byte `json:"requestPut"`
		}
		transaction := map[string][]put{}
		for _, key := range keys {
			transaction["success"] = append(transaction["success"], put{map[string][]byte{"key": []byte(key), "value": values[key]}})
		}
		if err := cp.postToEtcd(ctx, clients, "/v3/kv/txn", transaction); err != nil {
			return fmt.Errorf("storing %s and %d more in etcd: %w", keys[0], len(keys)-1, err)
		}
	}
	return nil
}

func (cp *ControlPlane) postToEtcd(ctx context.Context, clients *http.Client, path string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, cp.etcdURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := clients.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body) // else the connection is not used again
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}
