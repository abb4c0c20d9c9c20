// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/pool"
)

func TestOptionsOfWebhooks(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		want    string
	}{
		"both controllers": {Options{EnableWebhooks: true}, ""},
		"one of them":      {Options{EnableWebhooks: true, Controllers: []string{"clusterip"}}, "needs the controllers clusterip and nodeport"},
		"longest drain":    {Options{WebhookDrainPeriod: time.Minute}, ""},
		"too long a drain": {Options{WebhookDrainPeriod: time.Minute + 1}, "WebhookDrainPeriod is 1m0.000000001s"},
		"negative drain":   {Options{WebhookDrainPeriod: -1}, "WebhookDrainPeriod is -1ns"},
		"no CIDR":          {Options{AllowedExternalIPs: []string{"192.0.2.1"}}, `AllowedExternalIPs has "192.0.2.1"`},
		"all and some":     {Options{AllowedExternalIPs: []string{"*", "192.0.2.0/24"}}, `AllowedExternalIPs has "*"`},
	} {
		err := test.options.Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestExternalIPs(t *testing.T) {
	for text, want := range map[string]admission.ExternalIPs{
		"*": {Mode: admission.WarnOfExternalIPs}, "none": {Mode: admission.NoExternalIPs},
		"192.0.2.7/24": {Mode: admission.ListedExternalIPs, CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
	} {
		got, err := parseExternalIPs([]string{text})
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
}

func TestFamiliesAreThoseOfTheServersFlags(t *testing.T) {
	for text, want := range map[string]pool.Cluster{
		"10.96.0.0/16":            {Primary: corev1.IPv4Protocol},
		"fd00::/112":              {Primary: corev1.IPv6Protocol},
		"10.96.0.0/16,fd00::/112": {Primary: corev1.IPv4Protocol, DualStack: true},
		"fd00::/112,10.96.0.0/16": {Primary: corev1.IPv6Protocol, DualStack: true},
	} {
		book := newPoolBook(clocktesting.NewFakePassiveClock(time.Now()), allocator.PortSpan{First: 30000, Last: 32767})
		events := book.serviceCIDREvents(func() {})
		cidr := func(name, text string) *networkingv1.ServiceCIDR {
			return &networkingv1.ServiceCIDR{
				ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.Now()},
				Spec:       networkingv1.ServiceCIDRSpec{CIDRs: strings.Split(text, ",")},
			}
		}
		events.OnAdd(cidr("more", "10.97.0.0/16,fd01::/112"), true)
		if _, known := book.families(); known {
			t.Error("the families are known without the ServiceCIDR of the flags")
		}
		events.OnAdd(cidr("kubernetes", text), true)
		if got, known := book.families(); got != want || !known {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
		// The server itself knows the one of its flags; others have to settle.
		if !book.settled(cidr("kubernetes", text)) || book.settled(cidr("more", "")) {
			t.Errorf("%s: settled are kubernetes %v, more %v", text, book.settled(cidr("kubernetes", text)), book.settled(cidr("more", "")))
		}
	}
}
