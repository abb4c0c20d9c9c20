// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package standby

import "fmt"

// Reason tells why a controller acts or stands by.
type Reason string

const (
	// NobodyElse has answered for long: ours acts.
	NobodyElse Reason = "NobodyElse"
	// SomebodyElse has answered: ours stands by.
	SomebodyElse Reason = "SomebodyElse"
	// Asking is before there is an answer, or silence for long.
	Asking Reason = "Asking"
	// KubeControllerManagerRuns tells that nobody has answered for long, but that
	// kube-controller-manager renews its Lease. Ours stands by.
	KubeControllerManagerRuns Reason = "KubeControllerManagerRuns"
)

// Decision is what a controller is to do.
type Decision struct {
	Acts   bool   `json:"acts"`
	Reason Reason `json:"reason"`
	// Message is for people. It stays the same while the reason does.
	Message string `json:"message"`
}

// Decide returns what a controller is to do after the last look.
func (o *Observer) Decide(controller string) Decision {
	seen := o.traces[controller]
	switch {
	case seen == nil:
		return Decision{Reason: Asking, Message: "it is still to be asked whether somebody else writes endpoints"}
	case seen.acts:
		return Decision{Acts: true, Reason: NobodyElse, Message: "nobody else writes endpoints"}
	case seen.answered:
		return Decision{Reason: SomebodyElse, Message: "somebody else writes endpoints"}
	case !seen.silent():
		return Decision{Reason: Asking, Message: "it is still to be asked whether somebody else writes endpoints"}
	case o.last.Sub(seen.since) < o.settings.Quiet:
		return o.waiting()
	}
	if lease := o.claimed(); o.renewed() {
		return Decision{Reason: KubeControllerManagerRuns, Message: fmt.Sprintf(
			"nobody else writes endpoints, but Lease %s is renewed: kube-controller-manager may still be starting. "+
				"If it is to run without its endpoint controllers, set --endpoints-mode=on", lease)}
	}
	return o.waiting()
}

func (o *Observer) waiting() Decision {
	return Decision{Reason: Asking, Message: fmt.Sprintf(
		"nobody else has been seen to write endpoints so far; this acts once that has lasted for %s", o.settings.Quiet)}
}
