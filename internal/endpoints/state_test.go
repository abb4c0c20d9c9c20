// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
)

// follower is a state that is shown a history change by change, beside what it has
// been shown.
type follower struct {
	*server
	random  *rand.Rand
	state   *State
	service *corev1.Service
	pods    map[string]*corev1.Pod
	changed int
	many    int // pods there may be
}

func (f *follower) program() *program {
	bytes := make([]byte, 40)
	for i := range bytes {
		bytes[i] = byte(f.random.Uint32() & 0xff)
	}
	return &program{bytes}
}

func (f *follower) changeService() {
	f.changed++
	for {
		if f.service = f.program().service(); Managed(f.service) {
			break
		}
	}
	f.service.ResourceVersion = strconv.Itoa(f.changed)
	if f.state.Outdated(f.service) {
		f.state.Reset(f.service, f.list())
	}
}

func (f *follower) list() []*corev1.Pod {
	return slices.SortedFunc(maps.Values(f.pods), func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
}

func (f *follower) changePods() {
	for range 1 + f.random.IntN(f.many/4) {
		i := f.random.IntN(f.many)
		name := fmt.Sprintf("web-%d", i)
		if f.random.IntN(4) == 0 {
			delete(f.pods, name)
			f.state.RemovePod(name)
			continue
		}
		pod := withIdentity(f.program().pod(), i)
		pod.Labels = map[string]string{"app": "web"}
		if f.random.IntN(10) == 0 {
			pod.UID = types.UID(fmt.Sprint(name, "-next-", f.changed))
		}
		f.pods[pod.Name] = pod
		if f.random.IntN(10) == 0 {
			pod.Labels = nil
			delete(f.pods, pod.Name)
		}
		f.state.SetPod(pod)
	}
}

// compare makes a plan from the state, and one from scratch.
func (f *follower) compare() Changes {
	f.t.Helper()
	trigger := time.Unix(int64(f.changed), 0)
	want := Plan(Input{Service: f.service, Pods: f.list(), Current: f.current, TriggerTime: trigger})
	got := f.state.Plan(f.current, trigger)
	if !apiequality.Semantic.DeepEqual(want, got) {
		f.t.Fatalf("the plan of the state (-from scratch +state):\n%s", cmp.Diff(want, got))
	}
	if diff := f.state.Compare(f.service, f.list()); diff != "" {
		f.t.Fatalf("the state says that it is not what it was shown: %s", diff)
	}
	return got
}

// After any history, the state plans as if it had been made from all that it was
// shown, with other ports for some pods or the same for all, above the capacity or
// below.
func TestStatePlansAsFromScratch(t *testing.T) {
	for seed := range uint64(120) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			f := &follower{
				server: &server{t: t}, random: random, state: NewState(), pods: map[string]*corev1.Pod{},
				many: []int{4, 12, 12, 12, 12, 12, 12, 1300}[random.IntN(8)],
			}
			f.changeService()
			for range 25 {
				switch random.IntN(8) {
				case 0:
					f.changeService()
				case 1:
					f.current = f.program().current(f.service, f.list()[:min(len(f.pods), 20)])
					f.version++
					if f.current != nil {
						f.current.ResourceVersion = strconv.Itoa(f.version)
					}
				case 2:
					f.state = NewState()
					f.state.Reset(f.service, f.list())
				default:
					f.changePods()
				}
				changes := f.compare()
				if random.IntN(4) > 0 {
					f.apply(&changes)
					f.compare()
				}
			}
		})
	}
}

// Around the capacity, each change of one pod is seen that changes what is listed.
func TestStateSeesWhatIsListedOverCapacity(t *testing.T) {
	for name, pods := range map[string]int{"one less": MaxAddresses - 1, "just full": MaxAddresses, "above": MaxAddresses + 10} {
		t.Run(name, func(t *testing.T) {
			f := &follower{server: &server{t: t}, state: NewState(), pods: map[string]*corev1.Pod{}, service: makeService()}
			for _, pod := range makePods(0, pods) {
				f.pods[pod.Name] = pod
			}
			f.state.Reset(f.service, f.list())
			f.publish()
			var last []string // by address
			for rank := min(MaxAddresses-3, f.state.ready.length-3); rank < f.state.ready.length; rank++ {
				last = append(last, f.state.ready.at(rank).name)
			}
			for _, name := range last {
				before := f.pods[name]
				turned := before.DeepCopy()
				unready(turned)
				f.set(turned)
				f.set(before)
			}
			added := makePod(pods, unready)
			f.set(added)
			delete(f.pods, added.Name)
			f.state.RemovePod(added.Name)
			f.publish()
		})
	}
}

func (f *follower) set(pod *corev1.Pod) {
	f.pods[pod.Name] = pod
	f.state.SetPod(pod)
	f.publish()
}

// publish carries out a plan, and has the next one find nothing to do.
func (f *follower) publish() {
	f.t.Helper()
	changes := f.compare()
	f.apply(&changes)
	if changes := f.compare(); !changes.Empty() {
		f.t.Fatal("a plan that was carried out leaves something to do")
	}
}
