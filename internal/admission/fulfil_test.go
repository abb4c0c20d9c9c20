// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

// A ledger that can't be asked ends it: what was taken until then is told.
func TestTroubleOfTheLedger(t *testing.T) {
	plan, _ := Decide(newCluster(t, true), ask(free(nodePort, badinput.Singular("10.96.9.1")), nil))
	trouble := &ledger.UnavailableError{Reason: "the ledger can't be read"}
	calls := 0
	places, faults, err := plan.Fulfil(func(_ *Take, c *Candidate) (ledger.Place, error) {
		calls++
		if calls == 2 {
			return ledger.Place{}, trouble
		}
		return c.Place, nil
	})
	if !errors.Is(err, trouble) || faults != nil || calls != 2 {
		t.Errorf("%v, %v after %d calls", faults, err, calls)
	}
	if diff := cmp.Diff([]string{"10.96.9.1"}, text(places)); diff != "" {
		t.Error(diff)
	}
}

// What was taken beside a number that can't be had is told, and nothing is chosen
// after that.
func TestTakenInVain(t *testing.T) {
	service := free(nodePort, badinput.Singular("10.96.9.1"), badinput.HTTP(0), badinput.Port("https", 443, tcp, 30443))
	plan, _ := Decide(newCluster(t, true), ask(service, nil))
	b := bookOf(badinput.Make("depot", "holder", clusterIP, badinput.IPs("10.96.9.1")))
	places, faults, err := plan.Fulfil(b.taker(service))
	if err != nil || len(faults) != 1 || faults[0].Field != "spec.clusterIPs" {
		t.Errorf("%v, %v", faults, err)
	}
	if diff := cmp.Diff([]string{"30443"}, text(places)); diff != "" {
		t.Error(diff)
	}
}

// A kept number that somebody else got is no fault: any other will do. Pools that
// are full, or of which the namespace has enough, are passed over.
func TestNextCandidate(t *testing.T) {
	service := badinput.Make("shop", "web", clusterIP)
	r := ask(service, nil)
	r.Retained.Addresses = append(r.Retained.Addresses, netip.MustParseAddr("10.96.5.7"))
	plan, _ := Decide(newCluster(t, true), r)
	b := bookOf(badinput.Make("depot", "holder", clusterIP, badinput.IPs("10.96.5.7")))
	places, faults, err := plan.Fulfil(b.taker(service))
	if err != nil || len(faults) > 0 || text(places)[0] != "10.96.5.0" {
		t.Errorf("%v, %v, %v", text(places), faults, err)
	}
}

// Addresses that only have to settle are waited for, unless something else is wrong.
func TestAddressesThatComeSoon(t *testing.T) {
	young := newCluster(t, false)
	seen := noon().Add(-4 * time.Second)
	list := []pool.ServiceCIDR{{Prefix: netip.MustParsePrefix("10.96.0.0/16"), Ready: true, Since: seen}}
	young.ClusterIPs, young.Now = pool.NewClusterIPs(nil, list, noon(), nil), noon().Add(500*time.Millisecond)
	nothing := func(*Take, *Candidate) (ledger.Place, error) { return ledger.Place{}, &ledger.FullError{} }

	plan, faults := Decide(young, ask(free(clusterIP), nil))
	_, more, err := plan.Fulfil(nothing)
	unavailable := (*ledger.UnavailableError)(nil)
	if len(faults)+len(more) > 0 || !errors.As(err, &unavailable) || unavailable.RetryAfter != 5500*time.Millisecond {
		t.Errorf("%v, %v, %v: want to come again in 5.5 s", faults, more, err)
	}

	if _, faults := Decide(young, ask(free(clusterIP, badinput.Singular("10.99.0.1")), nil)); len(faults) != 1 {
		t.Errorf("an address outside: %v", faults)
	}
	plan, _ = Decide(young, ask(free(nodePort, badinput.HTTP(30080)), nil))
	_, faults, err = plan.Fulfil(func(take *Take, _ *Candidate) (ledger.Place, error) {
		if take.Named {
			return ledger.Place{}, &ledger.TakenError{Place: ledger.Port(30080), By: ledger.ByService}
		}
		return nothing(nil, nil)
	})
	if err != nil || len(faults) != 1 || faults[0].Field != "spec.ports[0].nodePort" {
		t.Errorf("a port that is taken: %v, %v", faults, err)
	}
	dry := ask(free(clusterIP), nil)
	dry.DryRun = true
	if plan, faults := Decide(young, dry); len(faults)+len(plan.Takes) > 0 {
		t.Errorf("a dry run: %v", faults)
	}
}

// What becomes of a number that was given a moment ago is not known: it is worth coming
// again, unless something is at fault.
func TestANumberThatIsJustBeingGiven(t *testing.T) {
	service := free(nodePort, badinput.Singular("10.96.9.1"), badinput.HTTP(30080))
	for name, test := range map[string]struct {
		address, port ledger.Tenure
		faults        int
	}{
		"it alone":                          {ledger.ByRequest, "", 0},
		"the last of them":                  {"", ledger.ByRequest, 0},
		"beside one that is used":           {ledger.ByRequest, ledger.ByService, 1},
		"beside one that is used before it": {ledger.ByService, ledger.ByRequest, 1},
	} {
		plan, _ := Decide(newCluster(t, true), ask(service, nil))
		_, faults, err := plan.Fulfil(func(_ *Take, c *Candidate) (ledger.Place, error) {
			by := test.address
			if c.Place.Block.IsPorts() {
				by = test.port
			}
			if by == "" {
				return c.Place, nil
			}
			return ledger.Place{}, &ledger.TakenError{Place: c.Place, By: by}
		})
		unavailable := (*ledger.UnavailableError)(nil)
		if waits := errors.As(err, &unavailable) && unavailable.RetryAfter > 0; len(faults) != test.faults || waits != (test.faults == 0) {
			t.Errorf("%s: %v, %v", name, faults, err)
		}
	}
}

// A limit that is reached, and a reserved address that is taken, are no matter of time.
func TestWhatTimeDoesNotMend(t *testing.T) {
	cluster := newCluster(t, false)
	plan := &Plan{cluster: cluster, request: &Request{Service: free(clusterIP), Used: func(*pool.Pool) int { return 1 }}}
	for name, candidate := range map[string]Candidate{
		"a limit":                      {Source: pool.Automatic, Pool: &pool.Pool{Name: "small", Limit: 1}},
		"a reserved one that is taken": {Source: pool.Reserved, Place: ledger.Port(30080)},
	} {
		plan.Takes = []Take{{
			Path: pathSpec().Child("clusterIPs"), Family: ledgerFamily(corev1.IPv4Protocol), soon: true,
			candidates: func(yield func(Candidate) bool) { yield(candidate) },
		}}
		_, faults, err := plan.Fulfil(func(*Take, *Candidate) (ledger.Place, error) {
			return ledger.Place{}, &ledger.TakenError{Place: candidate.Place, By: ledger.ByService}
		})
		if err != nil || len(faults) != 1 {
			t.Errorf("%s: %v, %v", name, faults, err)
		}
	}
}

// What is said when nothing is free, of each pool that serves.
func TestExhausted(t *testing.T) {
	big, small := &pool.Pool{Name: "big"}, &pool.Pool{Name: "tiny", Limit: 2}
	tests := map[string]struct {
		candidates []Candidate
		used       int
		want       string
	}{
		"no pool": {
			candidates: []Candidate{{Source: pool.Automatic}},
			want: "no IPv4 address is free in the cluster outside of exclusive pools (10.96.0.1-10.96.255.254);" +
				" delete Services that are not needed, or ask for more",
		},
		"two pools, one of them with a limit": {
			candidates: []Candidate{{Source: pool.Automatic, Pool: small}, {Source: pool.Automatic, Pool: big}}, used: 2,
			want: "no IPv4 address is free in the pool big (none), the namespace has all 2 numbers that it may have of the pool tiny (none);" +
				" delete Services that are not needed, or ask for more",
		},
		"below the limit": {
			candidates: []Candidate{{Source: pool.Automatic, Pool: small}}, used: 1,
			want: "no IPv4 address is free in the pool tiny (none); delete Services that are not needed, or ask for more",
		},
		"a kept one of others, and a full pool": {
			candidates: []Candidate{{Source: pool.Retained, Pool: big}, {Source: pool.Automatic, Pool: big}},
			want:       "no IPv4 address is free in the pool big (none); delete Services that are not needed, or ask for more",
		},
		"kept ones of others alone": {
			candidates: []Candidate{{Source: pool.Retained, Pool: big}},
			want:       "no IPv4 address is free in what serves this Service; delete Services that are not needed, or ask for more",
		},
		"a reserved one above the limit": {
			candidates: []Candidate{{Source: pool.Reserved, Pool: small}}, used: 3,
			want: "the namespace has all 2 numbers that it may have of the pool of this one; delete Services, or ask for a higher limit",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := ask(free(clusterIP), nil)
			r.Used = func(*pool.Pool) int { return test.used }
			plan, _ := Decide(newCluster(t, true), r)
			plan.Takes[0].candidates = func(yield func(Candidate) bool) {
				for _, c := range test.candidates {
					if !yield(c) {
						return
					}
				}
			}
			_, faults, err := plan.Fulfil(func(_ *Take, c *Candidate) (ledger.Place, error) {
				if c.Source == pool.Retained {
					return ledger.Place{}, &ledger.TakenError{}
				}
				return ledger.Place{}, &ledger.FullError{}
			})
			if err != nil || len(faults) != 1 || faults[0].Type != field.ErrorTypeForbidden {
				t.Fatal(faults, err)
			}
			if diff := cmp.Diff(test.want, faults[0].Detail); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is said of the family in question.
func TestExhaustedFamily(t *testing.T) {
	plan, _ := Decide(newCluster(t, true), ask(free(clusterIP, badinput.Families(v6)), nil))
	_, faults, _ := plan.Fulfil(func(*Take, *Candidate) (ledger.Place, error) { return ledger.Place{}, &ledger.FullError{} })
	want := "no IPv6 address is free in the cluster outside of exclusive pools (fd00::1-fd00::ffff);" +
		" delete Services that are not needed, or ask for more"
	if len(faults) != 1 || faults[0].Detail != want {
		t.Errorf("%v", faults)
	}
}

// A Service without a name yet is called by what its name will begin with.
func TestRefusalOfGeneratedName(t *testing.T) {
	faults := field.ErrorList{field.Forbidden(field.NewPath("spec"), "no"), field.Forbidden(field.NewPath("status"), "no")}
	status := Refuse(schema.GroupKind{Group: "servicenet.dev", Kind: "NodePortPool"}, &metav1.ObjectMeta{GenerateName: "web-"}, faults)
	if status.Details.Name != "web-" || status.Details.Group != "servicenet.dev" || len(status.Details.Causes) != 2 {
		t.Errorf("%+v", status.Details)
	}
}

// Trouble of ours asks to come again, in at least a second.
func TestPostpone(t *testing.T) {
	for after, want := range map[time.Duration]int32{0: 1, time.Second: 1, 1100 * time.Millisecond: 2} {
		status := Postpone(&ledger.UnavailableError{Reason: "the ledger can't be read", RetryAfter: after, Err: errors.New("secret")})
		if status.Code != 503 || status.Reason != metav1.StatusReasonServiceUnavailable || status.Details.RetryAfterSeconds != want {
			t.Errorf("%v: %+v", after, status)
		}
		if got := status.Message; got[:24] != "the ledger can't be read" || len(got) > 50 {
			t.Errorf("message %q", got)
		}
	}
}
