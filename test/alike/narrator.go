// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package alike

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Narrator tells the outcomes of the steps of one case, in words that are the same
// whichever numbers were given out: a number that no step names is called by the order
// in which it came up, so that it shows whether one stayed or changed.
type Narrator struct {
	named map[string]bool
	names map[string]string
	count map[string]int
}

// NewNarrator returns one for the steps of a case.
func NewNarrator(steps []Step) *Narrator {
	n := &Narrator{named: map[string]bool{}, names: map[string]string{}, count: map[string]int{}}
	for i := range steps {
		for _, number := range numbersOf(steps[i].Service) {
			n.named[number] = true
		}
		isNone := func(r rune) bool { return !strings.ContainsRune("0123456789abcdef.:", r) }
		for word := range strings.FieldsFuncSeq(steps[i].Patch, isNone) {
			n.named[strings.Trim(word, ":")] = true
		}
	}
	return n
}

func numbersOf(s *corev1.Service) []string {
	numbers := append([]string{s.Spec.ClusterIP, strconv.Itoa(int(s.Spec.HealthCheckNodePort))}, s.Spec.ClusterIPs...)
	for i := range s.Spec.Ports {
		numbers = append(numbers, strconv.Itoa(int(s.Spec.Ports[i].NodePort)))
	}
	return numbers
}

// Tell tells the outcome of a step: what is stored, or why not.
func (n *Narrator) Tell(stored *corev1.Service, err error) string {
	if err != nil {
		return tellError(err)
	}
	spec := &stored.Spec
	words := []string{"ok", string(spec.Type)}
	if spec.ClusterIP != first(spec.ClusterIPs) {
		words = append(words, "clusterIP="+n.address(spec.ClusterIP))
	}
	var addresses, ports []string
	for _, address := range spec.ClusterIPs {
		addresses = append(addresses, n.address(address))
	}
	for i := range spec.Ports {
		ports = append(ports, spec.Ports[i].Name+":"+n.port(spec.Ports[i].NodePort))
	}
	policy := "none"
	if spec.IPFamilyPolicy != nil {
		policy = string(*spec.IPFamilyPolicy)
	}
	words = append(words, fmt.Sprintf("IPs=%v families=%v policy=%s ports=%v", addresses, spec.IPFamilies, policy, ports))
	if spec.HealthCheckNodePort != 0 {
		words = append(words, "health="+n.port(spec.HealthCheckNodePort))
	}
	return strings.Join(words, " ")
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

func (n *Narrator) address(text string) string {
	address, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return text // None, or nothing
	case address.Is4():
		return n.call("IPv4", text)
	default:
		return n.call("IPv6", text)
	}
}

// port calls a port, and says if it is none that a node opens.
func (n *Narrator) port(number int32) string {
	const firstPort, lastPort = 30000, 32767
	switch {
	case number == 0:
		return "-"
	case number < firstPort || number > lastPort:
		return n.call("outside", strconv.Itoa(int(number)))
	default:
		return n.call("port", strconv.Itoa(int(number)))
	}
}

func (n *Narrator) call(kind, number string) string {
	if n.named[number] {
		return number
	}
	if n.names[number] == "" {
		n.count[kind]++
		n.names[number] = fmt.Sprintf("%s#%d", kind, n.count[kind])
	}
	return n.names[number]
}

// tellError tells the code, the reason, and the causes but for their words.
func tellError(err error) string {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return err.Error()
	}
	is := status.Status()
	words := []string{strconv.Itoa(int(is.Code)), cmp.Or(string(is.Reason), "without a reason")}
	if is.Details != nil && is.Code == 422 {
		var causes []string
		for _, cause := range is.Details.Causes {
			causes = append(causes, fmt.Sprintf("%s at %s", cause.Type, cause.Field))
		}
		slices.Sort(causes)
		words = append(words, strings.Join(slices.Compact(causes), ", "))
	}
	return strings.Join(words, " ")
}
