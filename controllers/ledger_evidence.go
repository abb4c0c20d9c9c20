// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

const (
	// fewQuestions are asked of the API server, each by itself.
	fewQuestions = 8
	// catchUp is how long a cache may take to show what the API server had.
	catchUp = 250 * time.Millisecond
)

// cachedEvidence finds in the caches that nothing uses a number, once they are known
// to show all that the API server had after it was asked. To list all Services for
// the ports of those that are gone costs more than all else about them. What seems to
// be used, and what caches that lag behind say nothing of, is asked of the API server.
type cachedEvidence struct {
	live   store.Evidence
	reader client.Reader
	// services and addresses return records of all Services and IPAddress objects;
	// addresses may return nil.
	services, addresses func() toolscache.Store
}

var _ store.Evidence = (*cachedEvidence)(nil)

// Look is of store.Evidence.
func (e *cachedEvidence) Look(ctx context.Context, questions []store.Question) ([]store.Finding, error) {
	if len(questions) < fewQuestions {
		return e.live.Look(ctx, questions)
	}
	open, err := e.notFree(ctx, questions)
	if err != nil {
		return nil, err
	}
	findings := make([]store.Finding, len(questions))
	if len(open) == 0 {
		return findings, nil
	}
	asked := make([]store.Question, len(open))
	for i, at := range open {
		asked[i] = questions[at]
	}
	found, err := e.live.Look(ctx, asked)
	if err != nil {
		return nil, err
	}
	for i, at := range open {
		findings[at] = found[i]
	}
	return findings, nil
}

// notFree returns the indexes of the questions about numbers that the caches do not
// show to be free.
func (e *cachedEvidence) notFree(ctx context.Context, questions []store.Question) ([]int, error) {
	addresses, err := e.current(ctx, e.addresses(), &networkingv1.IPAddressList{}, questions, hasAddress)
	if err != nil {
		return nil, err
	}
	services, err := e.current(ctx, e.services(), &corev1.ServiceList{}, questions, hasPort)
	if err != nil {
		return nil, err
	}
	var ports map[ledger.Place]bool
	if services != nil {
		ports = portsOf(services)
	}
	var open []int
	for i, q := range questions {
		free := false
		switch {
		case hasAddress(q) && addresses != nil:
			_, exists, err := addresses.GetByKey(q.String())
			free = err == nil && !exists
		case hasPort(q) && services != nil:
			free = !ports[q.Place]
		}
		if !free {
			open = append(open, i)
		}
	}
	return open, nil
}

func hasPort(q store.Question) bool { return q.Family == servicenetv1alpha1.NodePort }

func hasAddress(q store.Question) bool {
	return q.Family == servicenetv1alpha1.ClusterIPv4 || q.Family == servicenetv1alpha1.ClusterIPv6
}

func portsOf(services toolscache.Store) map[ledger.Place]bool {
	ports := map[ledger.Place]bool{}
	for service := range each[*serviceRecord](services.List()) {
		for _, place := range service.Numbers {
			if place.Family == servicenetv1alpha1.NodePort {
				ports[place] = true
			}
		}
	}
	return ports
}

// current returns what a cache shows of a kind once that is all that the API server
// had when this was called; nil if it is not soon, or no question is of the kind.
func (e *cachedEvidence) current(
	ctx context.Context, shown toolscache.Store, kind client.ObjectList, questions []store.Question, concerned func(store.Question) bool,
) (toolscache.Store, error) {
	if shown == nil || !slices.ContainsFunc(questions, concerned) {
		return nil, nil //nolint:nilnil // nothing that is current
	}
	// Of a list, however short, the API server says how new it is.
	if err := e.reader.List(ctx, kind, client.Limit(1)); err != nil {
		return nil, fmt.Errorf("finding out how new caches have to be: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	looks := time.NewTicker(catchUp / 50)
	defer looks.Stop()
	for !isAsNew(shown.LastStoreSyncResourceVersion(), kind.GetResourceVersion()) {
		select {
		case <-looks.C:
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // as above
		}
	}
	return shown, nil
}

func isAsNew(version, as string) bool {
	order, err := resourceversion.CompareResourceVersion(version, as)
	return err == nil && order >= 0
}
