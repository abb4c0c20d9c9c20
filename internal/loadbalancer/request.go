// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	netutils "k8s.io/utils/net"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Port is what two Services with one address can't both have.
type Port struct {
	Protocol corev1.Protocol
	Port     int32
}

func (p Port) String() string { return fmt.Sprintf("%d/%s", p.Port, p.Protocol) }

// Digest stands for something that is only ever compared. The zero one is nothing.
type Digest [12]byte

// Request is what a Service asks for.
type Request struct {
	// Families are those that it needs an address of each, in its own order.
	Families []corev1.IPFamily
	// AnyFamily tells that it is content with an address of one of them
	// (PreferDualStack).
	AnyFamily bool
	// Named are the addresses that it is to have, of these families.
	Named []netip.Addr
	// Pool is where its addresses are to be from; empty if that is all the same.
	Pool string
	// Key lets it share addresses with Services that have the same one; empty if it
	// wants to be alone. CrossNamespace lets these be of other namespaces.
	Key            string
	CrossNamespace bool
	// Ports are what it needs of an address.
	Ports []Port
	// Local stands for its selector if its externalTrafficPolicy is Local: Services
	// that share an address must then lead to the same pods.
	Local Digest
	// Mode is the ipMode that it asks for; empty for that of the pool.
	Mode corev1.LoadBalancerIPMode
}

// Read returns what a Service asks for, and what is wrong with it: then nothing can be
// given to it until that is put right.
func Read(service *corev1.Service) (Request, []string) {
	r := Request{
		Families:       families(service),
		Key:            service.Annotations[servicenetv1alpha1.SharingKeyAnnotation],
		CrossNamespace: service.Annotations[servicenetv1alpha1.SharingCrossNamespaceAnnotation] == "true",
	}
	policy := service.Spec.IPFamilyPolicy
	r.AnyFamily = len(r.Families) > 1 && policy != nil && *policy == corev1.IPFamilyPolicyPreferDualStack
	if service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		r.Local = digestOf(service.Spec.Selector)
	}
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		r.Ports = append(r.Ports, Port{cmp.Or(port.Protocol, corev1.ProtocolTCP), port.Port})
	}
	return r, slices.Concat(r.readAddresses(service), r.readPool(service), r.readMode(service))
}

// families returns those of a Service. One without comes from an API server that knew
// one family alone.
func families(service *corev1.Service) []corev1.IPFamily {
	if len(service.Spec.IPFamilies) > 0 {
		return service.Spec.IPFamilies
	}
	return []corev1.IPFamily{corev1.IPv4Protocol}
}

// FamilyOf returns the family of an address.
func FamilyOf(address netip.Addr) corev1.IPFamily {
	if address.Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

// readAddresses reads the addresses that a Service names, in the annotation or in the
// field, which then must not contradict it.
func (r *Request) readAddresses(service *corev1.Service) (faults []string) {
	text := service.Annotations[servicenetv1alpha1.LoadBalancerIPsAnnotation]
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			faults = append(faults, r.addAddress("annotation "+servicenetv1alpha1.LoadBalancerIPsAnnotation, part)...)
		}
	}
	field := service.Spec.LoadBalancerIP
	if field == "" {
		return faults
	}
	address, ok := parse(field)
	if text != "" && ok && !slices.Contains(r.Named, address) {
		return append(faults, fmt.Sprintf("spec.loadBalancerIP is %s and annotation %s is %q: leave one of them out",
			address, servicenetv1alpha1.LoadBalancerIPsAnnotation, text))
	}
	return append(faults, r.addAddress("spec.loadBalancerIP", field)...)
}

func (r *Request) addAddress(of, text string) []string {
	address, ok := parse(text)
	switch {
	case !ok:
		return []string{fmt.Sprintf("%s has %q, which is no address", of, text)}
	case !slices.Contains(r.Families, FamilyOf(address)):
		return []string{fmt.Sprintf("%s has %s, and the ipFamilies of the Service are %s", of, address, join(r.Families))}
	case !slices.Contains(r.Named, address):
		r.Named = append(r.Named, address)
	}
	return nil
}

// parse reads an address as the API server does, which takes zeros in front of numbers.
func parse(text string) (netip.Addr, bool) {
	address, ok := netip.AddrFromSlice(netutils.ParseIPSloppy(text))
	return address.Unmap(), ok
}

func (r *Request) readPool(service *corev1.Service) []string {
	const key = servicenetv1alpha1.LoadBalancerPoolKey
	annotation, label := service.Annotations[key], service.Labels[key]
	r.Pool = cmp.Or(annotation, label)
	switch {
	case annotation != "" && label != "" && annotation != label:
		return []string{fmt.Sprintf("annotation %s is %q and the label is %q: leave one of them out", key, annotation, label)}
	case r.Pool != "" && len(validation.IsDNS1123Subdomain(r.Pool)) > 0:
		return []string{fmt.Sprintf("%s is %q, which is no name of a pool", key, r.Pool)}
	}
	return nil
}

func (r *Request) readMode(service *corev1.Service) []string {
	const key = servicenetv1alpha1.IPModeAnnotation
	r.Mode = corev1.LoadBalancerIPMode(service.Annotations[key])
	switch r.Mode {
	case "", corev1.LoadBalancerIPModeVIP, corev1.LoadBalancerIPModeProxy:
		return nil
	default:
		return []string{fmt.Sprintf("annotation %s is %q: allowed are %s and %s", key, r.Mode,
			corev1.LoadBalancerIPModeVIP, corev1.LoadBalancerIPModeProxy)}
	}
}

// digestOf stands for a selector, also for one that is empty.
func digestOf(selector map[string]string) Digest {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(selector)) {
		text.WriteString(key + "=" + selector[key] + ",")
	}
	sum := sha256.Sum256([]byte(text.String()))
	return Digest(sum[:])
}

// join lists words of any kind.
func join[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}

// Of returns the named addresses of a family.
func (r *Request) Of(family corev1.IPFamily) []netip.Addr {
	var named []netip.Addr
	for _, address := range r.Named {
		if FamilyOf(address) == family {
			named = append(named, address)
		}
	}
	return named
}
