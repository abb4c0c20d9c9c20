// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"

	"servicenet.dev/servicenet/internal/ledger"
)

// recordedHints is a ledger that writes down what it is told.
type recordedHints struct {
	told []string
}

func (r *recordedHints) Carried(place ledger.Place, owner ledger.Owner, _ string) {
	r.told = append(r.told, owner.Name+" has "+place.String())
}

func (r *recordedHints) Dropped(place ledger.Place, owner ledger.Owner, then ledger.Retention) {
	text := owner.Name + " had " + place.String()
	if !then.Until.IsZero() {
		text += " and keeps it"
	}
	r.told = append(r.told, text)
}

func TestHintsTellWhatTheWatchShows(t *testing.T) {
	until := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	web, moved := record(numbered("web", "10.96.0.7", 30001)), record(numbered("web", "10.96.0.7", 30002))
	again := record(numbered("web", "10.96.0.8", 30001))
	again.UID = types.UID("another")
	twin := record(numbered("twin", "10.96.0.9", 30001))
	for name, test := range map[string]struct {
		show func(toolscache.ResourceEventHandler)
		want []string
	}{
		"a Service": {func(h toolscache.ResourceEventHandler) { h.OnAdd(web, true) }, []string{"web has 10.96.0.7", "web has 30001"}},
		"another port": {
			func(h toolscache.ResourceEventHandler) { h.OnUpdate(web, moved) },
			[]string{"web has 10.96.0.7", "web has 30002", "web had 30001"},
		},
		"deleted": {
			func(h toolscache.ResourceEventHandler) { h.OnDelete(web) },
			[]string{"web had 10.96.0.7 and keeps it", "web had 30001 and keeps it"},
		},
		"deleted while nobody looked": {
			func(h toolscache.ResourceEventHandler) { h.OnDelete(toolscache.DeletedFinalStateUnknown{Obj: web}) },
			[]string{"web had 10.96.0.7 and keeps it", "web had 30001 and keeps it"},
		},
		"deleted and made again while nobody looked": {
			func(h toolscache.ResourceEventHandler) { h.OnUpdate(web, again) },
			[]string{"web has 10.96.0.8", "web has 30001", "web had 10.96.0.7 and keeps it"},
		},
		"deleted, while another has its port": {
			func(h toolscache.ResourceEventHandler) {
				h.OnAdd(twin, false)
				h.OnDelete(web)
			},
			[]string{"twin has 10.96.0.9", "twin has 30001", "web had 10.96.0.7 and keeps it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			record := &recordedHints{}
			h := &hints{
				ledger: record, carriers: newCarriers(),
				retention: func(ledger.Place, ledger.Owner) ledger.Retention { return ledger.Retention{Until: until} },
				changed:   func(_, _ *serviceRecord) {},
			}
			test.show(h.handler())
			if diff := cmp.Diff(test.want, record.told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
