// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// at is a time some seconds after the tests' Service was created.
func at(seconds int64) time.Time { return time.Unix(1_700_000_000+seconds, 0).UTC() }

func createdAt(seconds int64) serviceOption {
	return func(s *corev1.Service) { s.CreationTimestamp = metav1.NewTime(at(seconds)) }
}

func readySinceAt(seconds int64) podOption {
	return func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(at(seconds)) }
}

func TestStampTrigger(t *testing.T) {
	const key = corev1.EndpointsLastChangeTriggerTime
	precise := time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.FixedZone("", 3600))
	for name, test := range map[string]struct {
		annotations map[string]string
		at          time.Time
		want        map[string]string
	}{
		"set, in UTC":       {map[string]string{"a": "b"}, precise, map[string]string{"a": "b", key: "2026-01-02T02:04:05.6789Z"}},
		"set on none":       {nil, at(0), map[string]string{key: "2023-11-14T22:13:20Z"}},
		"replaced":          {map[string]string{key: "2020-01-01T00:00:00Z"}, at(0), map[string]string{key: "2023-11-14T22:13:20Z"}},
		"removed when zero": {map[string]string{"a": "b", key: "2020-01-01T00:00:00Z"}, time.Time{}, map[string]string{"a": "b"}},
		"none stays none":   {nil, time.Time{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, StampTrigger(test.annotations, test.at)); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrittenSlicesBearTheTriggerTime(t *testing.T) {
	w := newWorld(t)
	in := makeInput(makeService(), makePods(0, 250))
	in.TriggerTime = at(1)
	w.plan(in)
	in.Pods, in.TriggerTime = makePods(0, 240), at(2)
	w.plan(in)
	in.Pods, in.TriggerTime = makePods(1, 240), time.Time{}
	w.plan(in)
	got := map[int]string{}
	for _, slice := range w.list() {
		got[len(slice.Endpoints)] = slice.Annotations[corev1.EndpointsLastChangeTriggerTime]
	}
	want := map[int]string{99: "", 100: "2023-11-14T22:13:21Z", 40: "2023-11-14T22:13:22Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trigger times by number of endpoints (-want +got):\n%s", diff)
	}
}

// looks are looks at a Service one after another, each at all of its pods.
type looks struct {
	Triggers
	pods map[string]*Readiness
}

func newLooks() *looks { return &looks{pods: map[string]*Readiness{}} }

func (l *looks) next(service *corev1.Service, pods []*corev1.Pod, published func(*Readiness) bool) time.Time {
	before := l.pods
	l.pods = map[string]*Readiness{}
	for _, old := range before {
		l.Drop(old)
	}
	for _, pod := range pods {
		if !Listable(pod) {
			continue
		}
		now := ReadinessOf(pod)
		if old := before[pod.Name]; old != nil {
			now.Follow(old)
		}
		l.pods[pod.Name] = &now
		l.Add(&now)
	}
	return l.Next(service, published)
}

// Each step is one look at a Service, and says what time is published; zero is
// none. Unless it fails, the plan of a step is carried out.
func TestTriggerTimes(t *testing.T) {
	const none = -1
	type step struct {
		service *corev1.Service
		pods    []*corev1.Pod
		fails   bool
		want    int64
	}
	service := makeService(createdAt(0))
	pod := func(i int, since int64, options ...podOption) *corev1.Pod {
		return makePod(i, append(options, readySinceAt(since))...)
	}
	silent := func(p *corev1.Pod) { p.Status.Conditions = nil }
	for name, steps := range map[string][]step{
		"the first time it is the Service's creation": {{service: service, want: 0}},
		"even if a pod is older":                      {{service: service, pods: []*corev1.Pod{pod(1, -50), pod(2, 50)}, want: 0}},
		"then a new pod's readiness": {
			{service: service, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: 10},
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: none},
		},
		"the earliest of several": {
			{service: service, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 12), pod(2, 11), pod(3, 13)}, want: 11},
		},
		"a pod that loses its readiness": {
			{service: service, pods: []*corev1.Pod{pod(1, 10), pod(2, 10)}, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 10), pod(2, 20, unready)}, want: 20},
		},
		"a pod that goes has no time": {
			{service: service, pods: []*corev1.Pod{pod(1, 10), pod(2, 10)}, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: none},
		},
		"one that ends neither": {
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 20, unready, withPhase(corev1.PodFailed))}, want: none},
		},
		"nor one without a Ready condition": {
			{service: service, want: 0},
			{service: service, pods: []*corev1.Pod{makePod(1, silent)}, want: none},
		},
		"a change of labels has none": {
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: 0},
			{service: makeService(createdAt(0), withLabels(map[string]string{"a": "b"})), pods: []*corev1.Pod{pod(1, 10)}, want: none},
		},
		"a pod re-created under its name": {
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 30, func(p *corev1.Pod) { p.UID = "next" })}, want: 30},
		},
		"a Service re-created under its name": {
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: 0},
			{service: makeService(createdAt(40)), pods: []*corev1.Pod{pod(1, 10)}, want: 40},
			{service: makeService(createdAt(40)), pods: []*corev1.Pod{pod(1, 10)}, want: none},
		},
		"and a pod that changed before that": {
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: 0},
			{service: makeService(createdAt(40)), pods: []*corev1.Pod{pod(1, 35, unready)}, want: 35},
		},
		"what was not published is tried again": {
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, fails: true, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 10)}, want: 0},
			{service: service, pods: []*corev1.Pod{pod(1, 20, unready)}, fails: true, want: 20},
			{service: service, pods: []*corev1.Pod{pod(1, 20, unready), pod(2, 25)}, want: 20},
			{service: service, pods: []*corev1.Pod{pod(1, 20, unready), pod(2, 25)}, want: none},
		},
	} {
		t.Run(name, func(t *testing.T) {
			looks := newLooks()
			for i, step := range steps {
				trigger := looks.next(step.service, step.pods, nil)
				want := at(step.want)
				if step.want == none {
					want = time.Time{}
				}
				if !trigger.Equal(want) {
					t.Errorf("step %d: got %s, want %s", i+1, trigger, want)
				}
				if !step.fails {
					looks.Published(step.service)
				}
			}
		})
	}
}

// After a restart nothing is remembered. What the slices list as it is has been
// published; the rest has not.
func TestTriggerTimesAfterARestart(t *testing.T) {
	service := makeService(createdAt(0))
	listed := planned(t, service, makePod(1, readySinceAt(10)), makePod(2, readySinceAt(20), unready)).list()
	for name, test := range map[string]struct {
		slices []*discoveryv1.EndpointSlice
		pods   []*corev1.Pod
		want   time.Time
	}{
		"no slice: the Service is new":     {nil, []*corev1.Pod{makePod(1, readySinceAt(10))}, at(0)},
		"all as it was":                    {listed, []*corev1.Pod{makePod(1, readySinceAt(10)), makePod(2, readySinceAt(20), unready)}, time.Time{}},
		"a pod became ready meanwhile":     {listed, []*corev1.Pod{makePod(1, readySinceAt(10)), makePod(2, readySinceAt(30))}, at(30)},
		"a pod became unready meanwhile":   {listed, []*corev1.Pod{makePod(1, readySinceAt(40), unready), makePod(2, readySinceAt(20), unready)}, at(40)},
		"a pod came meanwhile":             {listed, []*corev1.Pod{makePod(1, readySinceAt(10)), makePod(3, readySinceAt(50))}, at(50)},
		"an unready pod came meanwhile":    {listed, []*corev1.Pod{makePod(1, readySinceAt(10)), makePod(3, readySinceAt(50), unready)}, at(50)},
		"two changed meanwhile":            {listed, []*corev1.Pod{makePod(2, readySinceAt(31)), makePod(3, readySinceAt(30))}, at(30)},
		"one of them has no time":          {listed, []*corev1.Pod{makePod(2, readySinceAt(31)), makePod(3, func(p *corev1.Pod) { p.Status.Conditions = nil })}, at(31)},
		"only slices of another manager":   {[]*discoveryv1.EndpointSlice{withManager(listed[0], "me")}, []*corev1.Pod{makePod(1, readySinceAt(10))}, at(0)},
		"another manager's beside our own": {[]*discoveryv1.EndpointSlice{planned(t, service).only(), withManager(listed[0], "me")}, []*corev1.Pod{makePod(1, readySinceAt(10))}, at(10)},
		"an endpoint of no pod":            {[]*discoveryv1.EndpointSlice{withoutTarget(listed[0])}, []*corev1.Pod{makePod(1, readySinceAt(10))}, at(10)},
	} {
		t.Run(name, func(t *testing.T) {
			looks := newLooks()
			if trigger := looks.next(service, test.pods, Published(test.slices)); !trigger.Equal(test.want) {
				t.Errorf("got %s, want %s", trigger, test.want)
			}
			looks.Published(service)
			if again := looks.next(service, test.pods, Published(test.slices)); !again.IsZero() {
				t.Errorf("what was published is published again: %s", again)
			}
		})
	}
}

func withManager(slice *discoveryv1.EndpointSlice, name string) *discoveryv1.EndpointSlice {
	changed := slice.DeepCopy()
	changed.Name += "-" + name
	changed.Labels[discoveryv1.LabelManagedBy] = name
	return changed
}

func withoutTarget(slice *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	changed := slice.DeepCopy()
	for i := range changed.Endpoints {
		changed.Endpoints[i].TargetRef = nil
	}
	return changed
}

// Own memory goes before what the slices say, which a user may have edited.
func TestWhatIsRememberedIsNotLookedUp(t *testing.T) {
	looks, service := newLooks(), makeService(createdAt(0))
	pods := []*corev1.Pod{makePod(1, readySinceAt(10))}
	looks.next(service, pods, nil)
	looks.Published(service)
	if got := looks.next(service, pods, Published(planned(t, service).list())); !got.IsZero() {
		t.Errorf("got %s", got)
	}
}
