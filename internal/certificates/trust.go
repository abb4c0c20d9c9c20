// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// configuration is a webhook configuration: an empty one of its kind, and its name.
type configuration struct {
	kind client.Object
	name string
}

// webhook is one of a configuration, with whom the API server trusts to have signed
// its certificate.
type webhook struct {
	name    string
	trusted []byte
}

// trust has the API server trust some authorities, PEM. Configurations that are not
// there are left out: they come by their event.
func (k *keeper) trust(ctx context.Context, authorities []byte) error {
	var errs []error
	for _, of := range k.configurations {
		errs = append(errs, k.trustFor(ctx, of, authorities))
	}
	return errors.Join(errs...)
}

func (k *keeper) trustFor(ctx context.Context, of configuration, authorities []byte) error {
	object, ok := of.kind.DeepCopyObject().(client.Object)
	if !ok {
		return fmt.Errorf("%T is no object", of.kind)
	}
	err := k.reader.Get(ctx, types.NamespacedName{Name: of.name}, object)
	if apierrors.IsNotFound(err) {
		log.FromContext(ctx).Info("A webhook configuration is missing", "name", of.name, "kind", fmt.Sprintf("%T", of.kind))
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the webhook configuration %s: %w", of.name, err)
	}
	patch, err := trustPatch(webhooksOf(object), authorities)
	if err != nil || patch == nil {
		return err
	}
	err = k.writer.Patch(ctx, object, client.RawPatch(types.JSONPatchType, patch), fieldOwner)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the authority into the webhook configuration %s: %w", of.name, err)
	}
	return nil
}

func webhooksOf(object client.Object) []webhook {
	var all []webhook
	switch of := object.(type) {
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		for i := range of.Webhooks {
			all = append(all, webhook{of.Webhooks[i].Name, of.Webhooks[i].ClientConfig.CABundle})
		}
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		for i := range of.Webhooks {
			all = append(all, webhook{of.Webhooks[i].Name, of.Webhooks[i].ClientConfig.CABundle})
		}
	}
	return all
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// trustPatch returns a JSON patch, which touches nothing but the authorities and fails
// when others have changed which webhooks there are; nil if all trust them already.
func trustPatch(all []webhook, authorities []byte) ([]byte, error) {
	var operations []operation
	for i, of := range all {
		if bytes.Equal(of.trusted, authorities) {
			continue
		}
		path := fmt.Sprintf("/webhooks/%d", i)
		operations = append(operations,
			operation{"test", path + "/name", of.name},
			operation{"add", path + "/clientConfig/caBundle", authorities}) // which replaces, too; bytes are base64 in JSON
	}
	if len(operations) == 0 {
		return nil, nil
	}
	return json.Marshal(operations)
}
