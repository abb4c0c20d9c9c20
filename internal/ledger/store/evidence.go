// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
)

// apiEvidence asks the API server.
//
// A ClusterIP has an IPAddress object, which the server makes before the Service
// that carries the address and removes after it (KEP-1880): without the object no
// Service has the address. NodePorts and load-balancer addresses have nothing of
// the kind, so all Services that could have one are listed, once for all
// questions.
type apiEvidence struct {
	reader client.Reader
}

// NewEvidence returns the Evidence of an API server. The reader must ask the
// server itself: a cache won't do.
func NewEvidence(reader client.Reader) Evidence { return apiEvidence{reader} }

// lookers is how many questions are asked at a time.
const lookers = 16

// Look is of Evidence.
func (e apiEvidence) Look(ctx context.Context, questions []Question) ([]Finding, error) {
	findings := make([]Finding, len(questions))
	answered := make([]bool, len(questions))
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for i, q := range questions {
		group.Go(func() (err error) {
			if findings[i], answered[i], err = e.ask(groupContext, q); err != nil {
				return fmt.Errorf("find out what %s is used for: %w", q.Place, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil || !slices.Contains(answered, false) {
		return findings, err
	}
	listed, err := e.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("find out which Services have ports and addresses: %w", err)
	}
	for i, q := range questions {
		if !answered[i] {
			findings[i] = Finding{Carrier: listed[q.Place]}
		}
	}
	return findings, nil
}

// ask answers what can be answered without listing all Services.
func (e apiEvidence) ask(ctx context.Context, q Question) (f Finding, answered bool, err error) {
	carrier, err := e.hinted(ctx, q)
	switch {
	case err != nil:
		return Finding{}, false, err
	case carrier != (ledger.Owner{}):
		return Finding{Carrier: carrier}, true, nil
	case hasObjects(q.Family):
		f, err = e.byObject(ctx, q)
		return f, true, err
	default:
		return Finding{}, false, nil
	}
}

// hinted returns the Service of the hint if it carries the number.
func (e apiEvidence) hinted(ctx context.Context, q Question) (ledger.Owner, error) {
	if q.Hint.Name == "" {
		return ledger.Owner{}, nil
	}
	return e.carrier(ctx, q.Hint.NamespacedName, q.Place)
}

func (e apiEvidence) carrier(ctx context.Context, name types.NamespacedName, place ledger.Place) (ledger.Owner, error) {
	service := &corev1.Service{}
	if err := e.reader.Get(ctx, name, service); err != nil {
		return ledger.Owner{}, client.IgnoreNotFound(err)
	}
	if !slices.Contains(Numbers(service), place) {
		return ledger.Owner{}, nil
	}
	return OwnerOf(service), nil
}

func (e apiEvidence) byObject(ctx context.Context, q Question) (Finding, error) {
	address := &networkingv1.IPAddress{}
	err := e.reader.Get(ctx, types.NamespacedName{Name: q.String()}, address)
	if apierrors.IsNotFound(err) {
		return Finding{}, nil
	}
	if err != nil {
		return Finding{}, err
	}
	f := FindingOf(address)
	if f.Foreign {
		return f, nil
	}
	parent := types.NamespacedName{Namespace: address.Spec.ParentRef.Namespace, Name: address.Spec.ParentRef.Name}
	carrier, err := e.carrier(ctx, parent, q.Place)
	return Finding{Carrier: carrier, Leftover: carrier == ledger.Owner{}}, err
}

// FindingOf returns what an IPAddress object says of its address that no Service is
// known to carry: the API server has not let go of it, or it is no Service's.
func FindingOf(address *networkingv1.IPAddress) Finding {
	parent := address.Spec.ParentRef
	if parent == nil || parent.Group != "" || parent.Resource != "services" {
		return Finding{Foreign: true}
	}
	return Finding{Leftover: true}
}

// list returns which Services carry NodePorts and load-balancer addresses. Other
// types of Services have none that count.
func (e apiEvidence) list(ctx context.Context) (map[ledger.Place]ledger.Owner, error) {
	carriers := map[ledger.Place]ledger.Owner{}
	for _, of := range []corev1.ServiceType{corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName} {
		services := &corev1.ServiceList{}
		if err := e.reader.List(ctx, services, client.MatchingFields{"spec.type": string(of)}); err != nil {
			return nil, err
		}
		for i := range services.Items {
			for _, place := range Numbers(&services.Items[i]) {
				carriers[place] = OwnerOf(&services.Items[i])
			}
		}
	}
	return carriers, nil
}
