// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/standby"
)

// electable is a manager that knows of nothing but elections.
type electable struct {
	ctrl.Manager

	elected chan struct{}
}

func (m *electable) Elected() <-chan struct{} { return m.elected }

// attended is a replica and the cluster it looks at.
type attended struct {
	*attendant

	t       *testing.T
	api     client.Client
	time    *testclock.FakePassiveClock
	events  *events.FakeRecorder
	failing error        // what every request fails with
	uid     int          // of the last object
	stints  [][]string   // the controllers of each
	running atomic.Int32 // of these, that have not ended
}

func newAttended(t *testing.T, leads bool) *attended {
	t.Helper()
	w := &attended{t: t, time: testclock.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), events: events.NewFakeRecorder(100)}
	w.api = fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, api client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			// The fake knows no selector in this form: the rest of the suite has others.
			options = slices.DeleteFunc(options, func(option client.ListOption) bool {
				of, isList := option.(*client.ListOptions)
				return isList && of.Raw != nil
			})
			return errors.Join(w.failing, api.List(ctx, list, options...))
		},
		Create: func(ctx context.Context, api client.WithWatch, object client.Object, options ...client.CreateOption) error {
			w.uid++
			object.SetUID(types.UID(strings.Repeat("u", w.uid)))
			return errors.Join(w.failing, api.Create(ctx, object, options...))
		},
	}).Build()
	registry := prometheus.NewRegistry()
	options := Options{EndpointsMode: EndpointsAuto, Namespace: "ours"}.withDefaults()
	acting, err := newActing(registry, options)
	if err != nil {
		t.Fatal(err)
	}
	mgr := &electable{elected: make(chan struct{})}
	if leads {
		close(mgr.elected)
	}
	w.attendant = &attendant{
		mgr: mgr, options: options, controllers: endpointNames(), api: w.api, recorder: w.events, log: logr.Discard(), clock: w.time,
		acting: acting, failed: make(chan error, 1), record: standby.Record{},
		observer: standby.NewObserver(standby.Settings{Quiet: time.Minute, Blind: 20 * time.Second}),
		begin: func(ctx context.Context, names []string) (*stint, error) {
			if w.failing != nil {
				return nil, w.failing
			}
			w.stints = append(w.stints, names)
			ctx, cancel := context.WithCancel(ctx)
			s := &stint{names: names, cancel: cancel, synced: func() error { return errors.New("not yet") }}
			if w.running.Add(1) != 1 {
				t.Error("a stint begins before another has ended")
			}
			s.ended.Go(func() {
				<-ctx.Done()
				w.running.Add(-1)
			})
			return s, nil
		},
	}
	return w
}

// pass lets looks pass, ten seconds apart.
func (w *attended) pass(looks int) {
	w.t.Helper()
	for range looks {
		w.step(w.t.Context())
		w.time.SetTime(w.time.Now().Add(10 * time.Second))
	}
}

// acts returns the controllers that act now, by the metric, and expects a stint of these.
func (w *attended) acts() []string {
	w.t.Helper()
	var acting []string
	for _, name := range w.controllers {
		var metric dto.Metric
		if err := w.acting.WithLabelValues(name).Write(&metric); err != nil {
			w.t.Fatal(err)
		}
		if metric.GetGauge().GetValue() == 1 {
			acting = append(acting, name)
		}
	}
	return acting
}

func (w *attended) get(object client.Object, name string) bool {
	w.t.Helper()
	err := w.api.Get(w.t.Context(), client.ObjectKey{Namespace: "ours", Name: name}, object)
	if client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
	return err == nil
}

// word returns what is asked with.
func (w *attended) word() string {
	w.t.Helper()
	var service corev1.Service
	w.get(&service, standby.ServiceName)
	return service.Labels[standby.QuestionLabel]
}

// answer writes what the stock controller of Endpoints would.
func (w *attended) answer() {
	w.t.Helper()
	object := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: "ours", Name: standby.ServiceName}}
	found := w.get(object, standby.ServiceName)
	object.Labels = map[string]string{standby.QuestionLabel: w.word()}
	put := func() error { return w.api.Create(w.t.Context(), object) }
	if found {
		put = func() error { return w.api.Update(w.t.Context(), object) }
	}
	if err := put(); err != nil {
		w.t.Fatal(err)
	}
}

func TestAttendantActsInSilence(t *testing.T) {
	w := newAttended(t, true)
	w.pass(7)
	if len(w.acts()) > 0 || len(w.stints) > 0 {
		t.Fatalf("acts after less than a minute of silence: %v, %v", w.acts(), w.stints)
	}
	w.pass(1)
	if diff := cmp.Diff(endpointNames(), w.acts()); diff != "" {
		t.Errorf("acting (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{endpointNames()}, w.stints); diff != "" {
		t.Errorf("stints (-want +got):\n%s", diff)
	}
	w.pass(5)
	if told := len(w.events.Events); told != 2*len(endpointNames()) {
		t.Errorf("tells of %d decisions", told)
	}
	if len(w.stints) != 1 {
		t.Errorf("begins again though nothing has changed: %v", w.stints)
	}

	t.Log("Somebody else begins to write Endpoints.")
	w.answer()
	w.pass(1)
	want := []string{EndpointSliceName, EndpointSliceMirroringName}
	if diff := cmp.Diff(want, w.acts()); diff != "" {
		t.Errorf("acting (-want +got):\n%s", diff)
	}
	if len(w.stints) != 2 || !slices.Equal(w.stints[1], want) {
		t.Errorf("stints are %v", w.stints)
	}
	w.leave(t.Context())
	if w.running.Load() != 0 {
		t.Error("a stint goes on after the end")
	}
	var service corev1.Service
	if !w.get(&service, standby.ServiceName) {
		t.Fatal("what the next leader has to know is gone")
	}
	record, err := standby.ParseRecord(service.Annotations[standby.RecordAnnotation])
	if err != nil || record[EndpointsName].Acts || !record[EndpointSliceName].Acts {
		t.Errorf("recorded are %+v, %v", record, err)
	}
}

func TestAttendantAsksAnewWhoHasAnswered(t *testing.T) {
	w := newAttended(t, true)
	w.pass(1)
	first := w.word()
	w.answer()
	w.pass(3)
	if first == "" || w.word() != first {
		t.Fatalf("asks with %q, before with %q", w.word(), first)
	}
	w.pass(1)
	if w.word() == first {
		t.Fatal("does not ask again")
	}
	w.answer()
	w.pass(1)
	if got := w.record[EndpointsName].Reason; got != standby.SomebodyElse {
		t.Errorf("decides %s", got)
	}
	w.leave(t.Context())
	for _, object := range []client.Object{&corev1.Service{}, &corev1.Endpoints{}} {
		for _, name := range []string{standby.ServiceName, standby.MirroredName} {
			if w.get(object, name) {
				t.Errorf("%T %s is left though it is of no use", object, name)
			}
		}
	}
}

func TestFollowersWriteNothing(t *testing.T) {
	w := newAttended(t, false)
	w.pass(1)
	if w.get(&corev1.Service{}, standby.ServiceName) {
		t.Fatal("asks though it does not lead")
	}
	leader := newAttended(t, true)
	leader.attendant.api, leader.api = w.api, w.api
	for range 10 {
		leader.pass(1)
		w.pass(1)
	}
	if len(w.stints) != 1 || len(w.acts()) > 0 {
		t.Errorf("has %v stints that wait for it to lead, and acts: %v", len(w.stints), w.acts())
	}
	before := w.word()
	w.leave(t.Context())
	if w.word() != before {
		t.Error("removed what its leader needs")
	}
}

func TestStandingByFollowersRemoveNothing(t *testing.T) {
	leader, w := newAttended(t, true), newAttended(t, false)
	w.attendant.api, w.api = leader.api, leader.api
	leader.pass(1)
	leader.answer()
	w.pass(1)
	w.leave(t.Context())
	if !w.get(&corev1.Service{}, standby.ServiceName) {
		t.Error("removed what its leader needs")
	}
}

func TestOthersKeepWhatBearsTheName(t *testing.T) {
	w := newAttended(t, true)
	theirs := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ours", Name: standby.MirroredName}}
	if err := w.api.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	w.pass(1)
	if w.blind == "" {
		t.Error("says nothing of a Service that is in the way")
	}
	w.leave(t.Context())
	if !w.get(theirs, standby.MirroredName) || w.get(&corev1.Service{}, standby.ServiceName) {
		t.Error("removes what is somebody else's, or leaves what is its own")
	}
}

func TestNewLeadersGoOn(t *testing.T) {
	w := newAttended(t, true)
	w.pass(8)
	heir := newAttended(t, true)
	heir.attendant.api, heir.api = w.api, w.api
	heir.pass(1)
	if diff := cmp.Diff(endpointNames(), heir.acts()); diff != "" {
		t.Errorf("acting (-want +got):\n%s", diff)
	}
	if heir.ready(nil) == nil {
		t.Error("ready before its caches are read")
	}
	heir.stint.synced = func() error { return nil }
	heir.pass(1)
	if err := heir.ready(nil); err != nil {
		t.Error(err)
	}
	var service corev1.Service
	w.get(&service, standby.ServiceName)
	record, err := standby.ParseRecord(service.Annotations[standby.RecordAnnotation])
	if since := record[EndpointsName].Since; err != nil || since != w.record[EndpointsName].Since {
		t.Errorf("acts since %q, want %q: %v", since, w.record[EndpointsName].Since, err)
	}
}

func TestReadyWhileStandingBy(t *testing.T) {
	w := newAttended(t, true)
	if w.ready(nil) == nil {
		t.Error("ready before the first look")
	}
	w.failing = errors.New("no API server")
	w.pass(1)
	if err := w.ready(nil); err != nil {
		t.Errorf("not ready after a look that failed: %v", err)
	}
	if w.blind == "" {
		t.Error("says nothing of a look that failed")
	}
	w.pass(10)
	w.failing = nil
	w.pass(7)
	if len(w.acts()) > 0 {
		t.Error("acts by what it has not seen")
	}
	w.pass(1)
	if w.blind != "" || len(w.acts()) == 0 {
		t.Errorf("acts: %v, says %q", w.acts(), w.blind)
	}
}

func TestStintsThatCannotBeginAreTriedAgain(t *testing.T) {
	w := newAttended(t, true)
	begin := w.begin
	w.begin = func(context.Context, []string) (*stint, error) { return nil, errors.New("no API server") }
	w.pass(9)
	if len(w.acts()) > 0 || !w.record[EndpointsName].Acts || w.blind == "" {
		t.Errorf("acts: %v, decided: %+v, says %q", w.acts(), w.record[EndpointsName], w.blind)
	}
	w.begin = begin
	w.pass(1)
	if len(w.acts()) == 0 || w.blind != "" {
		t.Errorf("acts: %v, says %q", w.acts(), w.blind)
	}
}

func TestStintsThatEndByThemselvesAreFailures(t *testing.T) {
	failed := make(chan error, 1)
	s := &stint{cancel: func() {}}
	s.run(t.Context(), failed, func(context.Context) error { return nil })
	s.ended.Wait()
	if err := <-failed; !errors.Is(err, errEnded) {
		t.Errorf("got %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s.run(over, failed, func(context.Context) error { return errors.New("too late") })
	s.ended.Wait()
	if len(failed) > 0 {
		t.Errorf("one that is over has failed: %v", <-failed)
	}
}

// part is a controller that tells what it is made to do.
type part struct{ did chan string }

func (p part) Warmup(context.Context) error    { p.did <- "warm"; return nil }
func (p part) Start(ctx context.Context) error { p.did <- "start"; <-ctx.Done(); return nil }

func TestPartsStartWithTheLeader(t *testing.T) {
	p := part{did: make(chan string, 2)}
	elected, ended := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- runPart(ctx, elected, p) }()
	if got := <-p.did; got != "warm" || len(p.did) > 0 {
		t.Fatalf("does %q before it leads", got)
	}
	close(elected)
	if got := <-p.did; got != "start" {
		t.Fatalf("does %q when it leads", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := runPart(ctx, make(chan struct{}), part{did: make(chan string, 2)}); err != nil {
		t.Errorf("one that never leads: %v", err)
	}
}

func TestControllersSpareWhatAsks(t *testing.T) {
	for name, test := range map[string]struct {
		mode EndpointsMode
		key  types.NamespacedName
		want bool
	}{
		"what asks":             {EndpointsAuto, types.NamespacedName{Namespace: "ours", Name: standby.ServiceName}, false},
		"what asks to mirror":   {EndpointsAuto, types.NamespacedName{Namespace: "ours", Name: standby.MirroredName}, false},
		"what another asks":     {EndpointsAuto, types.NamespacedName{Namespace: "theirs", Name: standby.ServiceName}, true},
		"any other":             {EndpointsAuto, types.NamespacedName{Namespace: "ours", Name: "web"}, true},
		"when told to be on":    {EndpointsOn, types.NamespacedName{Namespace: "ours", Name: standby.ServiceName}, true},
		"when told, any others": {EndpointsOn, types.NamespacedName{Namespace: "ours", Name: "web"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			reached := false
			r := sparing(Options{EndpointsMode: test.mode, Namespace: "ours"}, reconcile.Func(func(context.Context, ctrl.Request) (ctrl.Result, error) {
				reached = true
				return ctrl.Result{}, nil
			}))
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: test.key}); err != nil || reached != test.want {
				t.Errorf("reached: %v, want %v: %v", reached, test.want, err)
			}
		})
	}
}

func TestQuestionsThatNobodyCanAnswerAreNone(t *testing.T) {
	asks := func(change func(*scene)) *scene {
		s := &scene{}
		s.service, s.mirroredService = *s.question("w", nil), *s.mirroringService()
		s.mirroredService.UID = "1"
		s.mirrored = *s.mirrorQuestion("w")
		change(s)
		return s
	}
	for name, test := range map[string]struct {
		change       func(*scene)
		word, mirror string
	}{
		"as made":               {func(*scene) {}, "w", "w"},
		"another selector":      {func(s *scene) { s.service.Spec.Selector = map[string]string{"app": "web"} }, "", "w"},
		"no selector":           {func(s *scene) { s.service.Spec.Selector = nil }, "", "w"},
		"an external name":      {func(s *scene) { s.service.Spec.Type = corev1.ServiceTypeExternalName }, "", "w"},
		"being deleted":         {func(s *scene) { s.service.DeletionTimestamp = new(metav1.Now()) }, "", "w"},
		"nothing to mirror":     {func(s *scene) { s.mirrored.Subsets = nil }, "w", ""},
		"not to be mirrored":    {func(s *scene) { s.mirrored.Labels[discoveryv1.LabelSkipMirror] = "true" }, "w", ""},
		"a selector":            {func(s *scene) { s.mirroredService.Spec.Selector = unmatched() }, "w", ""},
		"no Service of Mirrors": {func(s *scene) { s.mirroredService = corev1.Service{} }, "w", ""},
		"Service being deleted": {func(s *scene) { s.mirroredService.DeletionTimestamp = new(metav1.Now()) }, "w", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := asks(test.change)
			if s.asked() != test.word || s.askedToMirror() != test.mirror {
				t.Errorf("asks %q and %q, want %q and %q", s.asked(), s.askedToMirror(), test.word, test.mirror)
			}
			if again := s.question("", nil); !cmp.Equal(again.Spec.Selector, unmatched()) {
				t.Errorf("is not put right: %v", again.Spec)
			}
			if again := s.mirroringService(); again.Spec.Selector != nil {
				t.Errorf("is not put right: %v", again.Spec)
			}
		})
	}
}

func TestLeasesAreToldApart(t *testing.T) {
	w := newAttended(t, true)
	if got, err := w.readLease(t.Context(), DefaultKubeControllerManagerLease); err != nil || got != (standby.Lease{}) {
		t.Errorf("none is %+v, %v", got, err)
	}
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kube-controller-manager"},
		Spec:       coordinationv1.LeaseSpec{LeaseDurationSeconds: new(int32(15))},
	}
	if err := w.api.Create(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	first, err := w.readLease(t.Context(), DefaultKubeControllerManagerLease)
	if err != nil || first.Version == "" || first.Duration != 15*time.Second {
		t.Errorf("got %+v, %v", first, err)
	}
	lease.Spec.RenewTime = new(metav1.NowMicro())
	if err := w.api.Update(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	if second, err := w.readLease(t.Context(), DefaultKubeControllerManagerLease); err != nil || second.Version == first.Version {
		t.Errorf("renewed it is %+v, before %+v: %v", second, first, err)
	}
}

func TestAnswers(t *testing.T) {
	object := func(service, version string, labels map[string]string) discoveryv1.EndpointSlice {
		slice := discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
			Name: service + version, UID: types.UID("of " + service), ResourceVersion: version,
			Labels: map[string]string{discoveryv1.LabelServiceName: service},
		}}
		maps.Copy(slice.Labels, labels)
		return slice
	}
	s := &scene{}
	s.slices.Items = []discoveryv1.EndpointSlice{
		object(standby.ServiceName, "1", map[string]string{standby.QuestionLabel: "before"}),
		object(standby.MirroredName, "2", map[string]string{standby.QuestionLabel: "now"}),
		object(standby.MirroredName, "3", nil),
	}
	if got := s.look(time.Time{}, endpointNames()).Traces[EndpointsName]; len(got.Versions) > 0 || got.Answered {
		t.Errorf("Endpoints that are not there answer: %+v", got)
	}
	for name, test := range map[string]struct {
		word, of string
		want     standby.Trace
	}{
		"an answer":            {"now", standby.MirroredName, standby.Trace{Question: "now", Answered: true, Versions: []string{"of servicenet-mirroring-question/2", "of servicenet-mirroring-question/3"}}},
		"an answer to another": {"now", standby.ServiceName, standby.Trace{Question: "now", Versions: []string{"of servicenet-endpoints-question/1"}}},
		"no question":          {"", standby.MirroredName, standby.Trace{Versions: []string{"of servicenet-mirroring-question/2", "of servicenet-mirroring-question/3"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, answers(test.word, s.slicesOf(test.of))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
