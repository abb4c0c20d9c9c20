// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestPodMatters(t *testing.T) {
	for name, test := range map[string]struct {
		change podOption
		want   bool
	}{
		"nothing":             {func(*corev1.Pod) {}, false},
		"readiness":           {unready, true},
		"termination begins":  {terminating, true},
		"failure":             {withPhase(corev1.PodFailed), true},
		"success":             {withPhase(corev1.PodSucceeded), true},
		"a second address":    {withIPs("10.0.0.2", "fd00::2"), true},
		"no address":          {withIPs(), true},
		"node":                {onNode("node-b"), true},
		"re-created":          {func(p *corev1.Pod) { p.UID = "next" }, true},
		"hostname":            {withHostname("x", ""), true},
		"labels":              {func(p *corev1.Pod) { p.Labels = map[string]string{"app": "other"} }, true},
		"annotation":          {func(p *corev1.Pod) { p.Annotations = map[string]string{"a": "b"} }, false},
		"pending to unknown":  {withPhase(corev1.PodUnknown), false},
		"heartbeat":           {func(p *corev1.Pod) { p.Status.Conditions[0].LastProbeTime = metav1.NewTime(time.Unix(9, 0)) }, false},
		"container statuses":  {func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 3}} }, false},
		"another condition":   {func(p *corev1.Pod) { p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: "x"}) }, false},
		"same deletion again": {func(p *corev1.Pod) { p.ResourceVersion = "77" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := PodMatters(makePod(1), makePod(1, test.change)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	if PodMatters(makePod(1, withIPs(), unready), makePod(1, withIPs(), onNode("node-b"))) {
		t.Error("a pod matters before it has an address")
	}
	if PodMatters(makePod(1, terminating), makePod(1, terminating)) {
		t.Error("an update of a terminating pod matters though nothing changed")
	}
}

func TestServiceMatters(t *testing.T) {
	for name, test := range map[string]struct {
		change serviceOption
		want   bool
	}{
		"nothing":             {func(*corev1.Service) {}, false},
		"port":                {withPorts(servicePort("http", 81, intstr.FromInt32(8080))), true},
		"selector":            {func(s *corev1.Service) { s.Spec.Selector = nil }, true},
		"label":               {withLabels(map[string]string{"a": "b"}), true},
		"deletion":            {serviceDeleting, true},
		"re-created":          {func(s *corev1.Service) { s.UID = "next" }, true},
		"Auto topology":       {autoTopology, true},
		"distribution":        {withTrafficDistribution("PreferClose"), true},
		"other annotation":    {withAnnotation("example.com/note", "mine"), false},
		"Auto in other words": {withAnnotation(corev1.AnnotationTopologyMode, "Disabled"), false},
		"status": {func(s *corev1.Service) {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ServiceMatters(makeService(), makeService(test.change)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNodeMatters(t *testing.T) {
	node := func(zone, version string) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version, Labels: map[string]string{corev1.LabelTopologyZone: zone}}}
	}
	if NodeMatters(node("a", "1"), node("a", "2")) || !NodeMatters(node("a", "1"), node("b", "2")) {
		t.Error("want a node to matter when its zone changes, and only then")
	}
}

// What is stripped must not be missed: the plan from stripped pods is the plan
// from whole ones.
func TestStrippedPodsGiveTheSamePlan(t *testing.T) {
	service := makeService(withPorts(named("web"), servicePort("b", 81, intstr.FromString("admin"))))
	whole := func(i int) *corev1.Pod {
		pod := makePod(i, withNamedPort("web", 8080), sidecar("admin", 9000+int32(i%2)), withHostname("h", "web"))
		pod.Spec.Volumes = []corev1.Volume{{Name: "v"}}
		pod.Spec.Containers[0].Ports = append(pod.Spec.Containers[0].Ports, corev1.ContainerPort{ContainerPort: 1})
		pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "x"}}
		pod.Annotations = map[string]string{"a": "b"}
		pod.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}
		pod.Status.Conditions = append([]corev1.PodCondition{{Type: "PodScheduled", Status: "True"}}, pod.Status.Conditions...)
		return pod
	}
	var pods, stripped []*corev1.Pod
	strip := NewPodStripper()
	for i := range 20 {
		pods, stripped = append(pods, whole(i)), append(stripped, strip(whole(i)))
	}
	silent := func(p *corev1.Pod) { p.Status.Conditions = nil }
	pods, stripped = append(pods, makePod(20, silent)), append(stripped, strip(makePod(20, silent)))
	if diff := cmp.Diff(Plan(makeInput(service, pods)), Plan(makeInput(service, stripped))); diff != "" {
		t.Errorf("plan (-whole +stripped):\n%s", diff)
	}
	if got := stripped[0]; got.Spec.Volumes != nil || len(got.Status.Conditions) != 1 || got.Annotations != nil || got.ManagedFields != nil {
		t.Errorf("not stripped: %+v", got)
	}
}

func TestSharesMatter(t *testing.T) {
	node := makeNode("n", "zone-a", 1000)
	for name, test := range map[string]struct {
		before, after *corev1.Node
		want          bool
	}{
		"nothing":                 {node, makeNode("n", "zone-a", 1000), false},
		"added":                   {nil, node, true},
		"removed":                 {node, nil, true},
		"readiness":               {node, makeNode("n", "zone-a", 1000, nodeUnready), true},
		"zone":                    {node, makeNode("n", "zone-b", 1000), true},
		"CPU":                     {node, makeNode("n", "zone-a", 1001), true},
		"CPU no longer reported":  {node, makeNode("n", "zone-a", 1000, func(n *corev1.Node) { n.Status.Allocatable = nil }), true},
		"joins the control plane": {node, makeNode("n", "zone-a", 1000, withNodeLabel("node-role.kubernetes.io/control-plane")), true},
		"another label":           {node, makeNode("n", "zone-a", 1000, withNodeLabel("example.com/x")), false},
		"same CPU in other words": {node, makeNode("n", "zone-a", 0, func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourceCPU] = resource.MustParse("1") }), false},
		"another resource":        {node, makeNode("n", "zone-a", 1000, func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourceMemory] = resource.MustParse("1Gi") }), false},
		"heartbeat":               {node, makeNode("n", "zone-a", 1000, func(n *corev1.Node) { n.Status.Conditions[0].LastHeartbeatTime = metav1.NewTime(time.Unix(9, 0)) }), false},
		"another condition": {node, makeNode("n", "zone-a", 1000, func(n *corev1.Node) {
			n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: "x", Status: "True"})
		}), false},
		"unready and not to be used": {makeNode("n", "zone-a", 1000, nodeUnready), makeNode("n", "zone-a", 1000, nodeUnready, withNodeLabel("node-role.kubernetes.io/master")), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := SharesMatter(test.before, test.after); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// What is stripped must not be missed: the shares from stripped nodes are those
// from whole ones.
func TestStrippedNodesGiveTheSameShares(t *testing.T) {
	decorate := func(n *corev1.Node) {
		n.Annotations, n.Finalizers = map[string]string{"a": "b"}, []string{"example.com/wait"}
		n.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}
		n.Spec = corev1.NodeSpec{PodCIDR: "10.0.0.0/24", Taints: []corev1.Taint{{Key: "x"}}}
		n.Status.Images = []corev1.ContainerImage{{SizeBytes: 1}}
		n.Status.Allocatable[corev1.ResourceMemory] = resource.MustParse("1Gi")
		n.Status.Conditions = append([]corev1.NodeCondition{{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue}}, n.Status.Conditions...)
	}
	noCPU := func(n *corev1.Node) { delete(n.Status.Allocatable, corev1.ResourceCPU) }
	for name, nodes := range map[string][]*corev1.Node{
		"shares":   {makeNode("a", "zone-a", 500, decorate), makeNode("b", "zone-b", 1500, decorate), makeNode("c", "zone-c", 9, nodeUnready, decorate)},
		"no zone":  {makeNode("a", "zone-a", 500, decorate), makeNode("b", "", 1500, decorate)},
		"no CPU":   {makeNode("a", "zone-a", 500, decorate), makeNode("b", "zone-b", 1500, decorate, noCPU)},
		"no state": {makeNode("a", "zone-a", 500), makeNode("b", "zone-b", 1500, func(n *corev1.Node) { n.Status.Conditions = nil })},
		"control plane": {
			makeNode("a", "zone-a", 500), makeNode("b", "zone-b", 1500), makeNode("c", "", 0, withNodeLabel("node-role.kubernetes.io/control-plane")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := SharesOf(nodes)
			var stripped []*corev1.Node
			for _, node := range nodes {
				stripped = append(stripped, StripNode(node.DeepCopy()))
			}
			if got := SharesOf(stripped); !got.Equal(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	got := StripNode(makeNode("n", "zone-a", 500, decorate))
	want := makeNode("n", "zone-a", 500)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stripped node (-want +got):\n%s", diff)
	}
}

func TestStrippedServicesGiveTheSameTopology(t *testing.T) {
	service := StripService(makeService(
		withAnnotation(corev1.AnnotationTopologyMode, "Disabled"), withAnnotation(corev1.DeprecatedAnnotationTopologyAwareHints, "Auto"),
		withAnnotation("kubectl.kubernetes.io/last-applied-configuration", "{}")))
	want := map[string]string{corev1.AnnotationTopologyMode: "Disabled", corev1.DeprecatedAnnotationTopologyAwareHints: "Auto"}
	if diff := cmp.Diff(want, service.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestStripServiceAndSliceKeepWhatIsWrittenBack(t *testing.T) {
	service := makeService(func(s *corev1.Service) {
		s.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
	})
	if got := StripService(service.DeepCopy()); got.ManagedFields != nil || got.Status.LoadBalancer.Ingress != nil || got.Spec.ClusterIP != service.Spec.ClusterIP {
		t.Errorf("got %+v", got)
	}
	slice := planned(t, makeService(), makePod(1)).only().DeepCopy()
	slice.Annotations, slice.ManagedFields = map[string]string{"a": "b"}, []metav1.ManagedFieldsEntry{{Manager: "x"}}
	want := slice.DeepCopy()
	want.ManagedFields = nil
	if diff := cmp.Diff(want, StripSlice(slice)); diff != "" {
		t.Errorf("slice (-want +got):\n%s", diff)
	}
}
