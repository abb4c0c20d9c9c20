// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Tenant is a Service that has a load-balancer address, alone or beside others.
type Tenant struct {
	UID types.UID
	// Service is its name, of which a block may have kept no more than the digest.
	Service Subject
	Terms
	// namespace tells namespaces apart, also where the name was left out.
	namespace mark
}

// Terms say with whom a Service shares an address.
type Terms struct {
	// Key is what all that share an address have. A Service without one has its
	// addresses alone.
	Key SharingKey
	// CrossNamespace lets the Service share with those of other namespaces that let
	// themselves too.
	CrossNamespace bool
	// Node tells that the address is a node's. Whoever has it as such shares it with
	// all others that do, of any namespace and without a key, as long as no port is
	// wanted twice.
	Node bool
	// Sockets are the ports that the Service has on the address, which NewTenant puts
	// in order.
	Sockets []Socket
	// Selector stands for the Pods that the Service sends traffic to, where that
	// goes to Pods of its own node alone (externalTrafficPolicy Local). It is zero
	// where traffic goes to any. It is equal for Services that share an address.
	Selector Digest
}

// mark stands for a name where nothing is gained by finding another that has the
// same one, such as a namespace of one's own for that of others. Its 64 bits are
// too many to find one for a given name.
type mark [8]byte

func markOf(text string) (m mark) {
	sum := sha256.Sum256([]byte(text))
	return mark(sum[:len(m)])
}

// SharingKey stands for what Services that share addresses name as their key.
type SharingKey mark

// SharingKeyOf returns the key of this name, and that of nobody if it is empty.
func SharingKeyOf(name string) SharingKey {
	if name == "" {
		return SharingKey{}
	}
	return SharingKey(markOf(name))
}

// DigestOf returns the digest that stands for a text, such as a selector.
func DigestOf(text string) Digest {
	sum := sha256.Sum256([]byte(text))
	return Digest(sum[:])
}

// Socket is a port of a protocol. Sockets count from those of the first protocol.
type Socket uint32

const portBits = 16

// protocols are written as their index.
func protocols() [3]corev1.Protocol {
	return [...]corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}
}

// socketEnd is beyond all sockets.
const socketEnd = 3 << portBits

// SocketOf returns the socket of a protocol, TCP if it is none that there is, and
// a port.
func SocketOf(protocol corev1.Protocol, port int32) Socket {
	all := protocols()
	return Socket(max(slices.Index(all[:], protocol), 0)<<portBits | int(uint16(port))) //nolint:gosec // of 18 bits
}

// Protocol returns the protocol of a socket.
func (s Socket) Protocol() corev1.Protocol { return protocols()[s>>portBits%3] }

// Port returns the port of a socket.
func (s Socket) Port() int32 { return int32(uint16(s)) } //nolint:gosec // the port is the lower half

func (s Socket) String() string { return fmt.Sprintf("%d/%s", s.Port(), s.Protocol()) }

// NewTenant returns the tenant that a Service is, on these terms.
func NewTenant(service Owner, terms Terms) Tenant {
	sockets := slices.Clone(terms.Sockets)
	slices.Sort(sockets)
	terms.Sockets = slices.Compact(sockets)
	return Tenant{UID: service.UID, Service: SubjectOf(service.NamespacedName), Terms: terms, namespace: markOf(service.Namespace)}
}

// isProper tells whether the sockets are such as NewTenant makes of them. Others could
// not be read again.
func (t Tenant) isProper() bool {
	for i, socket := range t.Sockets {
		if socket >= socketEnd || i > 0 && t.Sockets[i-1] >= socket {
			return false
		}
	}
	return true
}

// Equal tells whether two tenants are one Service on equal terms.
func (t Tenant) Equal(other Tenant) bool {
	return t.UID == other.UID && t.Service.digest == other.Service.digest && t.namespace == other.namespace && t.equal(&other.Terms)
}

func (t *Terms) equal(other *Terms) bool {
	return t.Key == other.Key && t.CrossNamespace == other.CrossNamespace && t.Node == other.Node &&
		t.Selector == other.Selector && slices.Equal(t.Sockets, other.Sockets)
}

// excludes tells why a tenant may not have an address together with another, and
// for PortTaken which it is. It is nothing if they may.
func (t Tenant) excludes(other *Tenant) (Refusal, Socket) {
	if reason := t.estranged(other); reason != "" {
		return reason, 0
	}
	if socket, both := common(t.Sockets, other.Sockets); both {
		return PortTaken, socket
	}
	return "", 0
}

// estranged is excludes without a look at the ports.
func (t Tenant) estranged(other *Tenant) Refusal {
	switch {
	case t.Node && other.Node:
		return ""
	case t.Node != other.Node:
		return OtherKey
	case t.Key == SharingKey{}:
		return NoKey
	case other.Key == SharingKey{}:
		return Alone
	case t.Key != other.Key:
		return OtherKey
	case t.namespace != other.namespace && (!t.CrossNamespace || !other.CrossNamespace):
		return OtherNamespace
	case t.Selector != other.Selector:
		return OtherSelector
	default:
		return ""
	}
}

// common returns the first socket that is in both of two sets, which are in their
// order.
func common(a, b []Socket) (Socket, bool) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			return a[0], true
		}
	}
	return 0, false
}
