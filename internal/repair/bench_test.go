// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// benchmarkServices is as many as the bar of a full pass is for.
const benchmarkServices = 50_000

// largeWorld has dual-stack Services with nothing wrong, of which one in twenty has
// a node port.
func largeWorld() *World {
	w := &World{
		Families: []servicenetv1alpha1.NumberFamily{servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6, servicenetv1alpha1.NodePort},
		Blocks:   map[ledger.Key]*ledger.Block{},
		CIDRs:    []netip.Prefix{netip.MustParsePrefix("10.0.0.0/12"), netip.MustParsePrefix("fd00::/108")},
		Ports:    allocator.PortSpan{First: 30000, Last: 32767},
	}
	for i := range benchmarkServices {
		s := Service{Owner: ledger.Owner{
			NamespacedName: types.NamespacedName{Namespace: fmt.Sprintf("namespace-%d", i%500), Name: fmt.Sprintf("service-%d", i)},
			UID:            types.UID(fmt.Sprintf("9d1f7c52-0000-4000-8000-%012d", i)),
		}}
		// Far apart, so that neighbours are not in one block.
		at := uint32((i*7919)%(1<<20-2) + 1)
		v4, v6 := [4]byte{}, netip.MustParseAddr("fd00::").As16()
		binary.BigEndian.PutUint32(v4[:], 10<<24|at)
		binary.BigEndian.PutUint32(v6[12:], at)
		for _, address := range []netip.Addr{netip.AddrFrom4(v4), netip.AddrFrom16(v6)} {
			object := Address{Address: address, UID: types.UID(address.String()), Service: s.NamespacedName, Managed: true}
			s.Numbers = append(s.Numbers, object.place())
			w.Addresses = append(w.Addresses, object)
		}
		if i%20 == 0 {
			s.Numbers = append(s.Numbers, ledger.Port(30000+i/20))
		}
		for _, place := range s.Numbers {
			if w.Blocks[place.Key] == nil {
				w.Blocks[place.Key] = ledger.NewBlock(1)
			}
			w.Blocks[place.Key].Adopt(place.Number)
		}
		w.Services = append(w.Services, s)
	}
	return w
}

// BenchmarkLook is a full pass in which nothing is wrong, beside the map from numbers
// to Services that a comparison could make instead, without looking at anything else.
func BenchmarkLook(b *testing.B) {
	w := largeWorld()
	b.Run("full pass", func(b *testing.B) {
		defer reportCPU(b)()
		m := &Memory{}
		for b.Loop() {
			if look := m.Look(w, noon()); len(look.Adopt)+len(look.Due) > 0 {
				b.Fatalf("found %v", look)
			}
		}
	})
	b.Run("map of numbers", func(b *testing.B) {
		defer reportCPU(b)()
		for b.Loop() {
			if found := mapOfNumbers(w); found > 0 {
				b.Fatalf("found %d", found)
			}
		}
	})
}

// reportCPU reports the CPU that the process used, which counts where others use the
// machine as well, collection of garbage included.
func reportCPU(b *testing.B) (report func()) {
	b.Helper()
	b.ReportAllocs()
	begun := usedCPU(b)
	return func() {
		b.ReportMetric(float64((usedCPU(b)-begun)/time.Duration(b.N))/float64(time.Millisecond), "cpu-ms/op")
	}
}

func usedCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// mapOfNumbers counts numbers of which the ledger and the Services say different
// things.
func mapOfNumbers(w *World) (found int) {
	owners := map[ledger.Place]ledger.Owner{}
	for i := range w.Services {
		for _, place := range w.Services[i].Numbers {
			owners[place] = w.Services[i].Owner
			if block := w.Blocks[place.Key]; block == nil || block.State(place.Number) != ledger.Used {
				found++
			}
		}
	}
	for key, block := range w.Blocks {
		for number := range block.Used().Numbers() {
			if _, carried := owners[ledger.Place{Key: key, Number: number}]; !carried {
				found++
			}
		}
	}
	return found
}

// BenchmarkCarried is what a rebuild looks through.
func BenchmarkCarried(b *testing.B) {
	w := largeWorld()
	key := w.Services[0].Numbers[0].Key
	b.ReportAllocs()
	for b.Loop() {
		if w.Carried(key).Count() == 0 {
			b.Fatal("nothing is carried")
		}
	}
}
