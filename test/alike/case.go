// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package alike

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/test/badinput"
)

// Case is a sequence of requests, which begins without Services in their namespace.
type Case struct {
	Name string
	// For tells which API servers it is for; nil is all of them.
	For func(*Net) bool
	// Steps returns the requests.
	Steps func(*Net) []Step
	// Differs is what is answered otherwise, if something is.
	Differs *Difference
}

// Difference is a step that comes to something else with the webhooks. What comes after
// it is not compared.
type Difference struct {
	// Step is its index.
	Step int
	// Stock and Ours are what the outcomes, as Narrator tells them, begin with.
	Stock, Ours string
	// Why is why, for people.
	Why string
}

// Step is a request.
type Step struct {
	Verb Verb
	// Service is what is sent. For Patch and Delete its name counts.
	Service *corev1.Service
	// Patch is what is sent of a Patch, and Type its content type.
	Patch, Type string
	DryRun      bool
}

// Verb is what a Step does.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	// Put replaces what is stored, of the version that was seen last.
	Put Verb = "put"
	// Blind replaces whatever is stored, or creates it.
	Blind Verb = "put whatever is there"
	// Stale replaces a version that is not there any more.
	Stale Verb = "put over what is gone"
	Patch Verb = "patch"
	// Apply is server-side.
	Apply  Verb = "apply"
	Delete Verb = "delete"
	// Status patches the status.
	Status Verb = "patch the status"
)

// Content types of patches.
const (
	Merge     = "application/merge-patch+json"
	Strategic = "application/strategic-merge-patch+json"
	JSON      = "application/json-patch+json"
)

// Net is the addresses of an API server.
type Net struct {
	// Primary and Secondary are its families; an API server with one has no secondary.
	Primary, Secondary corev1.IPFamily
}

// Dual tells whether it has two families.
func Dual(n *Net) bool { return n.Secondary != "" }

// Single tells whether it has one.
func Single(n *Net) bool { return n.Secondary == "" }

// One returns an address of the primary family that nobody has, by its number, and Two
// one of the secondary family.
func (n *Net) One(i string) string { return address(n.Primary, i) }

// Two returns an address of the secondary family.
func (n *Net) Two(i string) string { return address(n.Secondary, i) }

func address(family corev1.IPFamily, i string) string {
	if family == corev1.IPv4Protocol {
		return "10.96.9." + i
	}
	return "fd00::9" + i
}

// create, put and the like return steps.
func create(service *corev1.Service) Step { return Step{Verb: Create, Service: service} }
func put(service *corev1.Service) Step    { return Step{Verb: Put, Service: service} }
func blind(service *corev1.Service) Step  { return Step{Verb: Blind, Service: service} }
func apply(service *corev1.Service) Step  { return Step{Verb: Apply, Service: service} }

func remove() Step { return Step{Verb: Delete, Service: web(clusterIP)} }

func merge(patch string) Step { return patched(Merge, patch) }

func patched(kind, patch string) Step {
	return Step{Verb: Patch, Service: web(clusterIP), Patch: patch, Type: kind}
}

func dry(step Step) Step {
	step.DryRun = true
	return step
}

// web returns a Service as most steps send it.
func web(kind corev1.ServiceType, options ...badinput.Option) *corev1.Service {
	return badinput.Make("free", "web", kind, options...)
}

// other is the name of another Service.
func other(s *corev1.Service) { s.Name = "other" }

func always(steps ...Step) func(*Net) []Step { return func(*Net) []Step { return steps } }

const (
	clusterIP    = corev1.ServiceTypeClusterIP
	nodePort     = corev1.ServiceTypeNodePort
	loadBalancer = corev1.ServiceTypeLoadBalancer
	externalName = corev1.ServiceTypeExternalName

	single  = corev1.IPFamilyPolicySingleStack
	prefer  = corev1.IPFamilyPolicyPreferDualStack
	require = corev1.IPFamilyPolicyRequireDualStack

	tcp, udp = corev1.ProtocolTCP, corev1.ProtocolUDP
)

func types() []corev1.ServiceType {
	return []corev1.ServiceType{clusterIP, nodePort, loadBalancer, externalName}
}

// Node ports of a case. See apart.
const (
	portA int32 = iota + 1
	portB
	portC
	portD
	portE
	portsEnd
)

// Table returns all cases.
func Table() []Case {
	all := slices.Concat(typeCases(), familyCases())
	// What has nothing to do with families is done on one API server.
	for _, of := range slices.Concat(
		patchedTypeCases(), portCases(), healthCases(), replaceCases(), patchCases(), lifeCases(), dryCases(),
	) {
		of.For = Dual
		all = append(all, of)
	}
	for i := range all {
		all[i].Steps = apart(all[i].Steps, int32(i))
	}
	return all
}

// apart gives a case node ports of its own: the API server lets go of one some time
// after its Service, and the next case would wait for that.
func apart(steps func(*Net) []Step, index int32) func(*Net) []Step {
	const first = 31000
	of := func(port int32) int32 {
		if port <= 0 || port >= portsEnd {
			return port
		}
		return first + index*portsEnd + port
	}
	return func(n *Net) []Step {
		all := steps(n)
		for i := range all {
			all[i].Patch = strings.ReplaceAll(all[i].Patch, "$C", strconv.Itoa(int(of(portC))))
			all[i].Service = all[i].Service.DeepCopy()
			spec := &all[i].Service.Spec
			spec.HealthCheckNodePort = of(spec.HealthCheckNodePort)
			for j := range spec.Ports {
				spec.Ports[j].NodePort = of(spec.Ports[j].NodePort)
			}
		}
		return all
	}
}
