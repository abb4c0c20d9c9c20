// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/ledger"
)

func TestTenantsAreRestored(t *testing.T) {
	tenant := func(name string) ledger.Tenant {
		return ledger.NewTenant(ledger.Owner{NamespacedName: types.NamespacedName{Namespace: "shop", Name: name}, UID: types.UID(name)}, ledger.Terms{})
	}
	kept := ledger.Retention{Until: time.Unix(1893456000, 0), For: tenant("old").Service}
	last := ledger.NewBlock(1)
	for number, name := range map[int]string{1: "a", 2: "old", 3: "old", 4: "gone"} {
		if _, err := last.Admit(number, tenant(name)); err != nil {
			t.Fatal(err)
		}
		last.Evict(number, "old", kept)
	}
	for name, test := range map[string]struct {
		last *ledger.Block
		want map[int]string
	}{
		"with what was last seen": {last, map[int]string{1: "used by a", 2: "used by b", 3: "kept for shop/old"}},
		"without":                 {nil, map[int]string{1: "used by a", 2: "used by b"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := ledger.NewBlock(2)
			RestoreTenants(b, test.last, func(yield func(int, ledger.Tenant) bool) {
				_ = yield(1, tenant("a")) && yield(1, tenant("late")) && yield(2, tenant("b"))
			})
			got := map[int]string{}
			for number := range b.Taken().Numbers() {
				if hold, held := b.Hold(number); held && hold.Until.Equal(kept.Until) {
					got[number] = "kept for " + hold.For.String()
				}
				for _, tenant := range b.Tenants(number) {
					got[number] += "used by " + string(tenant.UID)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("restored (-want +got):\n%s", diff)
			}
		})
	}
}
