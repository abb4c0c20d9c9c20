// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"cmp"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Pool is whom a pool serves, and on what terms.
type Pool struct {
	Name string
	// Limit is how many numbers a namespace may have; 0 is no limit.
	Limit int
	// Retain is how long a deleted Service's number is kept for its name; 0 is
	// not at all.
	Retain time.Duration
	// Faults is why the pool is malformed; then it serves nobody.
	Faults []string

	created   time.Time
	priority  int32
	exclusive bool
	// specificity is what counts between pools of one priority.
	specificity          int
	namespaces, services selector
}

const (
	servesAll = iota
	servesNamespaces
	servesServices
)

func newPool(meta *metav1.ObjectMeta, policy *servicenetv1alpha1.PoolPolicy) *Pool {
	p := &Pool{
		Name:      meta.Name,
		created:   meta.CreationTimestamp.Time,
		priority:  policy.Priority,
		exclusive: policy.Exclusive,
	}
	if policy.LimitPerNamespace != nil {
		p.Limit = int(*policy.LimitPerNamespace)
	}
	if policy.Retain != nil {
		p.Retain = policy.Retain.Duration
	}
	var err error
	if p.namespaces, err = compileSelector(policy.NamespaceSelector); err != nil {
		p.faultf("namespaceSelector: %v", err)
	}
	if p.services, err = compileSelector(policy.ServiceSelector); err != nil {
		p.faultf("serviceSelector: %v", err)
	}
	switch {
	case policy.ServiceSelector != nil:
		p.specificity = servesServices
	case policy.NamespaceSelector != nil:
		p.specificity = servesNamespaces
	}
	return p
}

func (p *Pool) faultf(format string, args ...any) {
	p.Faults = append(p.Faults, fmt.Sprintf(format, args...))
}

// serves tells whether a Service gets numbers from the pool.
func (p *Pool) serves(who *Who) bool {
	return len(p.Faults) == 0 && p.namespaces.matches(who.NamespaceLabels) && p.services.matches(who.ServiceLabels)
}

// Limits tells whether a Service counts towards the limit of the pool: if the pool
// serves it. Others get its numbers by chance or by name, as those of the cluster.
func (p *Pool) Limits(who *Who) bool { return p.Limit > 0 && p.serves(who) }

// compareService orders pools as Services try them.
func compareService(a, b *Pool) int {
	return cmp.Or(-cmp.Compare(a.priority, b.priority), -cmp.Compare(a.specificity, b.specificity), cmp.Compare(a.Name, b.Name))
}

// compareStanding is 0 for pools neither of which has a better right to a number
// that both have. An exclusive pool keeps its promise whatever others say.
func compareStanding(a, b *Pool) int {
	if a.exclusive != b.exclusive {
		if a.exclusive {
			return -1
		}
		return 1
	}
	return cmp.Or(-cmp.Compare(a.priority, b.priority), -cmp.Compare(a.specificity, b.specificity))
}

// compareRight orders pools by their right to a number that several have: their
// standing, then their age.
func compareRight(a, b *Pool) int {
	return cmp.Or(compareStanding(a, b), a.created.Compare(b.created), cmp.Compare(a.Name, b.Name))
}

// Who asks for numbers: a Service.
type Who struct {
	Namespace, Name string
	// NamespaceLabels and ServiceLabels are those that selectors of pools see.
	NamespaceLabels, ServiceLabels map[string]string
}
