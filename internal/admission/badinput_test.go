// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

// TestBadInput demands the answers of the table.
func TestBadInput(t *testing.T) {
	for _, test := range badinput.Table() {
		t.Run(test.Name, func(t *testing.T) {
			cluster := newCluster(t, !test.SingleStack)
			if test.NoExternalIPs {
				cluster.ExternalIPs.Mode = NoExternalIPs
			}
			b := bookOf(append(test.Given, test.Old)...)
			r := ask(test.Service, test.Old)
			r.Used = used(test.Service.Namespace, test.Given)
			faults := answer(t, cluster, r, b)
			status := Refuse(ServiceKind(), &test.Service.ObjectMeta, faults)
			if status.Code != 422 || status.Reason != metav1.StatusReasonInvalid || status.Details.Kind != "Service" || status.Details.Name != test.Service.Name {
				t.Errorf("status %+v", status)
			}
			if len(status.Details.Causes) != len(test.Want) {
				t.Fatalf("causes %+v, want %+v", status.Details.Causes, test.Want)
			}
			for i, want := range test.Want {
				got := status.Details.Causes[i]
				if got.Type != want.Type || got.Field != want.Field || !strings.Contains(got.Message, want.Message) {
					t.Errorf("cause %+v, want %+v", got, want)
				}
				for _, secret := range []string{"holder", "depot"} {
					if strings.Contains(status.Message, secret) {
						t.Errorf("%q tells of %s", status.Message, secret)
					}
				}
			}
		})
	}
}

// answer returns what is wrong with a Service by the rules and by the ledger.
func answer(t *testing.T, cluster *Cluster, r *Request, b book) field.ErrorList {
	t.Helper()
	plan, faults := Decide(cluster, r)
	if len(faults) > 0 {
		if len(plan.Takes)+len(plan.Frees) > 0 {
			t.Errorf("a plan for what is refused: %+v", plan)
		}
		return faults
	}
	_, faults, err := plan.Fulfil(b.taker(r.Service))
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

// used counts the numbers of Services of a namespace, of each pool.
func used(namespace string, services []*corev1.Service) func(*pool.Pool) int {
	var addresses, ports int
	for _, s := range services {
		if s.Namespace != namespace {
			continue
		}
		for _, place := range numbers(s) {
			if place.Block.IsPorts() {
				ports++
			} else {
				addresses++
			}
		}
	}
	return func(*pool.Pool) int { return addresses + ports }
}

// Numbers that the ledger gives to nobody are refused without a word on who has them.
func TestAnswersOfTheLedger(t *testing.T) {
	service := badinput.Make("free", "web", corev1.ServiceTypeClusterIP, badinput.Singular("10.96.9.1"))
	for by, want := range map[ledger.Tenure]string{
		ledger.ByRetained: "is kept for a Service that had it; leave it out to get a free one",
		ledger.ByObject:   "is used by an object that is no Service; leave it out to get a free one",
	} {
		plan, _ := Decide(newCluster(t, true), ask(service, nil))
		_, faults, _ := plan.Fulfil(func(_ *Take, c *Candidate) (ledger.Place, error) {
			return ledger.Place{}, &ledger.TakenError{Place: c.Place, By: by}
		})
		if len(faults) != 1 || faults[0].Detail != want || faults[0].BadValue != "10.96.9.1" {
			t.Errorf("%s: %v", by, faults)
		}
	}
}
