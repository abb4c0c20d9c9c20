// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

func TestCompare(t *testing.T) {
	type lines = []string
	tests := map[string]struct {
		services []string
		ledger   string
		objects  string
		adjust   func(*World)
		want     lines
	}{
		"nothing at all": {},
		"all agrees": {
			services: lines{"shop/web 10.96.0.9 fd00::9 :30080", "shop/api 10.96.0.10"},
			ledger:   "10.96.0.9=used fd00::9=used :30080=used 10.96.0.10=used 10.96.0.11=lent 10.96.0.12=held 10.96.0.13=kept",
		},

		// The ledger and the Services.
		"a Service that is not in the ledger": {
			services: lines{"shop/web 10.96.0.9 fd00::9 :30080"},
			want:     lines{"adopt 10.96.0.9 shop/web", "adopt 30080 shop/web", "adopt fd00::9 shop/web"},
		},
		"a number beside others of the block": {
			services: lines{"shop/web 10.96.0.9", "shop/api 10.96.0.10"}, ledger: "10.96.0.10=used",
			want: lines{"adopt 10.96.0.9 shop/web"},
		},
		"a held number that a Service has": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=held", want: lines{"adopt 10.96.0.9 shop/web"},
		},
		"a number kept for one Service that another has": {
			services: lines{"shop/api 10.96.0.9"}, ledger: "10.96.0.9=kept", want: lines{"adopt 10.96.0.9 shop/api"},
		},
		"a number on loan that a Service has": {services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=lent"},
		"a leaked address":                    {ledger: "10.96.0.9=used", want: lines{"leak 10.96.0.9"}},
		"a leaked port":                       {ledger: ":30080=used", want: lines{"leak 30080"}},
		"leaks beside what is used": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=used 10.96.0.8=used 10.97.0.9=used",
			want: lines{"leak 10.96.0.8", "leak 10.97.0.9"},
		},
		"a port for TCP and UDP": {services: lines{"shop/dns :30053 :30053"}, ledger: ":30053=used"},
		"a port for TCP and UDP that is not in the ledger": {
			services: lines{"shop/dns :30053 :30053"}, want: lines{"adopt 30053 shop/dns"},
		},

		// Duplicates.
		"an address of two Services": {
			services: lines{"shop/web 10.96.0.9", "team/api 10.96.0.9"}, ledger: "10.96.0.9=used",
			want: lines{"duplicate 10.96.0.9 shop/web and team/api", "duplicate 10.96.0.9 team/api and shop/web"},
		},
		"a port of three Services": {
			services: lines{"shop/a :30080", "shop/b :30080", "shop/c :30080"}, ledger: ":30080=used",
			want: lines{
				"duplicate 30080 shop/a and shop/b and shop/c", "duplicate 30080 shop/b and shop/a and shop/c",
				"duplicate 30080 shop/c and shop/a and shop/b",
			},
		},
		"one of the two goes: the other keeps the number": {services: lines{"team/api :30080"}, ledger: ":30080=used"},
		"one of the two went, and the number is held":     {services: lines{"team/api :30080"}, ledger: ":30080=held", want: lines{"adopt 30080 team/api"}},
		"two Services with a number that is not in the ledger": {
			services: lines{"shop/web :30080", "team/api :30080"},
			want: lines{
				"adopt 30080 shop/web", "adopt 30080 team/api", "duplicate 30080 shop/web and team/api", "duplicate 30080 team/api and shop/web",
			},
		},
		"one port twice": {
			services: lines{"shop/web :30080 :30080 twice:30080"}, ledger: ":30080=used", want: lines{"duplicate 30080 shop/web"},
		},
		"load-balancer addresses are left alone": {
			services: lines{"shop/web lb:192.0.2.1", "shop/api lb:192.0.2.1 lb:192.0.2.2"}, ledger: "lb:192.0.2.1=used lb:192.0.2.3=used",
			adjust: func(w *World) {
				w.Families = append(w.Families, servicenetv1alpha1.LoadBalancerIPv4)
			},
		},

		// Ranges.
		"addresses out of range, which are in the ledger all the same": {
			services: lines{"shop/web 10.95.0.9 fd01::9"}, ledger: "10.95.0.9=used",
			want: lines{"adopt fd01::9 shop/web", "out_of_range 10.95.0.9 shop/web", "out_of_range fd01::9 shop/web"},
		},
		"the first and last addresses of a ServiceCIDR": {
			services: lines{"shop/a 10.96.0.0", "shop/b 10.96.255.255", "shop/c fd00::", "shop/d fd00::ffff"},
			ledger:   "10.96.0.0=used 10.96.255.255=used fd00::=used fd00::ffff=used",
			want:     lines{"out_of_range 10.96.0.0 shop/a", "out_of_range 10.96.255.255 shop/b", "out_of_range fd00:: shop/c"},
		},
		"the last address of one ServiceCIDR is inside of another": {
			services: lines{"shop/a 10.96.0.255"}, ledger: "10.96.0.255=used",
			adjust: func(w *World) { w.CIDRs = append(w.CIDRs, netip.MustParsePrefix("10.96.0.0/24")) },
		},
		"no ServiceCIDR is known": {
			services: lines{"shop/web 10.95.0.9"}, ledger: "10.95.0.9=used", adjust: func(w *World) { w.CIDRs = nil },
		},
		"ports out of range": {
			services: lines{"shop/web :29999 :30000 :32767 :32768"}, ledger: ":29999=used :30000=used :32767=used :32768=used",
			want: lines{"out_of_range 29999 shop/web", "out_of_range 32768 shop/web"},
		},
		"a port out of range for TCP and UDP": {
			services: lines{"shop/web :29999 :29999"}, ledger: ":29999=used", want: lines{"out_of_range 29999 shop/web"},
		},
		"no range of ports is known": {
			services: lines{"shop/web :29999"}, ledger: ":29999=used", adjust: func(w *World) { w.Ports = allocator.PortSpan{} },
		},
		"an address out of range of two Services": {
			services: lines{"shop/web 10.95.0.9", "shop/api 10.95.0.9"}, ledger: "10.95.0.9=used",
			want: lines{
				"duplicate 10.95.0.9 shop/api and shop/web", "duplicate 10.95.0.9 shop/web and shop/api",
				"out_of_range 10.95.0.9 shop/api", "out_of_range 10.95.0.9 shop/web",
			},
		},
		"what is no address": {
			services: lines{"shop/web invalid-a invalid-b"}, want: lines{"invalid invalid-a shop/web", "invalid invalid-b shop/web"},
		},
		"what is no address, of one family": {
			services: lines{"shop/web invalid-a"}, want: lines{"invalid invalid-a shop/web"},
			adjust: func(w *World) { w.Families = []servicenetv1alpha1.NumberFamily{servicenetv1alpha1.ClusterIPv4} },
		},
		"the last port": {
			services: lines{"shop/a :30000", "shop/c :30002 :30002", "shop/b :30001"}, ledger: ":30000=used :30001=used :30002=used",
			adjust: func(w *World) { w.Capacity = map[servicenetv1alpha1.NumberFamily]int{servicenetv1alpha1.NodePort: 3} },
			want:   lines{"full 30001 shop/b"},
		},
		"the last ports of one age": {
			services: lines{"shop/a :30000", "shop/b :30001"}, ledger: ":30000=used :30001=used", adjust: twoPortsOfOneAge,
			want: lines{"full 30001 shop/b"},
		},
		"the last ports of one age, in another order": {
			services: lines{"shop/b :30001", "shop/a :30000"}, ledger: ":30000=used :30001=used", adjust: twoPortsOfOneAge,
			want: lines{"full 30001 shop/b"},
		},
		"one port is left: duplicates and what is out of range do not count": {
			services: lines{"shop/a :30000 :29000", "shop/c :30002 :30002", "shop/b :30002"}, ledger: ":30000=used :29000=used :30002=used",
			adjust: func(w *World) { w.Capacity = map[servicenetv1alpha1.NumberFamily]int{servicenetv1alpha1.NodePort: 3} },
			want: lines{
				"duplicate 30002 shop/b and shop/c", "duplicate 30002 shop/c and shop/b", "out_of_range 29000 shop/a",
			},
		},
		"the last address": {
			services: lines{"shop/a 10.96.0.1"}, ledger: "10.96.0.1=used",
			adjust: func(w *World) {
				w.Capacity = map[servicenetv1alpha1.NumberFamily]int{servicenetv1alpha1.ClusterIPv4: 1, servicenetv1alpha1.ClusterIPv6: 1}
			},
			want: lines{"full 10.96.0.1 shop/a"},
		},

		// IPAddress objects.
		"no object": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=used", objects: " ", want: lines{"no_object 10.96.0.9 shop/web"},
		},
		"an object of something else": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=used", objects: "10.96.0.9=foreign",
			want: lines{"no_object 10.96.0.9 shop/web"},
		},
		"an object of the server's without a Service": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=used", objects: "10.96.0.9=none",
			want: lines{"no_object 10.96.0.9 shop/web", "object_not_allocated 10.96.0.9"},
		},
		"an object of a Service that is gone": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=used", objects: "10.96.0.9=shop/gone",
			want: lines{"no_object 10.96.0.9 shop/web", "object_not_allocated 10.96.0.9"},
		},
		"an object of a Service with another address": {
			services: lines{"shop/web 10.96.0.9", "shop/api 10.96.0.10"}, ledger: "10.96.0.9=used 10.96.0.10=used",
			objects: "10.96.0.9=shop/api 10.96.0.10=shop/api",
			want:    lines{"no_object 10.96.0.9 shop/web", "object_wrong_reference 10.96.0.9"},
		},
		"an object of a Service of the same name elsewhere": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=used", objects: "10.96.0.9=team/web",
			want: lines{"no_object 10.96.0.9 shop/web", "object_not_allocated 10.96.0.9"},
		},
		"an object with other labels, of the Service": {
			services: lines{"shop/web 10.96.0.9"}, ledger: "10.96.0.9=used", objects: "10.96.0.9=unlabelled",
		},
		"an object with other labels, of nobody that is there": {objects: "10.96.0.9=unlabelled"},
		"a leaked object":                       {objects: "10.96.0.9=shop/gone", want: lines{"object_not_allocated 10.96.0.9"}},
		"a leaked object of the other family":   {objects: "fd00::9=shop/gone", want: lines{"object_not_allocated fd00::9"}},
		"a foreign object":                      {objects: "10.96.0.9=foreign"},
		"a foreign object in the ledger":        {objects: "10.96.0.9=foreign", ledger: "10.96.0.9=used", want: lines{"leak 10.96.0.9"}},
		"objects of families that are left out": {objects: "10.96.0.9=none fd00::9=shop/gone", adjust: portsOnly},

		// What is left out.
		"numbers of families that are left out": {
			services: lines{"shop/web 10.95.0.9 10.96.0.9 invalid", "shop/api 10.96.0.9 :30080"},
			ledger:   "10.96.0.10=used", adjust: portsOnly, want: lines{"adopt 30080 shop/api"},
		},
		"ports are left out": {
			services: lines{"shop/web :30080 twice:30080", "shop/api :30080"}, ledger: ":30081=used",
			adjust: func(w *World) { w.Families = []servicenetv1alpha1.NumberFamily{servicenetv1alpha1.ClusterIPv6} },
		},

		// Blocks.
		"a block that can't be read": {
			services: lines{"shop/web 10.96.0.9", "shop/api 10.96.0.9", "shop/lone 10.97.0.9"},
			adjust:   broken("10.96.0.9", errGarbage()),
			want: lines{
				"adopt 10.97.0.9 shop/lone", "block_broken clusteripv4-10.96.0.0", "duplicate 10.96.0.9 shop/api and shop/web",
				"duplicate 10.96.0.9 shop/web and shop/api", "out_of_range 10.97.0.9 shop/lone",
			},
		},
		"a block of a newer release": {
			services: lines{"shop/web :30080"}, adjust: broken(":30080", fmt.Errorf("block: %w", ledger.ErrNewer)),
			want: lines{"block_newer nodeport-28672"},
		},
		"a block that can't be read and is left out": {
			adjust: func(w *World) { broken("10.96.0.9", errGarbage())(w); portsOnly(w) },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := makeWorld(t, services(t, test.services...), test.ledger, test.objects)
			if test.adjust != nil {
				test.adjust(w)
			}
			if test.want == nil {
				test.want = lines{}
			}
			if diff := cmp.Diff(test.want, describe(Compare(w))); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

func portsOnly(w *World) { w.Families = []servicenetv1alpha1.NumberFamily{servicenetv1alpha1.NodePort} }

// broken makes the block of a number unreadable.
func broken(number string, err error) func(*World) {
	return func(w *World) {
		key := ledger.Port(30080).Key
		if number != ":30080" {
			key = ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr(number)).Key
		}
		delete(w.Blocks, key)
		w.Broken = map[ledger.Key]error{key: err}
	}
}

// TestFindingsAreInOrder asks for one order, whatever that of maps.
func TestFindingsAreInOrder(t *testing.T) {
	w := makeWorld(t, services(t, "shop/a :30080", "shop/b :30080", "shop/c :30081", "shop/d :30081"),
		":30080=used :30081=used :30082=used :30083=used 10.96.0.9=used 10.96.16.9=used 10.96.32.9=used", "")
	want := fmt.Sprint(Compare(w))
	for range 100 {
		if got := fmt.Sprint(Compare(w)); got != want {
			t.Fatalf("found\n%s\nand then\n%s", want, got)
		}
	}
}

func TestWhatTheLedgerHadIsLost(t *testing.T) {
	type lines = []string
	many, wantMany := lines{}, lines{"block_lost nodeport-28672 shop/s00"}
	var wasMany strings.Builder
	for i := range 12 {
		many = append(many, fmt.Sprintf("shop/s%02d :%d", i, 30100+i))
		fmt.Fprintf(&wasMany, ":%d=used ", 30100+i)
		if i < mostLost {
			wantMany = append(wantMany, fmt.Sprintf("not_allocated %d shop/s%02d", 30100+i, i))
		}
	}
	tests := map[string]struct {
		services    []string
		before, now string
		asOf        time.Duration
		want        lines
	}{
		"a block that was deleted": {
			services: lines{"shop/web :30080"}, before: ":30080=used",
			want: lines{"block_lost nodeport-28672 shop/web", "not_allocated 30080 shop/web"},
		},
		"a block that is older than it was": {
			services: lines{"shop/web 10.96.0.9", "shop/api 10.96.0.10"}, before: "10.96.0.9=used 10.96.0.10=used", now: "10.96.0.10=used",
			want: lines{"block_lost clusteripv4-10.96.0.0 shop/web", "not_allocated 10.96.0.9 shop/web"},
		},
		"very many numbers":           {services: many, before: wasMany.String(), want: wantMany},
		"a block of which nothing is": {before: ":30080=used"},
		"a number that was on loan":   {services: lines{"shop/web :30080"}, before: ":30080=lent", want: lines{"adopt 30080 shop/web"}},
		"a number that is held now":   {services: lines{"shop/web :30080"}, before: ":30080=used", now: ":30080=held", want: lines{"adopt 30080 shop/web"}},
		"a number that is on loan":    {services: lines{"shop/web :30080"}, before: ":30080=used", now: ":30080=lent"},
		"a number of a Service that is younger": {
			services: lines{"shop/web :30080"}, before: ":30080=used", asOf: -time.Hour, want: lines{"adopt 30080 shop/web"},
		},
		"a number of another block": {services: lines{"shop/web :30080"}, before: "10.96.0.9=used", want: lines{"adopt 30080 shop/web"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := makeWorld(t, services(t, test.services...), test.now, "")
			report := compare(w, past{blocks: blocks(t, test.before), asOf: noon().Add(test.asOf)})
			if test.want == nil {
				test.want = lines{}
			}
			if diff := cmp.Diff(test.want, describe(report)); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

// twoPortsOfOneAge makes Services equally old, in a range of two ports.
func twoPortsOfOneAge(w *World) {
	w.Capacity = map[servicenetv1alpha1.NumberFamily]int{servicenetv1alpha1.NodePort: 2}
	for i := range w.Services {
		w.Services[i].Created = noon()
	}
}
