// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Record is what is known of a Service for which the provider was called. Nil is that
// of one for which it was not.
type Record struct {
	// Service is as it was at the last call. It serves to clean up for one that is gone.
	Service *corev1.Service

	// nodes are those that the provider was told of.
	nodes ID
	// stands tells that the last call went well.
	stands bool
	// elsewhere tells that somebody else makes the load balancer, and writes the status.
	elsewhere bool
	// answer is what the provider says that the status is.
	answer []corev1.LoadBalancerIngress
	// own are the entries of the status that are from the provider; nil if it is not
	// known which of them are.
	own []corev1.LoadBalancerIngress

	// restored is how often the status was put right, next when it may be again.
	restored int
	next     time.Time
}

// Call is what the provider is to be asked for.
type Call int

// The calls.
const (
	// None: its load balancer is as it is to be.
	None Call = iota
	// Ensure: it is to be made, or made anew.
	Ensure
	// Update: it is to lead to other nodes.
	Update
)

// Owed returns what the provider is to be asked for.
func (r *Record) Owed(service *corev1.Service, nodes ID) Call {
	switch {
	case r == nil || !r.stands || Changed(r.Service, service):
		return Ensure
	case r.nodes != nodes:
		return Update
	default:
		return None
	}
}

// Asking notes, before the provider is called, for what. Until the answer is noted it counts as
// failed.
func (r *Record) Asking(service *corev1.Service, nodes ID) {
	r.Service, r.nodes, r.stands = service, nodes, false
}

// Ensured notes what the provider says that the status is.
func (r *Record) Ensured(answer []corev1.LoadBalancerIngress) {
	r.stands, r.elsewhere, r.answer = true, false, asStored(answer)
}

// Updated notes that the provider took the nodes.
func (r *Record) Updated() { r.stands = true }

// Elsewhere notes that the provider leaves the load balancer to somebody else.
func (r *Record) Elsewhere() { r.stands, r.elsewhere = true, true }

// Ingress returns what the status of a Service is to list, and whether it lists
// something else. What others have put there stays, in its order.
func (r *Record) Ingress(service *corev1.Service) (list []corev1.LoadBalancerIngress, differs bool) {
	is := service.Status.LoadBalancer.Ingress
	if r.elsewhere {
		return is, false
	}
	own := r.own
	if own == nil && !overlap(is, r.answer) {
		// From before this process, and nothing in it is true any more.
		own = is
	}
	list = merge(is, own, r.answer)
	return list, !sameIngress(is, list)
}

// Said notes that the status lists what Ingress returned.
func (r *Record) Said() {
	if !r.elsewhere {
		r.own = append([]corev1.LoadBalancerIngress{}, r.answer...)
	}
}

// Patience returns for how long a status that differs is left as it is. One that
// somebody else has changed is put right at once, but later each time, so that two who
// disagree do not keep the API server busy.
func (r *Record) Patience(now time.Time) time.Duration {
	const longest, quiet = time.Minute, 5 * time.Minute
	if restores := r.own != nil && sameIngress(r.own, r.answer); !restores {
		return 0
	}
	if wait := r.next.Sub(now); wait > 0 {
		return wait
	}
	if now.Sub(r.next) > quiet {
		r.restored = 0
	}
	r.next = now.Add(min(time.Second/2<<min(r.restored, 7), longest))
	r.restored++
	return 0
}

// Left returns what the status of a Service is to list once it has no load balancer
// any more. held is what the provider says that it had. Only a Service that has one
// from somebody else by now keeps something.
func (t Terms) Left(service *corev1.Service, r *Record, held []corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress {
	if !t.Foreign(service) {
		return nil
	}
	own := asStored(held)
	if r != nil {
		own = append(own, r.own...)
	}
	return merge(service.Status.LoadBalancer.Ingress, own, nil)
}
