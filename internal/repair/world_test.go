// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/internal/ledger"
)

func TestServiceIsRead(t *testing.T) {
	port := func(number int32, protocol corev1.Protocol) corev1.ServicePort {
		return corev1.ServicePort{NodePort: number, Protocol: protocol}
	}
	tests := map[string]struct {
		spec    corev1.ServiceSpec
		invalid []string
		twice   []ledger.Place
	}{
		"addresses":                              {spec: corev1.ServiceSpec{ClusterIPs: []string{"10.96.0.9", "fd00::9"}}},
		"headless":                               {spec: corev1.ServiceSpec{ClusterIPs: []string{corev1.ClusterIPNone}}},
		"an address as it could be written once": {spec: corev1.ServiceSpec{ClusterIPs: []string{"010.096.000.009"}}},
		"none":                                   {spec: corev1.ServiceSpec{ClusterIPs: []string{"10.96.0", "", "fd00::9"}}, invalid: []string{"10.96.0", ""}},
		"an ExternalName has none": {spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeExternalName, ClusterIPs: []string{"10.96.0"}, Ports: []corev1.ServicePort{port(30080, "TCP"), port(30080, "TCP")},
		}},
		"ports": {spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{port(0, "TCP"), port(30080, "TCP"), port(0, "TCP"), port(30080, "UDP"), port(30081, "UDP")}}},
		"a port twice": {
			spec:  corev1.ServiceSpec{Ports: []corev1.ServicePort{port(30080, "TCP"), port(30081, "TCP"), port(30080, "TCP")}},
			twice: []ledger.Place{ledger.Port(30080)},
		},
		"a port for health checks too": {
			spec:  corev1.ServiceSpec{Ports: []corev1.ServicePort{port(30080, "TCP")}, HealthCheckNodePort: 30080},
			twice: []ledger.Place{ledger.Port(30080)},
		},
		"a UDP port for health checks too": {
			spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{port(30080, "UDP")}, HealthCheckNodePort: 30080},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			object := &corev1.Service{Spec: test.spec}
			object.Namespace, object.Name, object.UID = "shop", "web", "u"
			object.CreationTimestamp.Time = noon()
			numbers := []ledger.Place{ledger.Port(1)}
			got := NewService(object, numbers)
			want := Service{
				Owner: ledger.Owner{NamespacedName: named("shop/web"), UID: "u"}, Created: noon(), Numbers: numbers,
				Invalid: test.invalid, Twice: test.twice,
			}
			if diff := cmp.Diff(want, got, exactly()...); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressIsRead(t *testing.T) {
	service := &networkingv1.ParentReference{Resource: "services", Namespace: "shop", Name: "web"}
	managed := map[string]string{networkingv1.LabelManagedBy: "ipallocator.k8s.io"}
	tests := map[string]struct {
		name    string
		labels  map[string]string
		parent  *networkingv1.ParentReference
		want    Address
		refused bool
	}{
		"of a Service": {name: "10.96.0.9", labels: managed, parent: service, want: Address{
			Address: netip.MustParseAddr("10.96.0.9"), Service: named("shop/web"), Managed: true,
		}},
		"without a parent": {name: "fd00::9", labels: managed, want: Address{Address: netip.MustParseAddr("fd00::9"), Managed: true}},
		"of something else": {
			name: "10.96.0.9", labels: managed, want: Address{Address: netip.MustParseAddr("10.96.0.9"), Managed: true},
			parent: &networkingv1.ParentReference{Resource: "gateways", Namespace: "shop", Name: "web"},
		},
		"of another kind of Service": {
			name: "10.96.0.9", labels: managed, want: Address{Address: netip.MustParseAddr("10.96.0.9"), Managed: true},
			parent: &networkingv1.ParentReference{Group: "other", Resource: "services", Namespace: "shop", Name: "web"},
		},
		"of somebody else": {name: "10.96.0.9", labels: map[string]string{networkingv1.LabelManagedBy: "me"}, parent: service, want: Address{
			Address: netip.MustParseAddr("10.96.0.9"), Service: named("shop/web"),
		}},
		"no address": {name: "web", refused: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			object := &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: test.name, Labels: test.labels}}
			object.Spec.ParentRef = test.parent
			got, err := NewAddress(object)
			if (err != nil) != test.refused {
				t.Fatalf("read with %v", err)
			}
			if diff := cmp.Diff(test.want, got, exactly()...); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindingIsConfirmedByTheServiceAsItIs(t *testing.T) {
	web := services(t, "shop/web 10.96.0.9 invalid")[0]
	other := web
	other.UID = "another"
	tests := map[string]struct {
		finding Finding
		live    *Service
		want    bool
	}{
		"it has the number":         {Finding{Kind: Duplicate, Place: place(t, "10.96.0.9"), Service: web.Owner}, &web, true},
		"it has another number":     {Finding{Kind: Duplicate, Place: place(t, "10.96.0.8"), Service: web.Owner}, &web, false},
		"it is gone":                {Finding{Kind: Duplicate, Place: place(t, "10.96.0.9"), Service: web.Owner}, nil, false},
		"it was made anew":          {Finding{Kind: Duplicate, Place: place(t, "10.96.0.9"), Service: web.Owner}, &other, false},
		"it has what is no address": {Finding{Kind: Invalid, Detail: "invalid", Service: web.Owner}, &web, true},
		"it has it no more":         {Finding{Kind: Invalid, Detail: "invalid too", Service: web.Owner}, &web, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.finding.Confirmed(test.live); got != test.want {
				t.Errorf("confirmed: %v, want %v", got, test.want)
			}
		})
	}
}

func TestWhatServicesCarryOfABlock(t *testing.T) {
	w := makeWorld(t, services(t, "shop/web 10.96.0.9 :30080", "shop/api 10.96.16.10 10.96.0.11"), "", "10.96.0.12=foreign")
	carried := w.Carried(place(t, "10.96.0.0").Key)
	if !carried.Equal(setOf(9, 11)) {
		t.Errorf("carried: %v", carried)
	}
}

func exactly() []cmp.Option {
	return []cmp.Option{cmpopts.EquateComparable(ledger.Place{}, netip.Addr{}), cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(time.Nanosecond)}
}
