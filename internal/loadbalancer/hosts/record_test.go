// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// addresses returns entries as the API server stores them.
func addresses(all ...string) []corev1.LoadBalancerIngress {
	var list []corev1.LoadBalancerIngress
	for _, address := range all {
		list = append(list, corev1.LoadBalancerIngress{IP: address, IPMode: new(corev1.LoadBalancerIPModeVIP)})
	}
	return list
}

func showing(all ...string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Status.LoadBalancer.Ingress = addresses(all...) }
}

// served returns the record of a Service that has its load balancer.
func served(service *corev1.Service, nodes ID, answer ...string) *Record {
	record := &Record{}
	record.Asking(service, nodes)
	record.Ensured(addresses(answer...))
	return record
}

func TestOwed(t *testing.T) {
	t.Parallel()
	here, there := ID{1}, ID{2}
	failed := served(balanced(), here)
	failed.Asking(balanced(), there)
	updated := served(balanced(), here)
	updated.Asking(balanced(), there)
	updated.Updated()
	elsewhere := &Record{}
	elsewhere.Asking(balanced(), here)
	elsewhere.Elsewhere()
	for name, test := range map[string]struct {
		record  *Record
		service *corev1.Service
		nodes   ID
		want    Call
	}{
		"never called for":              {nil, balanced(), here, Ensure},
		"about to be called for":        {&Record{Service: balanced()}, balanced(), ID{}, Ensure},
		"as it was":                     {served(balanced(), here), balanced(), here, None},
		"with another label":            {served(balanced(), here), balanced(func(s *corev1.Service) { s.Labels = nil }), here, None},
		"with another status":           {served(balanced(), here), balanced(showing("192.0.2.1")), here, None},
		"with another port":             {served(balanced(), here), balanced(func(s *corev1.Service) { s.Spec.Ports[0].Port = 81 }), here, Ensure},
		"with other nodes":              {served(balanced(), here), balanced(), there, Update},
		"with other nodes and port":     {served(balanced(), here), balanced(func(s *corev1.Service) { s.Spec.Ports[0].Port = 81 }), there, Ensure},
		"after a failed update":         {failed, balanced(), there, Ensure},
		"after an update":               {updated, balanced(), there, None},
		"after an update, nodes back":   {updated, balanced(), here, Update},
		"made by somebody else":         {elsewhere, balanced(), here, None},
		"made by somebody else, nodes":  {elsewhere, balanced(), there, Update},
		"made by somebody else, change": {elsewhere, balanced(func(s *corev1.Service) { s.Annotations = nil }), here, Ensure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.record.Owed(test.service, test.nodes); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestIngress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		said   []string // what was written before; nil after a start
		answer []string
		shown  []string
		want   []string
	}{
		"the first answer":                             {nil, []string{"192.0.2.1"}, nil, []string{"192.0.2.1"}},
		"none yet":                                     {nil, nil, nil, nil},
		"after a start, as it was":                     {nil, []string{"192.0.2.1"}, []string{"192.0.2.1"}, []string{"192.0.2.1"}},
		"after a start, beside another's":              {nil, []string{"192.0.2.1"}, []string{"198.51.100.7", "192.0.2.1"}, []string{"198.51.100.7", "192.0.2.1"}},
		"after a start, another":                       {nil, []string{"192.0.2.2"}, []string{"192.0.2.1"}, []string{"192.0.2.2"}},
		"after a start, none any more":                 {nil, nil, []string{"192.0.2.1"}, nil},
		"wiped":                                        {[]string{"192.0.2.1"}, []string{"192.0.2.1"}, nil, []string{"192.0.2.1"}},
		"replaced by somebody":                         {[]string{"192.0.2.1"}, []string{"192.0.2.1"}, []string{"198.51.100.7"}, []string{"198.51.100.7", "192.0.2.1"}},
		"joined by somebody":                           {[]string{"192.0.2.1"}, []string{"192.0.2.1"}, []string{"192.0.2.1", "198.51.100.7"}, []string{"192.0.2.1", "198.51.100.7"}},
		"another answer, beside somebody's":            {[]string{"192.0.2.1"}, []string{"192.0.2.2"}, []string{"192.0.2.1", "198.51.100.7"}, []string{"198.51.100.7", "192.0.2.2"}},
		"a second address":                             {[]string{"192.0.2.1"}, []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.1"}, []string{"192.0.2.1", "192.0.2.2"}},
		"an address less":                              {[]string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.2"}, []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.2"}},
		"no address any more, beside somebody's":       {[]string{"192.0.2.1"}, nil, []string{"192.0.2.1", "198.51.100.7"}, []string{"198.51.100.7"}},
		"written twice by somebody":                    {[]string{"192.0.2.1"}, []string{"192.0.2.1"}, []string{"192.0.2.1", "192.0.2.1"}, []string{"192.0.2.1"}},
		"in another order":                             {[]string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.2", "192.0.2.1"}, []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.1", "192.0.2.2"}},
		"none was said, and somebody has put an entry": {[]string{}, nil, []string{"198.51.100.7"}, []string{"198.51.100.7"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := balanced(showing(test.shown...))
			record := served(service, ID{}, test.said...)
			if test.said != nil {
				record.Said()
			}
			record.Ensured(addresses(test.answer...))
			got, differs := record.Ingress(service)
			if diff := cmp.Diff(addresses(test.want...), got); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
			if want := !cmp.Equal(test.shown, test.want); differs != want {
				t.Errorf("differs: %v, want %v", differs, want)
			}
		})
	}
}

// The API server writes the mode VIP where a provider says none, and keeps others.
func TestIngressIsAsTheServerStoresIt(t *testing.T) {
	t.Parallel()
	record := &Record{}
	record.Asking(balanced(), ID{})
	record.Ensured([]corev1.LoadBalancerIngress{
		{IP: "192.0.2.1"}, {IP: "192.0.2.2", IPMode: new(corev1.LoadBalancerIPModeProxy)}, {Hostname: "lb.example.com"},
	})
	want := []corev1.LoadBalancerIngress{
		{IP: "192.0.2.1", IPMode: new(corev1.LoadBalancerIPModeVIP)}, {IP: "192.0.2.2", IPMode: new(corev1.LoadBalancerIPModeProxy)},
		{Hostname: "lb.example.com"},
	}
	got, _ := record.Ingress(balanced())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	stored := balanced(func(s *corev1.Service) { s.Status.LoadBalancer.Ingress = want })
	if _, differs := record.Ingress(stored); differs {
		t.Error("what was written is written again")
	}
	record.Ensured([]corev1.LoadBalancerIngress{{IP: "192.0.2.1"}, {IP: "192.0.2.2"}, {Hostname: "lb.example.com"}})
	if _, differs := record.Ingress(stored); !differs {
		t.Error("another mode is not written")
	}
}

func TestNamesOfHostsAreToldApart(t *testing.T) {
	t.Parallel()
	named := func(name string) []corev1.LoadBalancerIngress { return []corev1.LoadBalancerIngress{{Hostname: name}} }
	record := &Record{}
	record.Asking(balanced(), ID{})
	record.Ensured(named("old.example.com"))
	record.Said()
	record.Ensured(named("new.example.com"))
	got, _ := record.Ingress(balanced(func(s *corev1.Service) {
		s.Status.LoadBalancer.Ingress = append(named("old.example.com"), named("other.example.com")...)
	}))
	if diff := cmp.Diff(append(named("other.example.com"), named("new.example.com")...), got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestNothingIsSaidOfWhatIsElsewhere(t *testing.T) {
	t.Parallel()
	record := &Record{}
	record.Asking(balanced(), ID{})
	record.Elsewhere()
	record.Said()
	list, differs := record.Ingress(balanced(showing("198.51.100.7")))
	if differs || len(list) != 1 {
		t.Errorf("is to list %v", list)
	}
}

func TestPatienceGrowsWithEachRestore(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	record := served(balanced(), ID{}, "192.0.2.1")
	if wait := record.Patience(now); wait != 0 {
		t.Errorf("the first write waits %s", wait)
	}
	record.Said()
	var waited []time.Duration
	for range 9 {
		if wait := record.Patience(now); wait != 0 {
			t.Fatalf("waits %s more", wait)
		}
		wait := record.Patience(now)
		waited = append(waited, wait)
		now = now.Add(wait)
	}
	want := []time.Duration{
		time.Second / 2, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second,
		time.Minute, time.Minute,
	}
	if diff := cmp.Diff(want, waited); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	now = now.Add(time.Hour)
	record.Patience(now)
	if wait := record.Patience(now); wait != time.Second/2 {
		t.Errorf("after a quiet hour the next waits %s", wait)
	}
	record.Ensured(addresses("192.0.2.2"))
	if wait := record.Patience(now); wait != 0 {
		t.Errorf("what the provider says anew waits %s", wait)
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	record := served(balanced(), ID{}, "192.0.2.1")
	record.Said()
	for name, test := range map[string]struct {
		service *corev1.Service
		record  *Record
		held    []string
		want    []string
	}{
		"one that is deleted":                 {balanced(deleted, showing("192.0.2.1", "198.51.100.7")), record, nil, nil},
		"one of another type":                 {balanced(ofType(corev1.ServiceTypeClusterIP), showing("192.0.2.1")), nil, nil, nil},
		"one of another class, as known":      {balanced(ofClass("x.io/y"), showing("192.0.2.1", "198.51.100.7")), record, nil, []string{"198.51.100.7"}},
		"one of another class, as it answers": {balanced(ofClass("x.io/y"), showing("192.0.2.1", "198.51.100.7")), nil, []string{"192.0.2.1"}, []string{"198.51.100.7"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := (Terms{}).Left(test.service, test.record, addresses(test.held...))
			if diff := cmp.Diff(addresses(test.want...), got); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
		})
	}
}
