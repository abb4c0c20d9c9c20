// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Tool is whose pools are converted.
type Tool string

// The tools.
const (
	MetalLB Tool = "metallb"
	Cilium  Tool = "cilium"
	KubeVIP Tool = "kube-vip"
)

// Tools returns all.
func Tools() []Tool { return []Tool{MetalLB, Cilium, KubeVIP} }

// Kind is objects that are worth reading, of the first version that there is.
type Kind struct {
	Group, Kind string
	Versions    []string
	// Namespace is the only one that matters; empty if all do.
	Namespace string
	// Name is the only one that matters; empty if all do.
	Name string
	// Pools tells that the tool gives addresses out of these.
	Pools bool
}

// Kinds returns what a conversion reads.
func Kinds(of Tool) []Kind {
	return append(dialectOf(of).kinds,
		Kind{Kind: "Service", Versions: []string{"v1"}}, Kind{Kind: "Namespace", Versions: []string{"v1"}})
}

// dialect is how a tool says things.
type dialect struct {
	kinds []Kind
	// read makes a draft of an object of one of the kinds, and adds it.
	read func(w *work, object *unstructured.Unstructured)
	// asks is which annotations of Services it reads.
	asks asks
}

func dialectOf(tool Tool) dialect {
	switch tool {
	case Cilium:
		return ciliumDialect()
	case KubeVIP:
		return kubeVIPDialect()
	case MetalLB:
	}
	return metalLBDialect()
}

// work is a conversion that goes on.
type work struct {
	Result

	services   []*corev1.Service
	namespaces map[string]*corev1.Namespace
	// used are the addresses that Services have by their status.
	used   []netip.Addr
	drafts []*draft
}

// From converts what a tool's pools and Services say. Objects of other kinds do not
// matter. Services and Namespaces say what is in use, and by whom: without them, less
// can be converted, and nothing be checked.
func From(tool Tool, objects []unstructured.Unstructured) *Result {
	of := dialectOf(tool)
	w := &work{namespaces: map[string]*corev1.Namespace{}}
	for i := range objects {
		w.readCore(&objects[i])
	}
	slices.SortFunc(w.services, func(a, b *corev1.Service) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, service := range w.services {
		w.used = append(w.used, shown(service)...)
	}
	for i := range objects {
		group := objects[i].GroupVersionKind().GroupKind()
		if slices.ContainsFunc(of.kinds, func(k Kind) bool {
			return schema.GroupKind{Group: k.Group, Kind: k.Kind} == group
		}) {
			of.read(w, &objects[i])
		}
	}
	w.finish()
	w.edit(&of.asks)
	w.check()
	return &w.Result
}

// readCore keeps Services of type LoadBalancer, and Namespaces.
func (w *work) readCore(object *unstructured.Unstructured) {
	if object.GroupVersionKind().Group != "" {
		return
	}
	switch object.GetKind() {
	case "Service":
		service := &corev1.Service{}
		if w.decode(object, object.Object, service) && service.Spec.Type == corev1.ServiceTypeLoadBalancer {
			w.services = append(w.services, service)
		}
	case "Namespace":
		namespace := &corev1.Namespace{}
		if w.decode(object, object.Object, namespace) {
			w.namespaces[namespace.Name] = namespace
		}
	}
}

// decode reads an object, or a part of it.
func (w *work) decode(object *unstructured.Unstructured, part, into any) bool {
	content, _ := part.(map[string]any)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, into); err != nil {
		w.losef(nameOf(object), "can't be read, and is left out: %v", err)
		return false
	}
	return true
}

// nameOf names an object for people.
func nameOf(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetKind() + " " + object.GetName()
	}
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

func nameOfService(service *corev1.Service) string {
	return "Service " + service.Namespace + "/" + service.Name
}

// labelsOf returns those of a namespace: of one that is not known, what all have.
func (w *work) labelsOf(namespace string) map[string]string {
	if known := w.namespaces[namespace]; known != nil {
		return known.Labels
	}
	return map[string]string{corev1.LabelMetadataName: namespace}
}

// shown returns the addresses that a Service has by its status.
func shown(service *corev1.Service) []netip.Addr {
	var found []netip.Addr
	for i := range service.Status.LoadBalancer.Ingress {
		if address, err := netip.ParseAddr(service.Status.LoadBalancer.Ingress[i].IP); err == nil {
			found = append(found, address.Unmap())
		}
	}
	return found
}

// pinned selects namespaces by their names.
func pinned(names []string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: names},
	}}
}

// newPool returns a pool that is written whole, as people would.
func newPool(name string) *servicenetv1alpha1.LoadBalancerPool {
	return &servicenetv1alpha1.LoadBalancerPool{
		TypeMeta: metav1.TypeMeta{
			APIVersion: servicenetv1alpha1.GroupVersion.String(), Kind: "LoadBalancerPool",
		},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
}
