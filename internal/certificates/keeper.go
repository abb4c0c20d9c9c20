// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// checkPeriod is how often it is looked at without a reason whether the certificate
// must be renewed.
const checkPeriod = 12 * time.Hour

// fieldOwner is who the API server says wrote it.
const fieldOwner = client.FieldOwner("servicenet-cert-rotation")

// keeper brings Secret, webhook configurations and Store to agree.
type keeper struct {
	issuer

	secret         types.NamespacedName
	configurations []configuration
	reader         client.Reader
	writer         client.Client
	clock          clock.PassiveClock
	store          *Store
}

// Reconcile is of reconcile.Reconciler; there is one request.
func (k *keeper) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	secret := &corev1.Secret{}
	err := k.reader.Get(ctx, k.secret, secret)
	if apierrors.IsNotFound(err) {
		log.FromContext(ctx).Info("The Secret for the certificate of the webhooks is missing", "secret", k.secret)
		return reconcile.Result{}, nil // it comes here again when there is one
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("reading the Secret of the certificate: %w", err)
	}
	if now := k.clock.Now(); !k.allHolds(secret.Data, now) {
		return reconcile.Result{}, k.renew(ctx, secret, now)
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("certificate of the webhooks: %w", err)
	}
	if err := k.trust(ctx, secret.Data[authorityCert]); err != nil {
		return reconcile.Result{}, err
	}
	k.store.put(&pair)
	return reconcile.Result{RequeueAfter: checkPeriod}, nil
}

// renew changes the Secret, if it is still as it was read. Either way it comes by its
// event again: as written here or by another replica.
func (k *keeper) renew(ctx context.Context, secret *corev1.Secret, now time.Time) error {
	data, err := k.renewed(secret.Data, now)
	if err != nil {
		return err
	}
	changed := secret.DeepCopy()
	changed.Data = data
	err = k.writer.Update(ctx, changed, fieldOwner)
	switch {
	case err == nil:
		log.FromContext(ctx).Info("Made a certificate for the webhooks", "secret", k.secret)
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return nil
	default:
		err = fmt.Errorf("writing the Secret of the certificate: %w", err)
	}
	return err
}
