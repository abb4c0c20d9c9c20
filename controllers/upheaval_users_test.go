// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func decodeInto(from, into any) error {
	content, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}

// oneOf returns one of several values.
func oneOf[T any](v *heavedServer, values ...T) T { return values[v.chance(len(values))] }

// once is true once in n times.
func (v *heavedServer) once(n int) bool { return v.chance(n) == 0 }

// stretches are those of which pools have some. They are so few that Services wait.
func stretches() []string {
	return []string{"192.0.2.0/31", "192.0.2.2/31", "192.0.2.4-192.0.2.4", "192.0.2.0/29", "198.51.100.0/31", "2001:db8::/127", "2001:db8::2/127"}
}

// requestable are addresses that Services ask for, some of which are in no pool.
func requestable(family corev1.IPFamily) []string {
	if family == corev1.IPv4Protocol {
		return []string{"192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.4", "198.51.100.0", "203.0.113.9"}
	}
	return []string{"2001:db8::", "2001:db8::1", "2001:db8::2"}
}

// user makes, changes and deletes Services, and now and then pools, nodes and the labels
// of namespaces, for as long as the run lasts.
func (u *upheaval) user(ctx context.Context) {
	for range 20 {
		if lapse(ctx, u.v.upTo(4*time.Second)) != nil {
			return
		}
		switch n := u.v.chance(100); {
		case n < 75:
			u.changeService()
		case n < 90:
			u.changePool()
		case n < 95:
			u.changeNode()
		default:
			u.changeNamespace()
		}
	}
}

// edit changes a Service as users do, if it exists, or ends it.
func (u *upheaval) edit(name types.NamespacedName, change func(*corev1.Service) (ends bool)) bool {
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	is, exists := u.v.objects["Service"][name].(*corev1.Service)
	if !exists {
		return false
	}
	after := is.DeepCopy()
	ends := change(after)
	if after.Spec.Type != corev1.ServiceTypeLoadBalancer { // as the API server has it
		after.Spec.LoadBalancerClass, after.Status.LoadBalancer = nil, corev1.LoadBalancerStatus{}
	}
	if ends {
		u.v.remove("", is)
	} else {
		u.v.putService("", is, after)
	}
	return true
}

func (u *upheaval) changeService() {
	v := u.v
	name := types.NamespacedName{Namespace: oneOf(v, "shop", "team"), Name: strconv.Itoa(v.chance(6))}
	do, next := v.chance(100), u.newService(name)
	exists := u.edit(name, func(s *corev1.Service) (ends bool) {
		switch {
		case do < 30 && len(s.Finalizers) > 0 && s.DeletionTimestamp == nil:
			s.DeletionTimestamp = new(metav1.Now())
		case do < 33:
			return do >= 30 || len(s.Finalizers) == 0 || u.v.rng.IntN(4) == 0 // of which some by force
		case do < 43:
			u.spoilStatus(s)
		default:
			u.take(s, next, do)
		}
		return false
	})
	if !exists && do < 70 {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.stored(next) == nil {
			v.put("", next)
		}
	}
}

// take has a Service ask for some of what another asks for.
func (u *upheaval) take(s, next *corev1.Service, do int) {
	u.edited[s.UID] = time.Now()
	switch {
	case do < 50:
		s.Spec.Ports = next.Spec.Ports
	case do < 65:
		s.Annotations, s.Labels = next.Annotations, next.Labels
	case do < 72:
		s.Spec.LoadBalancerIP = next.Spec.LoadBalancerIP
	case do < 80:
		s.Spec.ExternalTrafficPolicy, s.Spec.Selector = next.Spec.ExternalTrafficPolicy, next.Spec.Selector
	case do < 87:
		if len(next.Spec.IPFamilies) > 0 && next.Spec.IPFamilies[0] == s.Spec.IPFamilies[0] {
			s.Spec.IPFamilies, s.Spec.IPFamilyPolicy = next.Spec.IPFamilies, next.Spec.IPFamilyPolicy
		}
	case do < 95:
		if s.Spec.Type != next.Spec.Type {
			s.Spec.Type, s.Spec.LoadBalancerClass = next.Spec.Type, next.Spec.LoadBalancerClass
		}
	default:
		s.Finalizers = nil // somebody takes them off
	}
}

// newService returns one that asks for something.
func (u *upheaval) newService(name types.NamespacedName) *corev1.Service {
	v := u.v
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, Annotations: map[string]string{}, Labels: map[string]string{}},
		Spec: corev1.ServiceSpec{
			Type: oneOf(v, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeLoadBalancer,
				corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeClusterIP),
			Selector: map[string]string{"app": oneOf(v, "a", "b")}, ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyCluster,
			IPFamilyPolicy: new(corev1.IPFamilyPolicySingleStack),
			IPFamilies:     []corev1.IPFamily{oneOf(v, corev1.IPv4Protocol, corev1.IPv4Protocol, corev1.IPv4Protocol, corev1.IPv6Protocol)},
		},
	}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && !v.once(5) {
		s.Spec.LoadBalancerClass = new(oneOf(v, servicenetv1alpha1.LoadBalancerClass, servicenetv1alpha1.LoadBalancerClass, servicenetv1alpha1.LoadBalancerClass, "other.example/class"))
	}
	if v.once(3) { // as the webhook does
		s.Finalizers = []string{servicenetv1alpha1.LoadBalancerFinalizer}
	}
	if v.once(4) {
		s.Spec.IPFamilyPolicy = new(oneOf(v, corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack))
		s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	}
	if v.once(6) {
		s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	}
	if v.once(4) {
		s.Labels["tier"] = "front"
	}
	for range 1 + v.chance(2) {
		port := corev1.ServicePort{Port: int32(80 + v.chance(3)), Protocol: oneOf(v, corev1.ProtocolTCP, corev1.ProtocolTCP, corev1.ProtocolUDP)} //nolint:gosec // small
		if !slices.Contains(s.Spec.Ports, port) {
			s.Spec.Ports = append(s.Spec.Ports, port)
		}
	}
	u.ask(s)
	return s
}

// ask has a Service ask for certain addresses or a pool, and whom it shares with.
func (u *upheaval) ask(s *corev1.Service) {
	v := u.v
	named := func() string { return oneOf(v, requestable(oneOf(v, s.Spec.IPFamilies...))...) }
	switch v.chance(10) {
	case 0:
		s.Spec.LoadBalancerIP = named()
	case 1, 2:
		s.Annotations[servicenetv1alpha1.LoadBalancerIPsAnnotation] = named()
		if v.once(3) {
			s.Annotations[servicenetv1alpha1.LoadBalancerIPsAnnotation] += "," + named()
		}
	case 3:
		s.Annotations[servicenetv1alpha1.LoadBalancerPoolKey] = oneOf(v, "a", "b", "c", "nodes", "none")
	}
	if v.once(2) {
		s.Annotations[servicenetv1alpha1.SharingKeyAnnotation] = oneOf(v, "k", "k", "l")
		if v.once(2) {
			s.Annotations[servicenetv1alpha1.SharingCrossNamespaceAnnotation] = "true"
		}
	}
	if v.once(20) {
		s.Annotations[servicenetv1alpha1.IPModeAnnotation] = oneOf(v, "Proxy", "Nonsense")
	}
}

// spoilStatus writes into a status what somebody else might. mu of the server is held.
func (u *upheaval) spoilStatus(s *corev1.Service) {
	u.edited[s.UID] = time.Now()
	foreign := corev1.LoadBalancerIngress{Hostname: "elsewhere.example"}
	switch u.v.rng.IntN(4) {
	case 0:
		s.Status.LoadBalancer.Ingress = nil
	case 1:
		s.Status = corev1.ServiceStatus{}
	case 2:
		s.Status.LoadBalancer.Ingress = append(s.Status.LoadBalancer.Ingress, foreign)
	default:
		all := requestable(corev1.IPv4Protocol)
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: all[u.v.rng.IntN(len(all))]}, foreign}
	}
}

// changePool makes, edits or deletes a pool.
func (u *upheaval) changePool() {
	v := u.v
	name, deletes := oneOf(v, "a", "b", "c", "nodes"), v.once(4)
	next := u.newPool(name)
	v.mu.Lock()
	defer v.mu.Unlock()
	stored := v.stored(next)
	u.logf("pool %s: deleted %v, %+v", name, deletes, next.Spec)
	switch {
	case stored != nil && deletes:
		v.remove("", stored)
	case stored != nil:
		after := stored.DeepCopyObject().(*servicenetv1alpha1.LoadBalancerPool) //nolint:errcheck // of the kind
		after.Spec = next.Spec
		after.Generation++
		v.put("", after)
	default:
		v.put("", next)
	}
}

func (u *upheaval) newPool(name string) *servicenetv1alpha1.LoadBalancerPool {
	v := u.v
	p := &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.OnShrink = oneOf(v, servicenetv1alpha1.ShrinkKeep, servicenetv1alpha1.ShrinkRehome)
	p.Spec.Priority = int32(v.chance(3)) //nolint:gosec // small
	p.Spec.AutoAssign = new(!v.once(6))
	if v.once(5) {
		p.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"of": "shop"}}
	}
	if v.once(6) {
		p.Spec.ServiceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "front"}}
	}
	if name == "nodes" {
		p.Spec.NodeSelector = &metav1.LabelSelector{}
		return p
	}
	for range 1 + v.chance(3) {
		if stretch := oneOf(v, stretches()...); !slices.Contains(p.Spec.Addresses, stretch) {
			p.Spec.Addresses = append(p.Spec.Addresses, stretch)
		}
	}
	if v.once(4) {
		p.Spec.LimitPerNamespace = new(int32(1 + v.chance(3))) //nolint:gosec // small
	}
	if v.once(3) {
		p.Spec.Retain = &metav1.Duration{Duration: time.Duration(5+v.chance(30)) * time.Second}
	}
	if v.once(6) && p.Spec.NamespaceSelector != nil {
		p.Spec.Exclusive = true
	}
	if v.once(8) {
		p.Spec.Exclusions = []string{"192.0.2.1"}
	}
	if v.once(8) {
		p.Spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: "shop", Name: "1", Addresses: []string{"192.0.2.2"}}}
	}
	return p
}

// changeNode makes a node, changes whether it is ready, or deletes it.
func (u *upheaval) changeNode() {
	v := u.v
	name := oneOf(v, "1", "2")
	do := v.chance(3)
	v.mu.Lock()
	defer v.mu.Unlock()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0." + name}}
	if stored := v.stored(node); stored != nil {
		if do == 0 {
			v.remove("", stored)
			return
		}
		node = stored.DeepCopyObject().(*corev1.Node) //nolint:errcheck // of the kind
	}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if do == 1 {
		node.Status.Conditions[0].Status = corev1.ConditionUnknown
	}
	v.put("", node)
}

// changeNamespace gives a namespace a label, or takes it.
func (u *upheaval) changeNamespace() {
	v := u.v
	name := oneOf(v, "shop", "team")
	v.mu.Lock()
	defer v.mu.Unlock()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if stored := v.stored(namespace); stored != nil {
		namespace = stored.DeepCopyObject().(*corev1.Namespace) //nolint:errcheck // of the kind
	}
	if namespace.Labels["of"] == "" {
		namespace.Labels = map[string]string{"of": name}
	} else {
		namespace.Labels = nil
	}
	v.put("", namespace)
}
