// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// head is an API server that says how new its lists are, or that it can't.
type head struct {
	client.Reader

	version string
	err     error
}

func (h *head) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.SetResourceVersion(h.version)
	return h.err
}

// asked is live evidence that remembers what it was asked. By it, everything is in use.
type asked []ledger.Place

func (a *asked) Look(_ context.Context, questions []store.Question) ([]store.Finding, error) {
	findings := make([]store.Finding, len(questions))
	for i, q := range questions {
		*a = append(*a, q.Place)
		findings[i] = store.Finding{Carrier: ledger.Owner{UID: "live"}}
	}
	return findings, nil
}

// shownAt are stores that are as new as version, with one Service at 10.96.0.7 and 30007.
func shownAt(t *testing.T, version string) (services, addresses toolscache.Store) {
	t.Helper()
	services, addresses = newRecordStore(), newRecordStore()
	service := numbered("web", "10.96.0.7", 30007)
	records := newRecorder(Options{Controllers: []string{"*"}})
	address := records.address(&networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: "10.96.0.7"}})
	if err := errors.Join(services.Add(records.service(service)), addresses.Add(address)); err != nil {
		t.Fatal(err)
	}
	services.Bookmark(version)
	addresses.Bookmark(version)
	return services, addresses
}

// allOf asks about ten addresses and ten ports.
func allOf() []store.Question {
	var questions []store.Question
	for i := range 10 {
		address := ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.AddrFrom4([4]byte{10, 96, 0, byte(i)}))
		questions = append(questions, store.Question{Place: address}, store.Question{Place: ledger.Port(30000 + i)})
	}
	return questions
}

func TestWhatCachesShowToBeUsedIsAskedOfTheServer(t *testing.T) {
	services, addresses := shownAt(t, "50")
	live := &asked{}
	e := &cachedEvidence{
		live: live, reader: &head{version: "50"},
		services:  func() toolscache.Store { return services },
		addresses: func() toolscache.Store { return addresses },
	}
	questions := allOf()
	findings, err := e.Look(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"10.96.0.7", "30007"}, texts(*live)); diff != "" {
		t.Errorf("asked of the server (-want +got):\n%s", diff)
	}
	for i, q := range questions {
		used := q.String() == "10.96.0.7" || q.String() == "30007"
		if (findings[i].Carrier.UID == "live") != used {
			t.Errorf("%s: %+v", q, findings[i])
		}
	}
}

func TestCachesThatLagBehindAreNotAsked(t *testing.T) {
	for _, c := range []struct {
		what, shown, head string
		catchesUp         bool
		questions, asked  int
	}{
		{what: "few questions", shown: "50", head: "50", questions: 4, asked: 4},
		{what: "as new", shown: "50", head: "50", questions: 20, asked: 2},
		{what: "newer", shown: "51", head: "50", questions: 20, asked: 2},
		{what: "older", shown: "49", head: "50", questions: 20, asked: 20},
		{what: "soon as new", shown: "49", head: "50", catchesUp: true, questions: 20, asked: 2},
		{what: "a cache that does not say", shown: "", head: "50", questions: 20, asked: 20},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				services, addresses := shownAt(t, c.shown)
				live := &asked{}
				e := &cachedEvidence{
					live: live, reader: &head{version: c.head},
					services:  func() toolscache.Store { return services },
					addresses: func() toolscache.Store { return addresses },
				}
				if c.catchesUp {
					time.AfterFunc(catchUp/10, func() { addresses.Bookmark(c.head); services.Bookmark(c.head) })
				}
				if _, err := e.Look(t.Context(), allOf()[:c.questions]); err != nil || len(*live) != c.asked {
					t.Errorf("%d were asked of the server, want %d; %v", len(*live), c.asked, err)
				}
			})
		})
	}
}

func TestNothingIsFoundFreeWithoutTheServer(t *testing.T) {
	services, addresses := shownAt(t, "50")
	fault := errors.New("not now")
	e := &cachedEvidence{
		live: &asked{}, reader: &head{err: fault},
		services:  func() toolscache.Store { return services },
		addresses: func() toolscache.Store { return addresses },
	}
	if findings, err := e.Look(t.Context(), allOf()); !errors.Is(err, fault) || findings != nil {
		t.Errorf("%v, %v", findings, err)
	}
}
