// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/ledger"
)

// Where Services are served.
const (
	MutateServicesPath   = "/mutate--v1-service"
	ValidateServicesPath = "/validate--v1-service"
)

// Services decides on Services.
type Services struct {
	Facts  Facts
	Ledger Ledger

	turns turns
}

// NewServices returns what decides on Services.
func NewServices(facts Facts, of Ledger) *Services {
	return &Services{Facts: facts, Ledger: of, turns: turns{taken: map[string]*turn{}}}
}

// Mutate is the Judge of Services that the API server has given no numbers yet: it
// gives them theirs.
func (s *Services) Mutate(ctx context.Context, request *admissionv1.AdmissionRequest, times *Times) (*Verdict, error) {
	c, err := s.open(ctx, request, times)
	if err != nil || c == nil {
		return &Verdict{}, err
	}
	if err := c.recall(ctx); err != nil {
		return nil, err
	}
	plan, faults := admission.Decide(c.cluster, &c.Request)
	times.Spent("deciding")
	verdict := &Verdict{Warnings: plan.Warnings}
	if len(faults) == 0 {
		var places []ledger.Place
		places, faults, err = c.fulfil(ctx, plan, c.take)
		times.Spent("taking numbers")
		switch {
		case err != nil:
			c.giveBack()
			return nil, err
		case len(faults) > 0:
			c.giveBack()
		default:
			verdict.Patch = plan.Patch(places)
		}
	}
	return c.conclude(ctx, verdict, faults)
}

// Validate is the Judge of Services that the API server has given numbers. It takes
// none of the ledger: one that got here without it is taken over when it is stored.
func (s *Services) Validate(ctx context.Context, request *admissionv1.AdmissionRequest, times *Times) (*Verdict, error) {
	c, err := s.open(ctx, request, times)
	if err != nil || c == nil {
		return &Verdict{}, err
	}
	c.Final = true
	plan, faults := admission.Decide(c.cluster, &c.Request)
	times.Spent("deciding")
	if len(faults) == 0 {
		if _, faults, err = c.fulfil(ctx, plan, pretend); err != nil {
			return nil, err
		}
	}
	return c.conclude(ctx, &Verdict{}, faults)
}

// inquiry is a request for a Service, and what is known about it.
type inquiry struct {
	admission.Request

	facts   Facts
	ledger  Ledger
	turns   *turns
	times   *Times
	cluster *admission.Cluster
	// asked tells that the API server was asked whether the Service exists.
	asked bool
	// taken are the numbers that it was given so far.
	taken []ledger.Place
}

// open reads a request. It is nil where there is nothing to decide.
func (s *Services) open(ctx context.Context, request *admissionv1.AdmissionRequest, times *Times) (*inquiry, error) {
	if request.Resource != (metav1.GroupVersionResource{Version: "v1", Resource: "services"}) {
		return nil, &MalformedError{fmt.Errorf("%s are no Services of v1", request.Resource)}
	}
	creates := request.Operation == admissionv1.Create
	if request.SubResource != "" || !creates && request.Operation != admissionv1.Update {
		return nil, nil //nolint:nilnil // there is nothing to decide
	}
	c := &inquiry{facts: s.Facts, ledger: s.Ledger, turns: &s.turns, times: times}
	c.DryRun = request.DryRun != nil && *request.DryRun
	var err error
	if c.Service, err = read(request.Object.Raw, request); err != nil {
		return nil, err
	}
	if !creates {
		if c.Old, err = read(request.OldObject.Raw, request); err != nil {
			return nil, err
		}
	}
	times.Spent("decoding")
	if c.cluster, err = s.Facts.Cluster(); err != nil {
		return nil, err
	}
	c.NamespaceLabels, err = s.Facts.NamespaceLabels(ctx, request.Namespace)
	times.Spent("reading the namespace")
	return c, err
}

// read decodes a Service, whose name is that of the request.
func read(raw []byte, request *admissionv1.AdmissionRequest) (*corev1.Service, error) {
	if len(raw) == 0 {
		return nil, &MalformedError{errors.New("there is no Service in it")}
	}
	service := &corev1.Service{}
	if err := json.Unmarshal(raw, service); err != nil {
		return nil, &MalformedError{fmt.Errorf("the Service can't be read: %w", err)}
	}
	service.Namespace = request.Namespace
	if request.Name != "" {
		service.Name = request.Name
	}
	return service, nil
}

func (c *inquiry) name() types.NamespacedName {
	return types.NamespacedName{Namespace: c.Service.Namespace, Name: c.Service.Name}
}

// owner returns whom the numbers are for.
func (c *inquiry) owner() ledger.Owner {
	owner := ledger.Owner{NamespacedName: c.name()}
	if c.Old != nil {
		owner.UID = c.Old.UID
	}
	return owner
}

// recall finds out what is kept for the Service, and whether one of its name exists
// that the cache shows.
func (c *inquiry) recall(ctx context.Context) error {
	if c.Service.Name == "" {
		return nil
	}
	c.Retained = retained(c.Service, c.ledger.Retained(c.name()))
	if c.Old == nil && c.facts.ShowsService(c.name()) {
		return c.lookup(ctx)
	}
	return nil
}

// lookup asks the API server whether a Service of the name exists.
func (c *inquiry) lookup(ctx context.Context) (err error) {
	if c.asked {
		return nil
	}
	c.Exists, err = c.facts.ServiceExists(ctx, c.name())
	c.asked = true
	c.times.Spent("looking for a Service of this name")
	return err
}

// conclude refuses a Service with faults, unless one of its name exists: that is for
// the API server to say.
func (c *inquiry) conclude(ctx context.Context, verdict *Verdict, faults field.ErrorList) (*Verdict, error) {
	if len(faults) == 0 {
		return verdict, nil
	}
	if c.Old == nil && c.Service.Name != "" {
		if err := c.lookup(ctx); err != nil {
			return nil, err
		}
		if c.Exists {
			return &Verdict{}, nil
		}
	}
	verdict.Refusal = admission.Refuse(admission.ServiceKind(), &c.Service.ObjectMeta, faults)
	return verdict, nil
}
