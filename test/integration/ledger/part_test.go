// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"net/netip"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/test/integration/ledger/part"
)

// brisk is the timing of a manager, but for what only keeps a spec waiting.
func brisk() store.Timing {
	timing := store.Defaults()
	timing.Settle = 200 * time.Millisecond
	timing.Quarantine = 2 * time.Second
	timing.Tick = 100 * time.Millisecond
	return timing
}

// local is a part in the ledger in this very process.
type local struct {
	*part.Part
	stop func(context.Context)
}

// startPart starts a part, which ends with the spec if it was not stopped before.
// It returns when the part leads and gives numbers.
func (in space) startPart(ctx context.Context, timing store.Timing) *local {
	GinkgoHelper()
	// It ends with the spec's cleanup, not with its context: numbers go back then.
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p, err := part.New(run, part.Options{
		Config: plane.RESTConfig(), Namespace: string(in), Identity: "test", Timing: timing, Logger: GinkgoLogr,
	})
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)
	go func() { ended <- p.Manager.Start(run) }()
	var once sync.Once
	l := &local{Part: p, stop: func(ctx context.Context) {
		GinkgoHelper()
		once.Do(func() {
			cancel()
			Eventually(ended).WithContext(ctx).Should(Receive(BeNil()))
		})
	}}
	DeferCleanup(l.stop)
	Eventually(p.Manager.Elected()).WithContext(ctx).Should(BeClosed())
	Eventually(in.gives).WithArguments(l).WithContext(ctx).Should(Succeed())
	return l
}

// gives takes a number that no spec has use for, which tells whether there are any.
func (in space) gives(ctx context.Context, l *local) error {
	return l.TakeNumber(ctx, ledger.Address(servicenetv1alpha1.LoadBalancerIPv4, netip.MustParseAddr("192.0.2.1")), in.request("nobody"))
}

// blockOf returns the block of a key as the API server has it, an empty one if it
// has none.
func blockOf(ctx context.Context, key ledger.Key) (*ledger.Block, error) {
	blocks := &servicenetv1alpha1.AllocationBlockList{}
	if err := api.List(ctx, blocks); err != nil {
		return nil, err
	}
	for i := range blocks.Items {
		if blocks.Items[i].Name == key.String() {
			_, block, err := decode(&blocks.Items[i])
			return block, err
		}
	}
	return ledger.NewBlock(0), nil
}

// stateOf returns what the API server has of a number.
func stateOf(ctx context.Context, place ledger.Place) (string, error) {
	block, err := blockOf(ctx, place.Key)
	if err != nil {
		return "", err
	}
	return block.State(place.Number).String(), nil
}

// names returns the names of all blocks.
func names(ctx context.Context) ([]string, error) {
	blocks := &servicenetv1alpha1.AllocationBlockList{}
	if err := api.List(ctx, blocks); err != nil {
		return nil, err
	}
	all := []string{}
	for i := range blocks.Items {
		all = append(all, blocks.Items[i].Name)
	}
	return all, nil
}

// addresses returns the numbers of a prefix.
func addresses(prefix string) *allocator.Range {
	GinkgoHelper()
	span, err := allocator.Prefix(netip.MustParsePrefix(prefix))
	Expect(err).NotTo(HaveOccurred())
	of, err := allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}})
	Expect(err).NotTo(HaveOccurred())
	return of
}
