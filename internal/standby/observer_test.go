// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package standby

import (
	"strings"
	"testing"
	"time"
)

const (
	ours  = "endpointslice"
	lease = "kube-system/kube-controller-manager"
	quiet = 60 * time.Second
	blind = 20 * time.Second
)

// at is a moment, so many seconds after the first.
func at(seconds int) time.Time { return time.Date(2026, 1, 1, 0, 0, seconds, 0, time.UTC) }

// moment is what one look finds.
type moment struct {
	second   int
	question string
	answered bool
	versions string // by spaces
	acted    bool
	lease    string
	duration int // of the Lease, in seconds
}

func (m moment) look() *Look {
	return &Look{
		At:     at(m.second),
		Leases: map[string]Lease{lease: {Version: m.lease, Duration: time.Duration(m.duration) * time.Second}},
		Traces: map[string]Trace{ours: {
			Question: m.question, Answered: m.answered, Versions: strings.Fields(m.versions), Acted: m.acted,
		}},
	}
}

// lasting repeats what a look finds every ten seconds until the second.
func (m moment) lasting(until int) []moment {
	var all []moment
	for ; m.second <= until; m.second += 10 {
		all = append(all, m)
	}
	return all
}

func after(parts ...[]moment) []moment {
	var all []moment
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// unasked are the same moments without a question.
func unasked(moments []moment) []moment {
	for i := range moments {
		moments[i].question = ""
	}
	return moments
}

func one(m moment) []moment { return []moment{m} }

func observe(moments []moment) *Observer {
	o := NewObserver(Settings{Quiet: quiet, Blind: blind})
	for _, m := range moments {
		o.See(m.look())
	}
	return o
}

func TestDecide(t *testing.T) {
	renewed := func(from, until int) []moment {
		var all []moment
		for s := from; s <= until; s += 10 {
			all = append(all, moment{second: s, question: "a", lease: at(s).String(), duration: 15})
		}
		return all
	}
	for name, test := range map[string]struct {
		moments []moment
		want    Reason // NobodyElse means that it acts
	}{
		"nothing seen":                             {nil, Asking},
		"nobody asked":                             {moment{}.lasting(500), Asking},
		"asked a moment ago":                       {moment{question: "a"}.lasting(50), Asking},
		"silence for long":                         {moment{question: "a"}.lasting(60), NobodyElse},
		"silence, but only lately asked":           {after(moment{}.lasting(100), moment{second: 110, question: "a"}.lasting(160)), Asking},
		"silence since it was asked":               {after(moment{}.lasting(100), moment{second: 110, question: "a"}.lasting(170)), NobodyElse},
		"answered at once":                         {moment{question: "a", answered: true, versions: "1"}.lasting(500), SomebodyElse},
		"asked anew, and answered":                 {after(moment{question: "a"}.lasting(50), moment{second: 60, question: "a", answered: true, versions: "1"}.lasting(60)), SomebodyElse},
		"answered, asked anew, silence so far":     {after(moment{question: "a", answered: true, versions: "1"}.lasting(100), moment{second: 110, question: "b", versions: "1"}.lasting(160)), Asking},
		"answered, asked anew, silence":            {after(moment{question: "a", answered: true, versions: "1"}.lasting(100), moment{second: 110, question: "b", versions: "1"}.lasting(170)), NobodyElse},
		"an answer that is removed is no silence":  {after(moment{question: "a", answered: true, versions: "1"}.lasting(100), moment{second: 110, question: "a"}.lasting(160)), Asking},
		"two questions without an answer":          {after(moment{question: "a"}.lasting(40), moment{second: 50, question: "b"}.lasting(60)), NobodyElse},
		"a late answer to the question before":     {after(moment{question: "a"}.lasting(40), moment{second: 50, question: "b", versions: "1"}.lasting(100)), Asking},
		"old answers are no news":                  {moment{question: "b", versions: "1 2"}.lasting(60), NobodyElse},
		"one of many answers":                      {after(moment{question: "b", versions: "1 2"}.lasting(50), moment{second: 60, question: "b", versions: "1 3"}.lasting(60)), Asking},
		"an old answer removed":                    {after(moment{question: "b", versions: "1 2"}.lasting(50), moment{second: 60, question: "b", versions: "1"}.lasting(60)), NobodyElse},
		"a Lease that nobody renews":               {moment{question: "a", lease: "1", duration: 15}.lasting(60), NobodyElse},
		"a Lease that is renewed seldom":           {moment{question: "a", lease: "1", duration: 100}.lasting(190), Asking},
		"a Lease that was renewed seldom":          {moment{question: "a", lease: "1", duration: 100}.lasting(200), NobodyElse},
		"a Lease that is renewed":                  {renewed(0, 500), KubeControllerManagerRuns},
		"a Lease that is renewed from now on":      {renewed(0, 50), Asking},
		"a Lease that was renewed":                 {after(renewed(0, 100), moment{second: 110, question: "a", lease: at(100).String(), duration: 15}.lasting(150)), Asking},
		"a Lease that is renewed no more":          {after(renewed(0, 100), moment{second: 110, question: "a", lease: at(100).String(), duration: 15}.lasting(160)), NobodyElse},
		"a Lease that was removed":                 {after(moment{question: "a", lease: "1"}.lasting(50), moment{second: 60, question: "a"}.lasting(110)), Asking},
		"not seen for a while":                     {after(moment{question: "a"}.lasting(40), one(moment{second: 65, question: "a"}), moment{second: 75, question: "a"}.lasting(120)), Asking},
		"not seen for a while, long ago":           {after(moment{question: "a"}.lasting(40), moment{second: 65, question: "a"}.lasting(125)), NobodyElse},
		"seen seldom, but often enough":            {[]moment{{question: "a"}, {second: 20, question: "a"}, {second: 40, question: "a"}, {second: 60, question: "a"}}, NobodyElse},
		"seen too seldom":                          {[]moment{{question: "a"}, {second: 21, question: "a"}, {second: 42, question: "a"}, {second: 63, question: "a"}, {second: 84, question: "a"}}, Asking},
		"acting, and answered":                     {after(moment{question: "a"}.lasting(60), one(moment{second: 70, question: "a", answered: true, versions: "1"})), SomebodyElse},
		"acting, and a late answer":                {after(moment{question: "a"}.lasting(60), one(moment{second: 70, question: "a", versions: "1"})), Asking},
		"acting, and a Lease is renewed":           {after(moment{question: "a"}.lasting(60), renewed(70, 500)), NobodyElse},
		"acting, and not seen for a while":         {after(moment{question: "a"}.lasting(60), one(moment{second: 500, question: "a"})), NobodyElse},
		"acting, and nobody is asked any more":     {after(moment{question: "a"}.lasting(60), moment{second: 70}.lasting(100)), NobodyElse},
		"acting, asked anew":                       {after(moment{question: "a"}.lasting(60), moment{second: 70}.lasting(100), one(moment{second: 110, question: "b"})), NobodyElse},
		"acting, asked anew and answered":          {after(moment{question: "a"}.lasting(60), moment{second: 70}.lasting(100), one(moment{second: 110, question: "b", answered: true, versions: "1"})), SomebodyElse},
		"acted before":                             {one(moment{question: "a", acted: true}), NobodyElse},
		"acted before, and a Lease is renewed":     {one(moment{question: "a", acted: true, lease: "2", duration: 15}), NobodyElse},
		"acted before, answered meanwhile":         {one(moment{question: "a", acted: true, answered: true, versions: "1"}), SomebodyElse},
		"acted before, beside old answers":         {one(moment{question: "b", acted: true, versions: "1"}), NobodyElse},
		"a Lease renewed, but nobody is asked":     {unasked(renewed(0, 500)), Asking},
		"acted before, nobody is asked":            {one(moment{acted: true}), Asking},
		"acted before, heard since":                {after(moment{question: "a"}.lasting(10), moment{second: 20, question: "a", versions: "1", acted: true}.lasting(40)), Asking},
		"another leader acts since it was quiet":   {after(moment{question: "a", answered: true, versions: "1"}.lasting(10), one(moment{second: 20, question: "b", versions: "1", acted: true})), NobodyElse},
		"what acted before is answered afterwards": {[]moment{{question: "a", acted: true}, {second: 10, question: "a", acted: true, answered: true, versions: "1"}}, SomebodyElse},
	} {
		t.Run(name, func(t *testing.T) {
			got := observe(test.moments).Decide(ours)
			if got.Reason != test.want || got.Acts != (test.want == NobodyElse) || got.Message == "" {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}

func TestMessagesSayWhatToDo(t *testing.T) {
	var moments []moment
	for s := 0; s <= 100; s += 10 {
		moments = append(moments, moment{second: s, question: "a", lease: at(s).String(), duration: 15})
	}
	got := observe(moments).Decide(ours).Message
	for _, part := range []string{lease, "--endpoints-mode=on"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q does not say %q", got, part)
		}
	}
	if got := observe(moments[:2]).Decide(ours).Message; !strings.Contains(got, "1m0s") {
		t.Errorf("%q does not say for how long", got)
	}
}

func TestAskAgain(t *testing.T) {
	renewed := func(until int) []moment {
		var all []moment
		for s := 0; s <= until; s += 10 {
			all = append(all, moment{second: s, question: "a", answered: true, versions: "1", lease: at(s).String(), duration: 15})
		}
		return all
	}
	for name, test := range map[string]struct {
		moments []moment
		want    bool
	}{
		"nobody was asked":                  {one(moment{}), true},
		"the question is open":              {moment{question: "a"}.lasting(40), false},
		"the question is open for long":     {moment{question: "a"}.lasting(1000), false},
		"answered a moment ago":             {moment{question: "a", answered: true, versions: "1"}.lasting(20), false},
		"answered some time ago":            {moment{question: "a", answered: true, versions: "1"}.lasting(30), true},
		"answered while a Lease is renewed": {renewed(590), false},
		"answered long ago":                 {renewed(600), true},
		"answered, and a Lease is renewed seldom": {after(
			moment{question: "a", answered: true, versions: "1", lease: "1", duration: 100}.lasting(90),
			moment{second: 100, question: "a", answered: true, versions: "1", lease: "2", duration: 100}.lasting(190)), false},
		"answered, and a Lease was renewed seldom": {after(
			moment{question: "a", answered: true, versions: "1", lease: "1", duration: 100}.lasting(90),
			moment{second: 100, question: "a", answered: true, versions: "1", lease: "2", duration: 100}.lasting(200)), true},
		"answered, and the Lease is no more":   {after(renewed(100), moment{second: 110, question: "a", answered: true, versions: "1", lease: at(100).String()}.lasting(120)), false},
		"answered, and the Lease is long over": {after(renewed(100), moment{second: 110, question: "a", answered: true, versions: "1", lease: at(100).String()}.lasting(130)), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := observe(test.moments).AskAgain(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// Silence counts by itself, whether there are Leases or not; of several, one is enough.
func TestLeases(t *testing.T) {
	see := func(leases func(second int) map[string]Lease, seconds ...int) Decision {
		o := NewObserver(Settings{Quiet: quiet, Blind: blind})
		for _, s := range seconds {
			o.See(&Look{At: at(s), Leases: leases(s), Traces: map[string]Trace{ours: {Question: "a"}}})
		}
		return o.Decide(ours)
	}
	none := func(int) map[string]Lease { return nil }
	if got := see(none, 0, 10, 20, 30, 60, 70, 80, 90, 100, 110); got.Acts {
		t.Errorf("got %+v after a gap", got)
	}
	if got := see(none, 0, 10, 20, 30, 40, 50, 60); !got.Acts {
		t.Errorf("got %+v without a Lease", got)
	}
	several := func(second int) map[string]Lease {
		return map[string]Lease{"b/c": {Version: at(second).String()}, "a/b": {Version: at(second).String()}, "z/z": {Version: "1"}, "a/c": {Version: at(second).String()}}
	}
	if got := see(several, 0, 10, 20, 30, 40, 50, 60); got.Reason != KubeControllerManagerRuns || !strings.Contains(got.Message, "a/b") {
		t.Errorf("got %+v, want the first Lease that is renewed", got)
	}
}

// Each controller is decided about by itself.
func TestControllersAreTheirOwn(t *testing.T) {
	o := NewObserver(Settings{Quiet: quiet, Blind: blind})
	for s := 0; s <= 60; s += 10 {
		o.See(&Look{At: at(s), Traces: map[string]Trace{
			"endpoints":     {Question: "a", Answered: true, Versions: []string{"1"}},
			"endpointslice": {Question: "a"},
		}})
	}
	if o.Decide("endpoints").Acts || !o.Decide("endpointslice").Acts {
		t.Errorf("got %+v and %+v, want the second to act alone", o.Decide("endpoints"), o.Decide("endpointslice"))
	}
	if !o.AskAgain() {
		t.Error("who answered is not asked again")
	}
}
