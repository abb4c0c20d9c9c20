// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"servicenet.dev/servicenet/internal/standby"
)

// The Services that ask are written in the manager's own namespace alone:
// config/rbac/leader_election_role.yaml lets it.
// +kubebuilder:rbac:groups="",resources=services,verbs=get;list
// +kubebuilder:rbac:groups="",resources=endpoints,verbs=get;list;create;update;delete
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=list
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,resourceNames=kube-controller-manager,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

const (
	// looksInQuiet is how often there is a look in the time that nobody must have been
	// seen for.
	looksInQuiet = 12
	longestLook  = 5 * time.Second
	// blindInQuiet is how large a part of that time may pass without a look.
	blindInQuiet = 3
	// farewell is how long it may take at the end to remove what asks.
	farewell = 5 * time.Second
)

// attendant has the endpoint controllers of Options.EndpointsMode auto act while nobody
// else does, as [standby.Observer] decides. Every replica has one, which looks; that of
// the leader asks, and acts.
type attendant struct {
	mgr         ctrl.Manager
	options     Options
	controllers []string
	api         client.Client
	recorder    events.EventRecorder
	log         logr.Logger
	clock       clock.PassiveClock
	acting      *prometheus.GaugeVec
	// begin begins a stint of some controllers.
	begin func(ctx context.Context, names []string) (*stint, error)

	observer *standby.Observer
	record   standby.Record // what this replica decided
	stint    *stint         // the one under way, nil if none is
	failed   chan error
	blind    string // why the last look failed
	settled  atomic.Bool
}

// addAttendant adds the endpoint controllers so that they find out whether to act.
func addAttendant(mgr ctrl.Manager, options Options) error {
	api, err := newAskingClient(mgr, options)
	if err != nil {
		return fmt.Errorf("building the client that asks who writes endpoints: %w", err)
	}
	acting, err := newActing(metrics.Registry, options)
	if err != nil {
		return err
	}
	a := &attendant{
		mgr: mgr, options: options, controllers: slices.DeleteFunc(endpointNames(), func(name string) bool { return !options.runs(name) }),
		api: api, recorder: mgr.GetEventRecorder("servicenet-standby"), log: mgr.GetLogger().WithName("standby"), clock: clock.RealClock{},
		acting: acting, failed: make(chan error, 1), record: standby.Record{},
		observer: standby.NewObserver(standby.Settings{
			Quiet: options.EndpointsQuietPeriod, Blind: options.EndpointsQuietPeriod / blindInQuiet,
		}),
	}
	a.begin = func(ctx context.Context, names []string) (*stint, error) {
		return beginStint(ctx, mgr, options, names, a.failed)
	}
	if err := mgr.AddReadyzCheck("servicenet-standby", a.ready); err != nil {
		return fmt.Errorf("adding the readiness check of the endpoint controllers: %w", err)
	}
	if err := mgr.Add(runnable{run: a.run, everywhere: true}); err != nil {
		return fmt.Errorf("adding what decides whether the endpoint controllers act: %w", err)
	}
	return nil
}

// newActing is the metric of the controllers that act, here and now.
func newActing(registry prometheus.Registerer, options Options) (*prometheus.GaugeVec, error) {
	r := &registrar{registry: registry, subsystem: "servicenet"}
	acting := register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Subsystem: r.subsystem, Name: "endpoints_acting",
		Help: "Whether an endpoint controller acts in this replica (1), or stands by (0)",
	}, []string{"controller"}))
	for _, name := range endpointNames() {
		if options.runs(name) {
			acting.WithLabelValues(name).Set(0)
		}
	}
	return acting, r.failed()
}

// ready is a readiness check: true from the first look on, whatever it shows. Where that
// begins a stint, since the leader of before had one, its caches are read first.
func (a *attendant) ready(*http.Request) error {
	if !a.settled.Load() {
		return errors.New("it is not known yet whether the endpoint controllers are to act")
	}
	return nil
}

// run looks until the context ends.
func (a *attendant) run(ctx context.Context) error {
	looks := time.NewTicker(min(a.options.EndpointsQuietPeriod/looksInQuiet, longestLook))
	defer looks.Stop()
	defer a.leave(ctx)
	for {
		a.step(ctx)
		select {
		case <-ctx.Done():
			return nil
		case err := <-a.failed:
			return fmt.Errorf("an endpoint controller failed: %w", err)
		case <-looks.C:
		}
	}
}

// step looks, and does what is to be done about it. What cannot be read or written is
// tried again with the next look.
func (a *attendant) step(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, 2*longestLook)
	defer cancel()
	at := a.clock.Now()
	scene, err := a.read(limited)
	if err == nil {
		a.observer.See(scene.look(at, a.controllers))
		a.decide(at)
		err = errors.Join(a.obey(ctx), a.announce(limited, scene))
	}
	a.complain(ctx, err)
	a.settle()
}

// decide takes notice of what the observer has decided, and says so where it is new.
func (a *attendant) decide(at time.Time) {
	for _, name := range a.controllers {
		decision := a.observer.Decide(name)
		if decision == a.record[name].Decision {
			continue
		}
		a.record[name] = standby.Recorded{Decision: decision, Since: at.UTC().Format(time.RFC3339)}
		a.log.Info("Decided whether an endpoint controller acts", "controller", name, "acts", decision.Acts, "leader", a.leads(),
			"reason", decision.Reason, "message", decision.Message)
	}
}

// obey begins and ends stints. The one before is over when the next begins. One that
// cannot begin is tried again with the next look.
func (a *attendant) obey(ctx context.Context) error {
	var names []string
	for _, name := range a.controllers {
		if a.record[name].Acts {
			names = append(names, name)
		}
	}
	if a.stint != nil && !slices.Equal(a.stint.names, names) {
		a.stint.end()
		a.stint = nil
	}
	var err error
	if a.stint == nil && len(names) > 0 {
		a.stint, err = a.begin(ctx, names)
	}
	for _, name := range a.controllers {
		a.acting.WithLabelValues(name).Set(0)
		if a.leads() && err == nil && slices.Contains(names, name) {
			a.acting.WithLabelValues(name).Set(1)
		}
	}
	return err
}

// leads tells whether this replica does.
func (a *attendant) leads() bool {
	select {
	case <-a.mgr.Elected():
		return true
	default:
		return false
	}
}

// announce has the leader ask, record what was decided, and make events of what is new.
func (a *attendant) announce(ctx context.Context, s *scene) error {
	if !a.leads() {
		return nil
	}
	before := s.record
	of := referenceToService(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.options.Namespace, Name: standby.ServiceName, UID: s.service.UID},
	})
	if err := a.tell(ctx, s, a.recorded(before), a.observer.AskAgain()); err != nil {
		return err
	}
	for _, name := range a.controllers {
		now := a.record[name]
		if was := before[name]; now.Acts == was.Acts && now.Reason == was.Reason {
			continue
		}
		kind, reason := corev1.EventTypeNormal, "EndpointsStandBy"
		switch {
		case now.Acts:
			reason = "EndpointsAct"
		case now.Reason == standby.KubeControllerManagerRuns:
			kind = corev1.EventTypeWarning
		}
		a.recorder.Eventf(of, nil, kind, reason, "Decide", "%s: %s", name, now.Message)
	}
	return nil
}

// recorded returns what is to be recorded: what a leader before has decided in the same
// way, it has decided since then.
func (a *attendant) recorded(before standby.Record) standby.Record {
	record := standby.Record{}
	for name, now := range a.record {
		if same := before[name]; same.Decision == now.Decision {
			now.Since = same.Since
		}
		record[name] = now
	}
	return record
}

// complain logs why it is not known who writes endpoints, once.
func (a *attendant) complain(ctx context.Context, err error) {
	reason := ""
	if err != nil && ctx.Err() == nil {
		reason = err.Error()
	}
	if reason != a.blind && reason != "" {
		a.log.Error(err, "Could not find out or say who writes endpoints, and try again")
	}
	a.blind = reason
}

// settle makes the replica ready, once.
func (a *attendant) settle() {
	if !a.settled.Load() && (a.stint == nil || a.stint.synced() == nil) {
		a.settled.Store(true)
	}
}

// leave ends what is under way. A leader whose controllers stand by takes back what asks:
// there is nothing that the next one would have to know. Where they act, it does.
func (a *attendant) leave(ctx context.Context) {
	acted := a.stint != nil
	if acted {
		a.stint.end()
	}
	if acted || !a.leads() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := withdraw(ctx, a.api, a.options.Namespace); err != nil {
		a.log.Error(err, "Could not remove what asks who writes endpoints")
	}
}
