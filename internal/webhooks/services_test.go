// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/test/badinput"
)

const (
	clusterIP = corev1.ServiceTypeClusterIP
	nodePort  = corev1.ServiceTypeNodePort
)

func v4(address string) ledger.Place {
	return ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr(address))
}

func TestBadInputIsRefused(t *testing.T) {
	for _, test := range badinput.Table() {
		if test.SingleStack {
			continue // the world has both families
		}
		t.Run(test.Name, func(t *testing.T) {
			w := newWorld(t)
			if test.NoExternalIPs {
				w.cluster.ExternalIPs.Mode = admission.NoExternalIPs
			}
			w.exist(append(test.Given, test.Old)...)
			mutate, _ := w.hooks()
			got := mutate.Handle(t.Context(), request(t, test.Service, test.Old))
			if got.Allowed || got.Result.Code != 422 || got.Result.Reason != metav1.StatusReasonInvalid || len(got.Patch) > 0 {
				t.Fatalf("answer %+v", got)
			}
			if len(got.Result.Details.Causes) != len(test.Want) {
				t.Fatalf("causes %+v, want %+v", got.Result.Details.Causes, test.Want)
			}
			for i, want := range test.Want {
				cause := got.Result.Details.Causes[i]
				if cause.Type != want.Type || cause.Field != want.Field || !strings.Contains(cause.Message, want.Message) {
					t.Errorf("cause %+v, want %+v", cause, want)
				}
			}
			if len(w.given) > 0 {
				t.Errorf("%v are not given back", w.given)
			}
		})
	}
}

func TestServicesGetNumbersOfTheirPools(t *testing.T) {
	w := newWorld(t)
	mutate, validate := w.hooks()
	service := badinput.Make("shop", "web", nodePort, badinput.Policy(corev1.IPFamilyPolicyRequireDualStack))
	got := mutate.Handle(t.Context(), request(t, service, nil))
	want := `[{"op":"add","path":"/spec/clusterIP","value":"10.96.5.0"},` +
		`{"op":"add","path":"/spec/clusterIPs","value":["10.96.5.0","fd00::500"]},` +
		`{"op":"add","path":"/spec/ports/0/nodePort","value":30500}]`
	if diff := cmp.Diff(want, string(got.Patch)); diff != "" || !got.Allowed || *got.PatchType != admissionv1.PatchTypeJSONPatch {
		t.Fatalf("%+v\n%s", got, diff)
	}
	service.Spec.ClusterIP, service.Spec.ClusterIPs, service.Spec.Ports[0].NodePort = "10.96.5.0", []string{"10.96.5.0", "fd00::500"}, 30500
	if again := mutate.Handle(t.Context(), request(t, service, nil)); !again.Allowed || again.Patch != nil || len(w.given) != 3 {
		t.Errorf("the second time: %+v, given %v", again, w.given)
	}
	if final := validate.Handle(t.Context(), request(t, service, nil)); !final.Allowed || w.looked > 0 {
		t.Errorf("at the end: %+v, asked %d times", final, w.looked)
	}
}

func TestWhatGotPastTheFirstHookIsRefusedByTheSecond(t *testing.T) {
	w := newWorld(t)
	_, validate := w.hooks()
	w.exist(badinput.Make("small", "holder", clusterIP, badinput.IPs("10.96.7.1")))
	for name, service := range map[string]*corev1.Service{
		"the limit":         badinput.Make("small", "web", clusterIP, badinput.IPs("10.96.7.2")),
		"an exclusive pool": badinput.Make("free", "web", clusterIP, badinput.IPs("10.96.6.2")),
	} {
		got := validate.Handle(t.Context(), request(t, service, nil))
		if got.Allowed || got.Result.Code != 422 || len(w.given) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	dry := request(t, badinput.Make("free", "web", clusterIP, badinput.IPs("10.96.0.0")), nil)
	dry.DryRun = new(true)
	if got := validate.Handle(t.Context(), dry); !got.Allowed {
		t.Errorf("what the server made up is refused: %+v", got.Result)
	}
}

func TestANameThatExistsIsTheServersToRefuse(t *testing.T) {
	existing := badinput.Make("full", "web", clusterIP, badinput.IPs("10.96.9.1"))
	for name, shown := range map[string]bool{"that the cache shows": true, "that the cache does not show yet": false} {
		w := newWorld(t)
		w.exist(existing, badinput.Make("full", "holder", clusterIP, badinput.IPs("10.96.8.8")))
		if !shown {
			w.shown = nil
		}
		mutate, _ := w.hooks()
		got := mutate.Handle(t.Context(), request(t, badinput.Make("full", "web", nodePort), nil))
		if !got.Allowed || got.Patch != nil || w.looked != 1 || len(w.given) > 0 {
			t.Errorf("%s: %+v, asked %d times, given %v", name, got, w.looked, w.given)
		}
	}
}

func TestADeletedServiceDoesNotExistThatTheCacheStillShows(t *testing.T) {
	w := newWorld(t)
	w.shown = append(w.shown, badinput.Make("free", "web", clusterIP))
	mutate, _ := w.hooks()
	got := mutate.Handle(t.Context(), request(t, badinput.Make("free", "web", clusterIP), nil))
	if !got.Allowed || got.Patch == nil {
		t.Errorf("answer %+v", got)
	}
}

func TestADryRunTakesNothing(t *testing.T) {
	w := newWorld(t)
	mutate, _ := w.hooks()
	r := request(t, badinput.Make("free", "web", nodePort), nil)
	r.DryRun = new(true)
	if got := mutate.Handle(t.Context(), r); !got.Allowed || got.Patch != nil || len(w.given) > 0 {
		t.Errorf("answer %+v", got)
	}
}

func TestKeptNumbersGoToTheirPorts(t *testing.T) {
	w := newWorld(t)
	name := types.NamespacedName{Namespace: "free", Name: "web"}
	w.kept[name] = []store.Kept{
		{Place: ledger.Port(30101), Slot: ledger.SlotOf("https")}, {Place: ledger.Port(30102), Slot: ledger.SlotOf("http")},
		{Place: v4("10.96.9.9")},
	}
	mutate, _ := w.hooks()
	service := badinput.Make("free", "web", nodePort, badinput.HTTP(0), badinput.Port("https", 443, corev1.ProtocolTCP, 0))
	got := mutate.Handle(t.Context(), request(t, service, nil))
	want := `[{"op":"add","path":"/spec/clusterIP","value":"10.96.9.9"},{"op":"add","path":"/spec/ports/0/nodePort","value":30102},` +
		`{"op":"add","path":"/spec/ports/1/nodePort","value":30101}]`
	if diff := cmp.Diff(want, string(got.Patch)); diff != "" {
		t.Error(diff)
	}
}

// The limit of the pool small is one number.
func TestRequestsThatComeTogetherKeepTheLimit(t *testing.T) {
	w := newWorld(t)
	mutate, _ := w.hooks()
	var callers sync.WaitGroup
	var mu sync.Mutex
	given := 0
	for i := range 30 {
		callers.Go(func() {
			got := mutate.Handle(t.Context(), request(t, badinput.Make("small", "web-"+strconv.Itoa(i), clusterIP), nil))
			mu.Lock()
			defer mu.Unlock()
			if got.Allowed {
				given++
			}
		})
	}
	callers.Wait()
	if given != 1 || len(w.given) != 1 {
		t.Errorf("%d got a number, given are %v", given, w.given)
	}
}

func TestWhatCountsTowardsALimit(t *testing.T) {
	stored := badinput.Make("small", "web", clusterIP, badinput.IPs("10.96.7.1"))
	other := badinput.Make("small", "other", clusterIP, badinput.IPs("10.96.7.1"))
	outside := badinput.Make("small", "outside", clusterIP, badinput.IPs("10.96.9.1"))
	nameless := badinput.Make("small", "", nodePort)
	nameless.GenerateName = "web-"
	generated := badinput.Make("small", "web-1", nodePort, badinput.IPs("10.96.7.1"), badinput.HTTP(30700))
	elsewhere := badinput.Make("free", "other", clusterIP, badinput.IPs("10.96.7.1"))
	for name, test := range map[string]struct {
		exist   *corev1.Service
		given   ledger.Owner
		service *corev1.Service
		final   bool
		want    bool
	}{
		"nothing":                                    {service: stored, want: true},
		"what another has":                           {exist: other, service: badinput.Make("small", "web", clusterIP)},
		"what another was given":                     {given: store.OwnerOf(other), service: badinput.Make("small", "web", clusterIP)},
		"not what it was given itself":               {given: store.OwnerOf(stored), service: badinput.Make("small", "web", clusterIP), want: true},
		"not what is outside of the pool":            {exist: outside, service: badinput.Make("small", "web", clusterIP), want: true},
		"not what the pool does not serve":           {exist: elsewhere, service: badinput.Make("free", "web", clusterIP, badinput.IPs("10.96.7.2")), want: true},
		"each number once, without a name":           {service: nameless, want: true},
		"at the end, not what it got without a name": {given: ledger.Owner{NamespacedName: types.NamespacedName{Namespace: "small"}}, service: generated, final: true, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.exist(test.exist)
			if test.given != (ledger.Owner{}) {
				w.given[v4("10.96.7.1")] = test.given
			}
			mutate, validate := w.hooks()
			hook := mutate
			if test.final {
				hook = validate
			}
			if got := hook.Handle(t.Context(), request(t, test.service, nil)); got.Allowed != test.want {
				t.Errorf("answer %+v", got.Result)
			}
		})
	}
}

func TestWhatAServiceHasCountsWhenItWantsMore(t *testing.T) {
	w := newWorld(t)
	old := badinput.Make("small", "web", nodePort, badinput.IPs("10.96.7.1"), badinput.HTTP(30700))
	w.exist(old)
	wanted := badinput.Make("small", "web", nodePort, badinput.IPs("10.96.7.1"), badinput.HTTP(30700), badinput.Port("https", 443, corev1.ProtocolTCP, 0))
	mutate, validate := w.hooks()
	if got := mutate.Handle(t.Context(), request(t, wanted, old)); got.Allowed {
		t.Error("a second port is given")
	}
	wanted.Spec.Ports[1].NodePort = 30701
	if got := validate.Handle(t.Context(), request(t, wanted, old)); got.Allowed {
		t.Error("a second port is let through")
	}
}

func TestARequestThatWaitsForItsTurnIsPostponed(t *testing.T) {
	w := newWorld(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	w.taking = func(context.Context) { close(entered); <-leave }
	mutate, _ := w.hooks()
	first := make(chan bool)
	go func() {
		first <- mutate.Handle(t.Context(), request(t, badinput.Make("small", "first", clusterIP), nil)).Allowed
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := mutate.Handle(ctx, request(t, badinput.Make("small", "second", clusterIP), nil)); got.Allowed || got.Result.Code != 503 {
		t.Errorf("answer %+v", got.Result)
	}
	close(leave)
	if !<-first {
		t.Error("the first one is refused")
	}
}

func TestTroubleOfOursIsPostponed(t *testing.T) {
	errStorage := errors.New("storage is gone")
	for name, spoil := range map[string]func(*world){
		"not ready":            func(w *world) { w.unready = errStorage },
		"API server":           func(w *world) { w.fault = errStorage },
		"ledger":               func(w *world) { w.takeFault = errStorage },
		"ledger, in its words": func(w *world) { w.takeFault = &ledger.UnavailableError{Reason: "storage is gone", RetryAfter: 1} },
		"panic":                func(w *world) { w.taking = func(context.Context) { panic(errStorage) } },
	} {
		w := newWorld(t)
		spoil(w)
		mutate, _ := w.hooks()
		got := mutate.Handle(t.Context(), request(t, badinput.Make("free", "web", clusterIP), nil))
		if got.Allowed || got.Result.Code != 503 || got.Result.Details.RetryAfterSeconds < 1 {
			t.Errorf("%s: %+v", name, got.Result)
		}
	}
}

func TestWhatIsTakenBeforeATroubleIsGivenBack(t *testing.T) {
	w := newWorld(t)
	calls := 0
	w.taking = func(context.Context) {
		calls++
		if calls == 2 {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.takeFault = errors.New("storage is gone")
		}
	}
	mutate, _ := w.hooks()
	got := mutate.Handle(t.Context(), request(t, badinput.Make("free", "web", nodePort), nil))
	if got.Allowed || calls != 2 || len(w.given) > 0 {
		t.Errorf("answer %+v after %d calls, given %v", got.Result, calls, w.given)
	}
}

func TestWhatIsNoneOfItsBusinessIsLetThrough(t *testing.T) {
	status := request(t, badinput.Make("free", "web", clusterIP), nil)
	status.SubResource = "status"
	deletion := request(t, badinput.Make("free", "web", clusterIP), nil)
	deletion.Operation = admissionv1.Delete
	mutate, validate := newWorld(t).hooks()
	for _, hook := range []*Hook{mutate, validate} {
		for _, r := range []admissionv1.AdmissionRequest{status.AdmissionRequest, deletion.AdmissionRequest} {
			full := status
			full.AdmissionRequest = r
			if got := hook.Handle(t.Context(), full); !got.Allowed || got.Patch != nil {
				t.Errorf("%s: %+v", r.Operation, got)
			}
		}
	}
}

// The ledger gives a Service that exists the same number when a request is repeated.
func TestNumbersOfAChangeAreForTheServiceThatExists(t *testing.T) {
	w := newWorld(t)
	old := badinput.Make("free", "web", clusterIP, badinput.IPs("10.96.9.1"))
	old.UID = "7"
	w.exist(old)
	wanted := badinput.Make("free", "web", nodePort, badinput.IPs("10.96.9.1"))
	mutate, _ := w.hooks()
	if got := mutate.Handle(t.Context(), request(t, wanted, old)); !got.Allowed {
		t.Fatalf("answer %+v", got.Result)
	}
	if owner := w.given[ledger.Port(30000)]; owner != store.OwnerOf(old) {
		t.Errorf("the port is given to %+v", owner)
	}
}

func TestANumberCountsOnce(t *testing.T) {
	w := newWorld(t)
	other := badinput.Make("small", "other", clusterIP, badinput.IPs("10.96.7.1"))
	w.exist(other)
	w.given[v4("10.96.7.1")] = store.OwnerOf(other)
	services := NewServices(w, w)
	c := &inquiry{facts: w, ledger: w, turns: &services.turns, times: &Times{}, cluster: w.cluster}
	c.Service = badinput.Make("small", "web", clusterIP)
	a := &account{inquiry: c, ctx: t.Context()}
	defer a.close()
	if got := a.used(w.cluster.ClusterIPs.Owner(v4("10.96.7.1").Address())); got != 1 {
		t.Errorf("%d numbers are used", got)
	}
}
