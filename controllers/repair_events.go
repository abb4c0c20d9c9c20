// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/repair"
)

// confirm asks the API server itself whether a finding is still so.
func (r *repairs) confirm(ctx context.Context, finding *repair.Finding) (bool, error) {
	switch {
	case finding.Service.Name != "":
		var service corev1.Service
		err := r.live.Get(ctx, finding.Service.NamespacedName, &service)
		switch {
		case apierrors.IsNotFound(err):
			return finding.Confirmed(nil), nil
		case err != nil:
			return false, fmt.Errorf("reading Service %s: %w", finding.Service.NamespacedName, err)
		}
		return finding.Confirmed(&r.records.service(&service).Service), nil
	case finding.Kind.Subject() == repair.AboutAddress:
		var address networkingv1.IPAddress
		err := r.live.Get(ctx, client.ObjectKey{Name: finding.Place.String()}, &address)
		if err != nil && !apierrors.IsNotFound(err) {
			return false, fmt.Errorf("reading IPAddress %s: %w", finding.Place, err)
		}
		return err == nil && address.UID == finding.Object, nil
	default:
		return true, nil
	}
}

// referenceToFinding names in events what a finding is about; nil if there is to be
// none.
func referenceToFinding(finding *repair.Finding) *corev1.ObjectReference {
	switch finding.Kind.Subject() {
	case repair.AboutService:
		return &corev1.ObjectReference{
			APIVersion: "v1", Kind: "Service",
			Namespace: finding.Service.Namespace, Name: finding.Service.Name, UID: finding.Service.UID,
		}
	case repair.AboutAddress:
		return &corev1.ObjectReference{
			APIVersion: networkingv1.SchemeGroupVersion.String(), Kind: "IPAddress",
			Name: finding.Place.String(), UID: finding.Object,
		}
	case repair.AboutBlock:
		return &corev1.ObjectReference{
			APIVersion: servicenetv1alpha1.GroupVersion.String(), Kind: "AllocationBlock", Name: finding.Place.Key.String(),
		}
	default:
		return nil
	}
}
