// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

// asks is which annotations of Services say what to a tool. Of several, the first that
// is there counts.
type asks struct {
	addresses, pool, sharing []string
	// sharesAnywhere tells that Services of all namespaces share addresses by a key
	// alone. Otherwise across names namespaces, or * for all, that they share with.
	sharesAnywhere bool
	across         []string
}

// first returns the value of the first of some annotations that is there.
func first(service *corev1.Service, of []string) string {
	for _, key := range of {
		if value, found := service.Annotations[key]; found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// edit notes what Services need, so that they ask us for what they asked their tool for.
func (w *work) edit(a *asks) {
	namespaces := map[string]map[string]bool{} // of Services with a key
	for _, service := range w.services {
		key := first(service, a.sharing)
		if namespaces[key] == nil {
			namespaces[key] = map[string]bool{}
		}
		namespaces[key][service.Namespace] = true
	}
	for _, service := range w.services {
		wants := map[string]string{
			servicenetv1alpha1.LoadBalancerIPsAnnotation: first(service, a.addresses),
			servicenetv1alpha1.LoadBalancerPoolKey:       w.poolFor(service, first(service, a.pool)),
		}
		if key := first(service, a.sharing); key != "" {
			wants[servicenetv1alpha1.SharingKeyAnnotation] = key
			if a.sharesAnywhere && len(namespaces[key]) > 1 || w.sharesAcross(service, first(service, a.across)) {
				wants[servicenetv1alpha1.SharingCrossNamespaceAnnotation] = "true"
			}
		}
		maps.DeleteFunc(wants, func(key, value string) bool { return value == "" || service.Annotations[key] == value })
		if len(wants) > 0 {
			maps.Copy(w.Result.edit(service.Namespace, service.Name).Annotations, wants)
		}
	}
}

// poolFor returns the pool that a Service asks for, if there is one of that name.
func (w *work) poolFor(service *corev1.Service, name string) string {
	if name == "" || slices.ContainsFunc(w.Pools, func(p *servicenetv1alpha1.LoadBalancerPool) bool { return p.Name == name }) {
		return name
	}
	w.losef(nameOfService(service), "asks for the pool %s, which is not there: it is not to ask us for it", name)
	return ""
}

// sharesAcross tells whether a Service shares addresses with other namespaces.
func (w *work) sharesAcross(service *corev1.Service, namespaces string) bool {
	if namespaces != "" && namespaces != "*" {
		w.losef(nameOfService(service), "shares addresses with the namespaces %s alone: with us, it does with all whose Services agree",
			namespaces)
	}
	return namespaces != ""
}

// check looks at each Service as the manager will once all is applied.
func (w *work) check() {
	var compiled []*pool.LoadBalancerPool
	for _, p := range w.Pools {
		compiled = append(compiled, pool.CompileLoadBalancerPool(p))
	}
	pools := pool.NewLoadBalancers(compiled, nil, nil)
	holders := map[netip.Addr][]*corev1.Service{}
	classes := map[string]int{}
	for _, service := range w.services {
		if class := service.Spec.LoadBalancerClass; class != nil && *class != servicenetv1alpha1.LoadBalancerClass {
			if !slices.ContainsFunc(shown(service), w.holds) {
				continue // somebody else's
			}
			classes[*class]++
		}
		w.checkOne(pools, w.edited(service), holders)
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		w.tellf("loadBalancerClass "+class, "Services have it (%d), and a class can't be changed: start the manager with "+
			"--load-balancer-class=%s", classes[class], class)
	}
}

// edited returns a Service as it will be.
func (w *work) edited(service *corev1.Service) *corev1.Service {
	for i := range w.Edits {
		if e := &w.Edits[i]; e.Namespace == service.Namespace && e.Name == service.Name {
			service = service.DeepCopy()
			service.Annotations = merged(service.Annotations, e.Annotations)
			service.Labels = merged(service.Labels, e.Labels)
		}
	}
	return service
}

func merged(into, more map[string]string) map[string]string {
	all := maps.Clone(into)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, more)
	return all
}

func (w *work) checkOne(pools *pool.LoadBalancers, service *corev1.Service, holders map[netip.Addr][]*corev1.Service) {
	about := nameOfService(service)
	request, faults := loadbalancer.Read(service)
	if len(faults) > 0 {
		w.losef(about, "is not understood, and gets nothing: %s", strings.Join(faults, "; "))
		return
	}
	who := &pool.Who{
		Namespace: service.Namespace, Name: service.Name,
		NamespaceLabels: w.labelsOf(service.Namespace), ServiceLabels: service.Labels,
	}
	for _, address := range shown(service) {
		named := request.Of(loadbalancer.FamilyOf(address))
		standing, _ := pools.Keeps(who, request.Pool, address)
		switch {
		case pools.Owner(address) == nil:
			w.losef(about, "has %s, which is of no pool: it is not taken over, and the Service gets another", address)
		case len(named) > 0 && !slices.Contains(named, address):
			w.losef(about, "has %s and asks for %v: it loses the one for the other", address, named)
		case request.Pool != "" && standing != pool.Fits:
			w.losef(about, "has %s and asks for the pool %s, which can't give it: it loses it", address, request.Pool)
		case standing != pool.Fits:
			w.tellf(about, "keeps %s, and would not get it again: no pool that serves it has the address to give", address)
		}
		w.checkSharing(service, &request, address, holders[address])
		holders[address] = append(holders[address], service)
	}
}

// checkSharing notes whether a Service can't have an address together with others.
func (w *work) checkSharing(service *corev1.Service, request *loadbalancer.Request, address netip.Addr, others []*corev1.Service) {
	for _, other := range others {
		theirs, _ := loadbalancer.Read(other)
		across := service.Namespace != other.Namespace && (!request.CrossNamespace || !theirs.CrossNamespace)
		clash := slices.ContainsFunc(request.Ports, func(p loadbalancer.Port) bool { return slices.Contains(theirs.Ports, p) })
		if request.Key == "" || request.Key != theirs.Key || across || clash || request.Local != theirs.Local {
			w.losef(nameOfService(service), "has %s, as %s has, which is older and keeps it: they have no sharing key in common, or "+
				"the same port, or not the same pods", address, nameOfService(other))
			return
		}
	}
}
