// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// Contradictions tells where the ledger differs from the Services of the cluster:
// numbers in use that no Service carries, carried ones that are not in use, and
// ones on loan or held.
func (s *Server) Contradictions(ctx context.Context) ([]string, error) {
	return contradictions(ctx, s.API, store.Numbers)
}

// Unlike tells where the ledger differs from the Services of any cluster, be it in
// ClusterIPs, ports or addresses of load balancers, but for numbers that are only on
// loan or held.
func Unlike(ctx context.Context, api client.Reader) ([]string, error) {
	found, err := contradictions(ctx, api, func(service *corev1.Service) []ledger.Place {
		if ptr.Deref(service.Spec.LoadBalancerClass, "") != servicenetv1alpha1.LoadBalancerClass {
			return store.Numbers(service) // somebody else may give it addresses
		}
		return append(store.Numbers(service), store.Addresses(service)...)
	})
	return slices.DeleteFunc(found, isLent), err
}

// contradictions are those of the ledger and what each Service carries.
func contradictions(ctx context.Context, api client.Reader, of func(service *corev1.Service) []ledger.Place) ([]string, error) {
	states, err := readLedger(ctx, api)
	if err != nil {
		return nil, err
	}
	var services corev1.ServiceList
	if err := api.List(ctx, &services); err != nil {
		return nil, err
	}
	var found []string
	carried := map[ledger.Place]bool{}
	for i := range services.Items {
		for _, place := range of(&services.Items[i]) {
			carried[place] = true
			if states[place] != ledger.Used {
				found = append(found, fmt.Sprintf("%s of Service %s is %s", place, services.Items[i].Name, states[place]))
			}
		}
	}
	for place, state := range states {
		if !carried[place] {
			found = append(found, fmt.Sprintf("%s is %s and no Service has it", place, state))
		}
	}
	return found, nil
}

// readLedger returns what the ledger has of the numbers that are not free.
func readLedger(ctx context.Context, api client.Reader) (map[ledger.Place]ledger.State, error) {
	var blocks servicenetv1alpha1.AllocationBlockList
	if err := api.List(ctx, &blocks); err != nil {
		return nil, err
	}
	states := map[ledger.Place]ledger.State{}
	for i := range blocks.Items {
		key, err := ledger.ParseKey(blocks.Items[i].Family, blocks.Items[i].First)
		if err != nil {
			return nil, err
		}
		block, err := ledger.Decode(blocks.Items[i].Data)
		if err != nil {
			return nil, fmt.Errorf("block %s: %w", key, err)
		}
		for number := range block.Taken().Numbers() {
			states[ledger.Place{Key: key, Number: number}] = block.State(number)
		}
	}
	return states, nil
}

// States returns what the ledger has of numbers.
func (s *Server) States(ctx context.Context, places []ledger.Place) ([]string, error) {
	states, err := readLedger(ctx, s.API)
	if err != nil {
		return nil, err
	}
	found := []string{}
	for _, place := range places {
		found = append(found, states[place].String())
	}
	return found, nil
}

// ExpectUsed waits until the ledger has the number of each Service, and no others
// as used. What was in flight when a block was lost is on loan for a minute.
func (s *Server) ExpectUsed(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(ctx context.Context) ([]string, error) {
		found, err := s.Contradictions(ctx)
		return slices.DeleteFunc(found, isLent), err
	}).WithContext(ctx).Should(BeEmpty())
}

// isLent tells whether a contradiction is only that a number is on loan or held.
func isLent(contradiction string) bool {
	return strings.Contains(contradiction, " is lent and no Service") || strings.Contains(contradiction, " is held and no Service")
}

// Tamper changes a block as somebody else might.
func (s *Server) Tamper(ctx context.Context, name string, change func(block *ledger.Block)) {
	GinkgoHelper()
	s.Spoil(ctx, name, func(data []byte) []byte {
		block, err := ledger.Decode(data)
		Expect(err).NotTo(HaveOccurred())
		change(block)
		data, err = block.Encode()
		Expect(err).NotTo(HaveOccurred())
		return data
	})
}

// Spoil changes the record of a block.
func (s *Server) Spoil(ctx context.Context, name string, change func(data []byte) []byte) {
	GinkgoHelper()
	Eventually(func(g Gomega, ctx context.Context) {
		object := &servicenetv1alpha1.AllocationBlock{}
		g.Expect(s.API.Get(ctx, client.ObjectKey{Name: name}, object)).To(Succeed())
		object.Data = change(object.Data)
		g.Expect(s.API.Update(ctx, object)).To(Succeed())
	}).WithContext(ctx).Should(Succeed())
}
