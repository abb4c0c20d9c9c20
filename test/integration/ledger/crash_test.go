// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"servicenet.dev/servicenet/internal/ledger"
)

const (
	// callers is how many take and free numbers at a time.
	callers = 64
	// rounds is how often a replica is killed.
	rounds = 5
	// repaired is how long after a start the ledger may differ from the Services.
	repaired = 2 * time.Minute
	// life is how long a replica may take to get as far as a spec wants it.
	life = time.Minute
	// leakyPorts are where callers take ports that are killed, and no other spec does:
	// see unexplained.
	leakyPorts = "--ports=32000-32767"
)

var _ = Describe("A replica that is killed while callers take and free numbers", func() {
	It("starts again, and the ledger equals the Services within two minutes", func(ctx SpecContext) {
		in := newSpace(ctx)
		r := in.startReplica(ctx, "killed", callers, leakyPorts)
		for round := range rounds {
			atWork(ctx, r)
			if round%2 == 1 { // to be killed while it frees and takes back, too
				awaitMore(ctx, r, leadsMessage)
			}
			Expect(r.Kill()).To(Succeed())
			Expect(r.Restart(ctx)).To(Succeed())
		}
		started := time.Now()
		atWork(ctx, r)
		r.rest(ctx)

		Eventually(contradictions).WithArguments(r.holder()).WithContext(ctx).
			WithTimeout(repaired - time.Since(started)).WithPolling(time.Second).Should(BeEmpty())
		AddReportEntry("the ledger equals the Services", time.Since(started).Round(time.Second).String()+" after the last start")
		Expect(in.unexplained(ctx, r.faults())).To(BeEmpty(), "a number was given that was not free")
	})
})

var _ = Describe("Two replicas", func() {
	It("give no number twice", func(ctx SpecContext) {
		in := newSpace(ctx)
		// So few that each has numbers on loan that the other wants.
		few := []string{"--addresses=10.96.32.0/22", "--ports=31000-31999"}
		one := in.startReplica(ctx, "one", callers/2, few...)
		other := in.startReplica(ctx, "other", callers/2, few...)
		for range 4 {
			atWork(ctx, one)
			atWork(ctx, other)
		}
		one.rest(ctx)
		other.rest(ctx)
		Expect(append(one.faults(), other.faults()...)).To(BeEmpty(), "a number was given twice")
		Eventually(func(ctx context.Context) ([]string, error) {
			return contradictions(ctx, one.holder(), other.holder())
		}).WithContext(ctx).Should(BeEmpty())
	})
})

// atWork waits until the callers of a replica made some more Services.
func atWork(ctx context.Context, r *replica) {
	GinkgoHelper()
	before := r.count(madeMessage)
	Eventually(r.counting(madeMessage)).WithContext(ctx).WithTimeout(life).Should(BeNumerically(">", before+2))
}

// awaitMore waits until a replica logged something once more.
func awaitMore(ctx context.Context, r *replica, message string) {
	GinkgoHelper()
	before := r.count(message)
	Eventually(r.counting(message)).WithContext(ctx).WithTimeout(life).Should(BeNumerically(">", before))
}

// unexplained returns the faults but for refusals of ports that the API server has leaked.
// It does so when somebody is killed whose Service it is deleting: the Service goes, and
// its port stays allocated until the API server's own repair, minutes later. Whoever names
// it is refused, though no Service has it, and the ledger can't know.
func (in space) unexplained(ctx context.Context, faults []string) []string {
	GinkgoHelper()
	return slices.DeleteFunc(faults, func(fault string) bool {
		_, after, _ := strings.Cut(fault, "nodePort: Invalid value: ")
		text, _, refused := strings.Cut(after, ": provided port is already allocated")
		if !refused {
			return false
		}
		port, err := strconv.Atoi(text)
		Expect(err).NotTo(HaveOccurred(), fault)
		return in.leaked(ctx, port)
	})
}

// leaked tells whether the API server refuses a port that no Service has.
func (in space) leaked(ctx context.Context, port int) bool {
	GinkgoHelper()
	var services corev1.ServiceList
	Expect(api.List(ctx, &services)).To(Succeed())
	for i := range services.Items {
		has := func(p corev1.ServicePort) bool { return int(p.NodePort) == port }
		if slices.ContainsFunc(services.Items[i].Spec.Ports, has) {
			return false
		}
	}
	err := api.Create(ctx, in.newService("port-"+strconv.Itoa(port), ledger.Port(port)))
	Expect(err).To(Or(Succeed(), Satisfy(apierrors.IsInvalid)))
	return err != nil
}
