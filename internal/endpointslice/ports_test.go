// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func named(name string) corev1.ServicePort { return servicePort("http", 80, intstr.FromString(name)) }

func sidecar(name string, number int32) podOption {
	return func(p *corev1.Pod) {
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{
			RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
			Ports:         []corev1.ContainerPort{{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP}},
		})
	}
}

func TestTargetPort(t *testing.T) {
	udp := named("web")
	udp.Protocol = corev1.ProtocolUDP
	initOnly := func(p *corev1.Pod) {
		sidecar("web", 3000)(p)
		p.Spec.InitContainers[0].RestartPolicy = nil
	}
	for name, test := range map[string]struct {
		port corev1.ServicePort
		pod  *corev1.Pod
		want string // ports of the slice that lists the pod
	}{
		"number, undeclared":             {servicePort("http", 80, intstr.FromInt32(9000)), makePod(1), "http:9000"},
		"name":                           {named("web"), makePod(1, withNamedPort("web", 8081)), "http:8081"},
		"name in a second container":     {named("web"), makePod(1, withNamedPort("admin", 1), withNamedPort("web", 8081)), "http:8081"},
		"name in a sidecar":              {named("web"), makePod(1, sidecar("web", 3000)), "http:3000"},
		"container before sidecar":       {named("web"), makePod(1, sidecar("web", 3000), withNamedPort("web", 8081)), "http:8081"},
		"name in a plain init container": {named("web"), makePod(1, initOnly), ""},
		"name of another protocol":       {udp, makePod(1, withNamedPort("web", 8081)), ""},
		"name that nobody declares":      {named("web"), makePod(1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := planned(t, makeService(withPorts(test.port)), test.pod).listed(ipv4)
			if diff := cmp.Diff([]string{test.pod.Name + " " + test.want}, got); diff != "" {
				t.Errorf("listed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnePortOfSeveralNotFoundIsLeftOut(t *testing.T) {
	service := makeService(withPorts(named("web"), servicePort("metrics", 90, intstr.FromInt32(9090))))
	got := planned(t, service, makePod(1)).listed(ipv4)
	if diff := cmp.Diff([]string{"web-0001 metrics:9090"}, got); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func TestPodsWithDifferentPortsNeverShareASlice(t *testing.T) {
	service := makeService(withPorts(named("web")))
	pods := append(makePods(0, 3, withNamedPort("web", 8080)), makePods(3, 5, withNamedPort("web", 9090))...)
	w := planned(t, service, append(pods, makePod(5))...)
	want := []string{
		"web-0000 http:8080", "web-0001 http:8080", "web-0002 http:8080",
		"web-0003 http:9090", "web-0004 http:9090", "web-0005 ",
	}
	if diff := cmp.Diff(want, w.listed(ipv4)); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, 2, 1}, w.sizes()); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

func TestPortFields(t *testing.T) {
	port := servicePort("", 80, intstr.FromInt32(8080))
	port.AppProtocol = new("kubernetes.io/h2c")
	got := planned(t, makeService(withPorts(port)), makePod(1)).only().Ports
	want := []discoveryv1.EndpointPort{{
		Name: new(""), Port: new(int32(8080)), Protocol: new(corev1.ProtocolTCP), AppProtocol: new("kubernetes.io/h2c"),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

func TestHeadlessServiceWithoutPorts(t *testing.T) {
	slice := planned(t, makeService(withClusterIP("None"), withPorts()), makePod(1)).only()
	if len(slice.Ports) != 0 || len(slice.Endpoints) != 1 {
		t.Errorf("got %d ports and %d endpoints, want none and one", len(slice.Ports), len(slice.Endpoints))
	}
}

func TestPortsKey(t *testing.T) {
	http := discoveryv1.EndpointPort{Name: new("http"), Port: new(int32(80)), Protocol: new(corev1.ProtocolTCP)}
	vary := func(change func(*discoveryv1.EndpointPort)) []discoveryv1.EndpointPort {
		port := *http.DeepCopy()
		change(&port)
		return []discoveryv1.EndpointPort{port}
	}
	other := vary(func(p *discoveryv1.EndpointPort) { p.Name = new("other") })[0]
	if KeyOfPorts([]discoveryv1.EndpointPort{http, other}) != KeyOfPorts([]discoveryv1.EndpointPort{other, http}) {
		t.Error("the key depends on the order of the ports")
	}
	seen := map[PortsKey]string{KeyOfPorts([]discoveryv1.EndpointPort{http}): "unchanged"}
	for name, ports := range map[string][]discoveryv1.EndpointPort{
		"none":                  nil,
		"other name":            {other},
		"no name":               vary(func(p *discoveryv1.EndpointPort) { p.Name = nil }),
		"empty name":            vary(func(p *discoveryv1.EndpointPort) { p.Name = new("") }),
		"other number":          vary(func(p *discoveryv1.EndpointPort) { p.Port = new(int32(81)) }),
		"all ports":             vary(func(p *discoveryv1.EndpointPort) { p.Port = nil }),
		"UDP":                   vary(func(p *discoveryv1.EndpointPort) { p.Protocol = new(corev1.ProtocolUDP) }),
		"application protocol":  vary(func(p *discoveryv1.EndpointPort) { p.AppProtocol = new("http") }),
		"empty app protocol":    vary(func(p *discoveryv1.EndpointPort) { p.AppProtocol = new("") }),
		"separators in a value": vary(func(p *discoveryv1.EndpointPort) { p.AppProtocol = new(`http";other/TCP/80`) }),
		"two":                   {http, other},
	} {
		if twin, found := seen[KeyOfPorts(ports)]; found {
			t.Errorf("%q has the key of %q", name, twin)
		}
		seen[KeyOfPorts(ports)] = name
	}
}
