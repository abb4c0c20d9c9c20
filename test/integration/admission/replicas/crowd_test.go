// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package replicas

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/test/badinput"
)

const (
	callers = 64
	creates = 5000
)

// crowd makes and deletes Services of tenants through both API servers.
type crowd struct {
	made atomic.Int64
	// enough is closed when no more is to be made.
	enough chan struct{}

	mu sync.Mutex
	// killed is from when to when a manager was killed.
	killed [2]time.Time
	// cut are requests that failed while it was.
	cut int
	// raced are addresses that the API server took back from a Service and itself.
	raced []string
}

// caller is one of a crowd.
type caller struct {
	*crowd
	tenant
	number int
	// turn counts its requests, by which it takes one API server or the other.
	turn int
	// address and port are its own to name.
	address netip.Addr
	port    int32
}

func (c *crowd) caller(number int) *caller {
	of := tenant(number % tenants)
	within := number / tenants
	address := of.named().Addr().Next()
	for range within {
		address = address.Next()
	}
	return &caller{
		crowd: c, tenant: of, number: number, address: address,
		port: of.port() + portsOfTenant - namedPorts + int32(within), //nolint:gosec // four at most
	}
}

// next takes another address that is its own to name.
func (c *caller) next() {
	for range (callers + tenants - 1) / tenants {
		c.address = c.address.Next()
	}
}

// run makes Services until there are enough.
func (c *caller) run(ctx context.Context) error {
	for i := 0; ; i++ {
		select {
		case <-c.enough:
			return nil
		default:
		}
		if err := c.round(ctx, fmt.Sprintf("load-%d-%d", c.number, i), i); err != nil {
			return err
		}
	}
}

// round makes some Services: one whose numbers it names, which is deleted and made again
// through the other server at once, and others whose numbers are chosen, of which a part
// stays.
func (c *caller) round(ctx context.Context, name string, i int) error {
	kind := clusterIP
	if i%4 == 0 {
		kind = nodePort
	}
	for range 2 {
		named := badinput.Make(c.name(), name+"-named", kind, badinput.Singular(c.address.String()))
		if kind == nodePort {
			named.Spec.Ports[0].NodePort = c.port
		}
		switch err := c.create(ctx, named); {
		case c.hasRaced(err):
			c.next()
			continue
		case err != nil:
			return err
		}
		if err := c.delete(ctx, named); err != nil {
			return err
		}
	}
	for j := range 2 {
		chosen := badinput.Make(c.name(), fmt.Sprint(name, "-", j), kind)
		if err := c.create(ctx, chosen); err != nil {
			return err
		}
		if j == 0 || i%4 < 2 {
			if err := c.delete(ctx, chosen); err != nil {
				return err
			}
		}
	}
	return nil
}

// create makes a Service, again if it was cut off by the end of a manager.
func (c *caller) create(ctx context.Context, of *corev1.Service) error {
	for {
		attempt, begun := of.DeepCopy(), time.Now()
		err := c.server().Create(ctx, attempt)
		switch {
		case err == nil && c.owns(attempt) && (of.Spec.ClusterIP == "" || of.Spec.ClusterIP == attempt.Spec.ClusterIP):
			c.made.Add(1)
			return nil
		case err == nil:
			return fmt.Errorf("%s/%s got %v and %v", of.Namespace, of.Name, attempt.Spec.ClusterIPs, attempt.Spec.Ports)
		case !c.wasCut(err, begun):
			return fmt.Errorf("creating %s/%s, %v after %v: %w", of.Namespace, of.Name, time.Now().Format(time.TimeOnly), time.Since(begun), err)
		}
	}
}

func (c *caller) delete(ctx context.Context, of *corev1.Service) error {
	if err := c.server().Delete(ctx, of); err != nil {
		return fmt.Errorf("deleting %s/%s: %w", of.Namespace, of.Name, err)
	}
	return nil
}

// server returns the API servers in turns.
func (c *caller) server() client.Client {
	c.turn++
	return servers[c.turn%len(servers)]
}

// wasCut tells whether a request failed since a manager that was to answer it was killed,
// or was sent on a connection of which the API server had not noticed yet where it ended.
func (c *crowd) wasCut(err error, begun time.Time) bool {
	const unnoticed = time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	cut := apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook") &&
		!c.killed[0].IsZero() && time.Now().After(c.killed[0]) && (c.killed[1].IsZero() || begun.Before(c.killed[1].Add(unnoticed)))
	if cut {
		c.cut++
	}
	return cut
}

// hasRaced tells whether an address that was free when the webhook was asked was not any
// more when the API server took it: when a Service has just been deleted, the repair loop of an
// API server that has not seen that yet may make the IPAddress of it anew.
func (c *caller) hasRaced(err error) bool {
	raced := apierrors.IsInvalid(err) && !strings.Contains(err.Error(), "admission webhook") &&
		strings.Contains(err.Error(), "provided IP is already allocated")
	if raced {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raced = append(c.raced, c.address.String())
	}
	return raced
}

// kill ends a manager as a crash would.
func (c *crowd) kill(of interface{ Kill() error }) error {
	c.mu.Lock()
	c.killed[0] = time.Now()
	c.mu.Unlock()
	err := of.Kill()
	c.mu.Lock()
	c.killed[1] = time.Now()
	c.mu.Unlock()
	return err
}

// inACrowd is the spec of a crowd. It ends the managers of the suite.
func inACrowd() {
	It("gets no number twice and none of others, while one manager stops in order and one is killed (traps 9 and 11)", func(ctx SpecContext) {
		c := &crowd{enough: make(chan struct{})}
		load, loadContext := errgroup.WithContext(ctx)
		for number := range callers {
			load.Go(func() error { return c.caller(number).run(loadContext) })
		}
		failed := loadContext.Done()
		reaches := func(count int64) {
			GinkgoHelper()
			Eventually(ctx, func() (int64, error) {
				select {
				case <-failed:
					return 0, StopTrying("a request failed that should not").Wrap(load.Wait())
				default:
					return c.made.Load(), nil
				}
			}).WithTimeout(2 * time.Minute).Should(BeNumerically(">=", count))
		}
		reaches(creates / 5)
		Expect(balance.served(first)).To(BeNumerically(">", 0))
		Expect(first.Stop(ctx)).To(Succeed())
		reaches(creates / 5 * 2)
		balance.add(startManager(ctx, "third"))
		reaches(creates / 5 * 3)
		Expect(c.kill(second)).To(Succeed())
		killed := time.Now()
		reaches(creates / 5 * 4)
		balance.add(startManager(ctx, "fourth"))
		reaches(creates)
		close(c.enough)
		Expect(load.Wait()).To(Succeed())
		Expect(c.cut).To(BeNumerically("<=", callers))
		AddReportEntry("requests that were cut off", c.cut)

		expectOwn(ctx)
		expectRepaired(ctx, c.raced)
		AddReportEntry("addresses that the API server made anew", c.raced)
		// What the last requests let go of takes its time, too, if they lasted for long.
		const bound, quarantine = 2 * time.Minute, 20 * time.Second
		Eventually(leaks).WithContext(ctx).WithTimeout(max(bound-time.Since(killed), quarantine)).Should(BeEmpty())
		AddReportEntry("nothing leaked any more after", time.Since(killed))
	}, NodeTimeout(10*time.Minute))
}

// expectOwn checks that each tenant's Services have its numbers, each once.
func expectOwn(ctx context.Context) {
	GinkgoHelper()
	seen := map[string]string{}
	for t := range tenant(tenants) {
		var services corev1.ServiceList
		Expect(plane.API.List(ctx, &services, client.InNamespace(t.name()))).To(Succeed())
		Expect(services.Items).NotTo(BeEmpty())
		for i := range services.Items {
			service := &services.Items[i]
			Expect(t.owns(service)).To(BeTrue(), "%s/%s has %v and %v", service.Namespace, service.Name, service.Spec.ClusterIPs, service.Spec.Ports)
			numbers := append([]string{}, service.Spec.ClusterIPs...)
			for j := range service.Spec.Ports {
				if port := service.Spec.Ports[j].NodePort; port != 0 {
					numbers = append(numbers, strconv.Itoa(int(port)))
				}
			}
			for _, number := range numbers {
				Expect(seen).NotTo(HaveKey(number), "%s/%s", service.Namespace, service.Name)
				seen[number] = service.Namespace + "/" + service.Name
			}
		}
	}
}

// expectRepaired checks that the repair loop of an API server says that it made the
// IPAddresses of some addresses.
func expectRepaired(ctx context.Context, addresses []string) {
	GinkgoHelper()
	var events eventsv1.EventList
	Expect(plane.API.List(ctx, &events)).To(Succeed())
	repaired := map[string]bool{}
	for i := range events.Items {
		if event := &events.Items[i]; event.Reason == "ClusterIPNotAllocated" {
			_, after, _ := strings.Cut(event.Note, "]: ")
			address, _, _ := strings.Cut(after, " ")
			repaired[address] = true
		}
	}
	for _, address := range addresses {
		Expect(repaired).To(HaveKey(address))
	}
}
