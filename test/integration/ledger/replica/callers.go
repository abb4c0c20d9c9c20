// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/test/integration/ledger/part"
)

const (
	// callerLabel says whose a Service is, over all lives of the program.
	callerLabel = "ledger-caller"
	// mostServices is how many Services a caller has at most.
	mostServices = 6
	// contested is how many numbers are asked for by number, by all callers.
	contested = 96
	// step is after how many Services made the log says so.
	step = 50
	// deadline is how long a number is waited for, as a webhook would.
	deadline = 8 * time.Second
	// again is after how long it is tried again when the ledger is not available.
	again = 100 * time.Millisecond
)

// callers take numbers and make Services with them.
type callers struct {
	*part.Part
	settings
	log              logr.Logger
	addresses, ports *allocator.Range
	firstAddress     ledger.Place
	firstPort        int

	made atomic.Int64
	mu   sync.Mutex
	// refusals counts why numbers were not given.
	refusals map[string]int
}

func newCallers(p *part.Part, s settings) (*callers, error) {
	c := &callers{Part: p, settings: s, log: log.Log, refusals: map[string]int{}}
	prefix, err := netip.ParsePrefix(s.addresses)
	if err != nil {
		return nil, err
	}
	span, err := allocator.ServiceCIDR(prefix)
	if err != nil {
		return nil, err
	}
	if c.addresses, err = allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}}); err != nil {
		return nil, err
	}
	first, last, _ := strings.Cut(s.ports, "-")
	from, err := strconv.Atoi(first)
	to, errTo := strconv.Atoi(last)
	if err := errors.Join(err, errTo); err != nil {
		return nil, err
	}
	ports, err := allocator.Ports(from, to)
	if err != nil {
		return nil, err
	}
	if c.ports, err = allocator.NewPorts(allocator.PortSpec{Spans: []allocator.PortSpan{ports}}); err != nil {
		return nil, err
	}
	// Past the static bands, where magazines are filled from.
	c.firstAddress = ledger.Address(servicenetv1alpha1.ClusterIPv4, prefix.Addr())
	c.firstAddress.Number += allocator.BlockSize / 4
	c.firstPort = (from + to) / 2
	return c, nil
}

// run lets the callers work until they are to rest.
func (c *callers) run(ctx context.Context, rest <-chan struct{}) error {
	var all sync.WaitGroup
	for id := range c.callers {
		all.Go(func() {
			services, err := c.find(ctx, id)
			if err != nil {
				c.log.Error(err, "Could not list Services")
			}
			c.work(ctx, id, services, rest)
		})
	}
	all.Wait()
	c.log.Info("Callers rest", "made", c.made.Load(), "refusals", c.refusals)
	return nil
}

// find returns the Services that a caller made in earlier lives of the program.
func (c *callers) find(ctx context.Context, id int) ([]corev1.Service, error) {
	list := &corev1.ServiceList{}
	err := c.Client.List(ctx, list, client.InNamespace(c.namespace), client.MatchingLabels{callerLabel: strconv.Itoa(id)})
	return list.Items, err
}

func (c *callers) work(ctx context.Context, id int, services []corev1.Service, rest <-chan struct{}) {
	for {
		select {
		case <-rest:
			return
		case <-ctx.Done():
			return
		default:
		}
		if len(services) > 0 && (len(services) >= mostServices || rand.IntN(3) == 0) {
			last := len(services) - 1
			at := rand.IntN(len(services))
			c.remove(ctx, &services[at])
			services[at] = services[last]
			services = services[:last]
			continue
		}
		if service := c.describe(ctx, id); service != nil && c.make(ctx, service) {
			services = append(services, *service)
		}
	}
}

// describe returns a Service with numbers that were taken for it, nil if there
// were none.
func (c *callers) describe(ctx context.Context, id int) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.namespace, Name: fmt.Sprintf("s-%016x", rand.Uint64()),
			Labels: map[string]string{callerLabel: strconv.Itoa(id)},
		},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}
	address, err := c.take(ctx, service, servicenetv1alpha1.ClusterIPv4)
	if err != nil {
		c.count(ctx, err)
		return nil
	}
	service.Spec.ClusterIP = address.String()
	if rand.IntN(2) == 0 {
		return service
	}
	port, err := c.take(ctx, service, servicenetv1alpha1.NodePort)
	if err != nil {
		c.count(ctx, err)
		return nil
	}
	service.Spec.Type = corev1.ServiceTypeNodePort
	service.Spec.Ports[0].NodePort = int32(port.Block.Port(port.Number)) //nolint:gosec // a port
	return service
}

// take takes any number, or now and then a certain one.
func (c *callers) take(ctx context.Context, service *corev1.Service, family servicenetv1alpha1.NumberFamily) (ledger.Place, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	request := store.Request{Owner: store.OwnerOf(service), Slot: string(family)}
	of := c.addresses
	place := c.firstAddress
	place.Number += rand.IntN(contested)
	if family == servicenetv1alpha1.NodePort {
		of, place = c.ports, ledger.Port(c.firstPort+rand.IntN(contested))
	}
	if rand.IntN(4) == 0 {
		return place, c.TakeNumber(ctx, place, request)
	}
	return c.Take(ctx, family, of, request)
}

// count counts a refusal, and logs what is none.
func (c *callers) count(ctx context.Context, err error) {
	var reason string
	taken, full, unavailable := (*ledger.TakenError)(nil), (*ledger.FullError)(nil), (*ledger.UnavailableError)(nil)
	switch {
	case errors.As(err, &taken):
		reason = string(taken.By)
	case errors.As(err, &full):
		reason = full.Error()
	case errors.As(err, &unavailable):
		reason = unavailable.Reason
		pause(ctx)
	default:
		c.log.Error(err, "Could not take a number")
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusals[reason]++
}

// pause waits until it is worth trying again.
func pause(ctx context.Context) {
	timer := time.NewTimer(again)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (c *callers) make(ctx context.Context, service *corev1.Service) bool {
	switch err := c.Client.Create(ctx, service); {
	case err == nil:
		if made := c.made.Add(1); made%step == 0 {
			c.log.Info("More Services were made", "made", made)
		}
		return true
	case apierrors.IsInvalid(err):
		c.log.Error(err, "The API server refused a Service")
	case ctx.Err() == nil:
		c.log.Error(err, "Could not make a Service")
	}
	return false
}

func (c *callers) remove(ctx context.Context, service *corev1.Service) {
	if err := client.IgnoreNotFound(c.Client.Delete(ctx, service)); err != nil && ctx.Err() == nil {
		c.log.Error(err, "Could not delete a Service")
	}
}
