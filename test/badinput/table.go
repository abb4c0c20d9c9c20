// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Case is a Service that is refused with the code 422 and the reason Invalid.
type Case struct {
	Name string
	// Service is created, or is what Old, which is stored, is to become.
	Service, Old *corev1.Service
	// Given are Services that exist.
	Given []*corev1.Service
	// SingleStack tells that the API server has IPv4 only.
	SingleStack bool
	// NoExternalIPs tells that external IPs are not allowed.
	NoExternalIPs bool
	// Want are the causes of the answer, of which the message is a part.
	Want []metav1.StatusCause
	// Stock is what the API server answers by itself.
	Stock Stock
}

// Stock is an answer of the API server by itself: its code, and the type and the
// field of its first cause, as far as it has one.
type Stock struct {
	Code  int32
	Type  metav1.CauseType
	Field string
}

// The types of causes.
const (
	invalid      = metav1.CauseTypeFieldValueInvalid
	notSupported = metav1.CauseTypeFieldValueNotSupported
	duplicate    = metav1.CauseTypeFieldValueDuplicate
	forbidden    = metav1.CauseType("FieldValueForbidden")

	clusterIP    = corev1.ServiceTypeClusterIP
	nodePort     = corev1.ServiceTypeNodePort
	loadBalancer = corev1.ServiceTypeLoadBalancer
	externalName = corev1.ServiceTypeExternalName

	v4, v6  = corev1.IPv4Protocol, corev1.IPv6Protocol
	prefer  = corev1.IPFamilyPolicyPreferDualStack
	require = corev1.IPFamilyPolicyRequireDualStack
	single  = corev1.IPFamilyPolicySingleStack

	tcp, udp = corev1.ProtocolTCP, corev1.ProtocolUDP
)

// because returns the only cause of an answer.
func because(kind metav1.CauseType, field, message string) []metav1.StatusCause {
	return []metav1.StatusCause{{Type: kind, Field: field, Message: message}}
}

// same is the answer of an API server that refuses as is done here.
func same(kind metav1.CauseType, field string) Stock { return Stock{422, kind, field} }

// accepted is the answer of an API server that sees nothing wrong.
func accepted() Stock { return Stock{Code: 201} }

// broken is the answer of an API server that takes what is wrong for its own fault.
func broken() Stock { return Stock{Code: 500} }

const (
	ipsField    = "spec.clusterIPs"
	portField   = "spec.ports[0].nodePort"
	healthField = "spec.healthCheckNodePort"
	policyField = "spec.ipFamilyPolicy"
)

// Table returns all cases.
func Table() []Case {
	var all []Case
	for _, some := range [...]func() []Case{
		addressCases, writingCases, familyCases, portCases, strangeCases, sharingCases, healthCases, changeCases, otherCases,
		balancerCases, balancerWritingCases,
	} {
		all = append(all, some()...)
	}
	return all
}
