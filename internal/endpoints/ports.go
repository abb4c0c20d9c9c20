// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// portKey is a port by value: the API type holds a pointer, so that equal ports
// of two objects differ. The zero key stands for the ports of a subset that has
// none.
type portKey struct {
	number         int32
	name           string
	protocol       corev1.Protocol
	appProtocol    string
	hasAppProtocol bool
}

// portKeys returns the keys of a subset's ports. A number that cannot be (the API
// server refuses it) counts as no port.
func portKeys(ports []corev1.EndpointPort) []portKey {
	if len(ports) == 0 {
		return []portKey{{}}
	}
	keys := make([]portKey, 0, len(ports))
	for i := range ports {
		port := &ports[i]
		if port.Port <= 0 {
			keys = append(keys, portKey{})
			continue
		}
		key := portKey{number: port.Port, name: port.Name, protocol: port.Protocol}
		if port.AppProtocol != nil {
			key.appProtocol, key.hasAppProtocol = *port.AppProtocol, true
		}
		keys = append(keys, key)
	}
	return keys
}

func (k portKey) none() bool { return k == portKey{} }

// port returns the port of a key other than the zero one.
func (k portKey) port() corev1.EndpointPort {
	port := corev1.EndpointPort{Name: k.name, Port: k.number, Protocol: k.protocol}
	if k.hasAppProtocol {
		port.AppProtocol = new(k.appProtocol)
	}
	return port
}

// compare orders ports from the highest number down, so that the zero key comes
// last.
func (k portKey) compare(other portKey) int {
	return cmp.Or(
		cmp.Compare(other.number, k.number),
		strings.Compare(k.name, other.name),
		cmp.Compare(k.protocol, other.protocol),
		strings.Compare(k.appProtocol, other.appProtocol),
		compareBool(k.hasAppProtocol, other.hasAppProtocol),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
