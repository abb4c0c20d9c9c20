// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// balanced returns a Service that a provider without a class serves.
func balanced(changes ...func(*corev1.Service)) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web", UID: "1", Labels: map[string]string{"app": "web"},
			Annotations: map[string]string{"example.com/size": "small"}, Finalizers: []string{Finalizer},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, SessionAffinity: corev1.ServiceAffinityNone,
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol},
			Ports:      []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP, NodePort: 30080, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	for _, change := range changes {
		change(service)
	}
	return service
}

func ofClass(class string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.LoadBalancerClass = &class }
}

func ofType(of corev1.ServiceType) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Type = of }
}

func deleted(s *corev1.Service) { s.DeletionTimestamp = new(metav1.NewTime(time.Unix(1, 0))) }

func unfinalized(s *corev1.Service) { s.Finalizers = nil }

func TestDuty(t *testing.T) {
	t.Parallel()
	none, mine := Terms{}, Terms{Class: "example.com/mine"}
	for name, test := range map[string]struct {
		terms   Terms
		service *corev1.Service
		want    Duty
	}{
		"a Service without a class":            {none, balanced(), Serve},
		"one without the finalizer yet":        {none, balanced(unfinalized), Serve},
		"one without a class, for a class":     {mine, balanced(unfinalized), Nothing},
		"one of the class":                     {mine, balanced(ofClass("example.com/mine")), Serve},
		"one of another class":                 {mine, balanced(ofClass("example.com/other"), unfinalized), Nothing},
		"one of a class, without one":          {none, balanced(ofClass("example.com/mine"), unfinalized), Nothing},
		"one that is deleted":                  {none, balanced(deleted), CleanUp},
		"one that is deleted and has none":     {none, balanced(deleted, unfinalized), Nothing},
		"one of another type":                  {none, balanced(ofType(corev1.ServiceTypeClusterIP)), CleanUp},
		"one of another type that had none":    {none, balanced(ofType(corev1.ServiceTypeNodePort), unfinalized), Nothing},
		"one that got a class meanwhile":       {none, balanced(ofClass("example.com/mine")), CleanUp},
		"one that lost its class meanwhile":    {mine, balanced(), CleanUp},
		"one of another type that has a class": {mine, balanced(ofType(corev1.ServiceTypeClusterIP), ofClass("example.com/mine")), CleanUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.terms.Duty(test.service); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			if test.want != Nothing && !test.terms.Matters(test.service) {
				t.Error("it does not matter")
			}
		})
	}
}

func TestDeparted(t *testing.T) {
	t.Parallel()
	record := &Record{Service: balanced()}
	for name, test := range map[string]struct {
		record  *Record
		service *corev1.Service
		want    bool
	}{
		"still there":                             {record, balanced(), false},
		"never called for":                        {nil, nil, false},
		"gone":                                    {record, nil, true},
		"made again under its name":               {record, balanced(func(s *corev1.Service) { s.UID = "2" }), true},
		"of another type, the finalizer on":       {record, balanced(ofType(corev1.ServiceTypeClusterIP)), false},
		"of another type, the finalizer off":      {record, balanced(ofType(corev1.ServiceTypeClusterIP), unfinalized), true},
		"of another class, the finalizer off":     {record, balanced(ofClass("example.com/other"), unfinalized), true},
		"being deleted, the finalizer still on":   {record, balanced(deleted), false},
		"ours, with the finalizer taken by hand":  {record, balanced(unfinalized), false},
		"never called for, of another class, off": {nil, balanced(ofClass("example.com/other"), unfinalized), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (Terms{}).Departed(test.record, test.service); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// Every change that upstream's service controller reacts to is news, and a status that
// was changed or a finalizer that was taken, which are none to it.
func TestNews(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*corev1.Service)
		want   bool
	}{
		"nothing":               {func(*corev1.Service) {}, false},
		"a label":               {func(s *corev1.Service) { s.Labels["app"] = "other" }, false},
		"the selector":          {func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "x"} }, false},
		"another finalizer":     {func(s *corev1.Service) { s.Finalizers = append(s.Finalizers, "example.com/x") }, false},
		"a condition":           {func(s *corev1.Service) { s.Status.Conditions = []metav1.Condition{{Type: "X"}} }, false},
		"the class":             {ofClass("example.com/other"), true},
		"the type":              {ofType(corev1.ServiceTypeClusterIP), true},
		"source ranges":         {func(s *corev1.Service) { s.Spec.LoadBalancerSourceRanges = []string{"10.0.0.0/8"} }, true},
		"a port":                {func(s *corev1.Service) { s.Spec.Ports[0].Port = 81 }, true},
		"a port's name":         {func(s *corev1.Service) { s.Spec.Ports[0].Name = "web" }, true},
		"a port's protocol":     {func(s *corev1.Service) { s.Spec.Ports[0].Protocol = corev1.ProtocolUDP }, true},
		"a port's node port":    {func(s *corev1.Service) { s.Spec.Ports[0].NodePort = 30081 }, true},
		"a port's target":       {func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("http") }, true},
		"a port's app protocol": {func(s *corev1.Service) { s.Spec.Ports[0].AppProtocol = new("h2c") }, true},
		"one port more":         {func(s *corev1.Service) { s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Port: 443}) }, true},
		"affinity":              {func(s *corev1.Service) { s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP }, true},
		"affinity's settings": {func(s *corev1.Service) {
			s.Spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{ClientIP: &corev1.ClientIPConfig{}}
		}, true},
		"the requested IP":          {func(s *corev1.Service) { s.Spec.LoadBalancerIP = "192.0.2.1" }, true},
		"external IPs":              {func(s *corev1.Service) { s.Spec.ExternalIPs = []string{"192.0.2.1"} }, true},
		"an annotation":             {func(s *corev1.Service) { s.Annotations["example.com/size"] = "large" }, true},
		"one annotation less":       {func(s *corev1.Service) { s.Annotations = nil }, true},
		"the UID":                   {func(s *corev1.Service) { s.UID = "2" }, true},
		"the traffic policy":        {func(s *corev1.Service) { s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal }, true},
		"the health port":           {func(s *corev1.Service) { s.Spec.HealthCheckNodePort = 30001 }, true},
		"a second family":           {func(s *corev1.Service) { s.Spec.IPFamilies = append(s.Spec.IPFamilies, corev1.IPv6Protocol) }, true},
		"deletion":                  {deleted, true},
		"the finalizer taken":       {unfinalized, true},
		"the status's address":      {func(s *corev1.Service) { s.Status.LoadBalancer.Ingress = addresses("192.0.2.9") }, true},
		"the type, no finalizer":    {func(s *corev1.Service) { ofType(corev1.ServiceTypeClusterIP)(s); unfinalized(s) }, true},
		"deletion and no finalizer": {func(s *corev1.Service) { deleted(s); unfinalized(s) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (Terms{}).News(balanced(), balanced(test.change)); got != test.want {
				t.Errorf("news: %v, want %v", got, test.want)
			}
		})
	}
}

func TestServicesOfOthersAreNoNews(t *testing.T) {
	t.Parallel()
	other := balanced(ofType(corev1.ServiceTypeClusterIP), unfinalized)
	changed := balanced(ofType(corev1.ServiceTypeNodePort), unfinalized, func(s *corev1.Service) { s.Annotations = nil })
	if (Terms{}).News(other, changed) {
		t.Error("a Service that was never ours is news")
	}
	if !(Terms{}).News(other, balanced(unfinalized)) {
		t.Error("a Service that becomes ours is no news")
	}
}

func TestStripKeepsAllOfServicesThatMatter(t *testing.T) {
	t.Parallel()
	managed := func(s *corev1.Service) { s.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "x"}} }
	kept := (Terms{}).Strip(balanced(managed))
	if kept.ManagedFields != nil || len(kept.Spec.Ports) != 1 || len(kept.Annotations) != 1 {
		t.Errorf("kept %+v", kept)
	}
	other := (Terms{}).Strip(balanced(ofClass("example.com/other"), unfinalized))
	if other.Name != "web" || other.UID != "1" || *other.Spec.LoadBalancerClass != "example.com/other" || other.Spec.Ports != nil || other.Labels != nil {
		t.Errorf("kept %+v of a Service that does not matter", other)
	}
}
