// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/pool"
)

// The API server is asked, in dry runs, for every combination of the fields that
// decide on the node ports of a Service, and so is pool.DecidePorts.
var _ = Describe("The node ports that a Service needs", func() {
	It("are those that the API server allocates", func(ctx SpecContext) {
		server, err := controlplane.Start(ctx, controlplane.Options{NoServiceAccountAdmission: true})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		reader, err := client.New(server.RESTConfig(), client.Options{})
		Expect(err).NotTo(HaveOccurred())
		judge := portJudge{reader}

		By("creating Services")
		judge.compare(ctx, nil, everyPortSpec(portFree))

		for i, spec := range oldPortSpecs() {
			By("changing " + describePorts(&spec))
			old := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("old-", i)}, Spec: spec}
			Expect(reader.Create(ctx, old)).To(Succeed())
			own := int32(portFree)
			if len(old.Spec.Ports) > 0 && old.Spec.Ports[0].NodePort != 0 {
				own = old.Spec.Ports[0].NodePort
			}
			judge.compare(ctx, old, everyPortSpec(own))
		}
	})
})

// Ports that Services name. Dry runs give out those that follow the highest one
// named so far.
const portFree, portNamed, portOther, portOfChecks = 32300, 32200, 32100, 32000

// portJudge compares what the API server and pool.DecidePorts say.
type portJudge struct {
	client.Client
}

// compare compares the answers to all specs, and shows the first few that differ.
func (j portJudge) compare(ctx context.Context, old *corev1.Service, specs []corev1.ServiceSpec) {
	GinkgoHelper()
	different, alike := make([]string, len(specs)), make([]bool, len(specs))
	var group errgroup.Group
	group.SetLimit(8)
	for i := range specs {
		group.Go(func() error {
			server, told, err := j.askServer(ctx, old, specs[i].DeepCopy())
			if own := askPorts(old, &specs[i]); told && own != server {
				different[i] = fmt.Sprintf("%s\n\tserver: %s\n\tours:   %s", describePorts(&specs[i]), server, own)
			}
			alike[i] = told
			return err
		})
	}
	Expect(group.Wait()).To(Succeed())
	Expect(alike).To(ContainElement(true))
	different = slices.DeleteFunc(different, func(line string) bool { return line == "" })
	Expect(different[:min(len(different), 20)]).To(BeEmpty(), "%d of %d", len(different), len(specs))
}

// taken is the answer to a port that a Service names for two of its ports.
const taken = "taken"

// askServer tells what the server allocates, if it comes to that: of a Service that
// it refuses for other reasons it tells nothing.
func (j portJudge) askServer(ctx context.Context, old *corev1.Service, spec *corev1.ServiceSpec) (answer string, told bool, err error) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "asked"}, Spec: *spec}
	had := map[int32]bool{}
	write := func() error { return j.Create(ctx, service, client.DryRunAll) }
	if old != nil {
		service.Name = old.Name
		had = portsOf(&old.Spec)
		write = func() error { return j.Update(ctx, service, client.DryRunAll) }
	}
	named := portsOf(spec)
	err = write()
	var refused apierrors.APIStatus
	switch {
	case err == nil:
		return describeAllocated(portsOf(&service.Spec), had, named), true, nil
	case strings.Contains(err.Error(), "already allocated") || strings.Contains(err.Error(), "duplicate nodePort"):
		return taken, true, nil
	case errors.As(err, &refused) && apierrors.IsInvalid(err):
		return "", false, nil
	}
	return "", false, err
}

// describeAllocated says which ports were given that the Service did not have: those
// named, and how many others.
func describeAllocated(ports, had, named map[int32]bool) string {
	var given []int32
	others := 0
	for port := range ports {
		switch {
		case had[port]:
		case named[port]:
			given = append(given, port)
		default:
			others++
		}
	}
	slices.Sort(given)
	return fmt.Sprintf("%v and %d others", given, others)
}

func askPorts(old *corev1.Service, spec *corev1.ServiceSpec) string {
	needs, faults := pool.DecidePorts(&corev1.Service{Spec: *spec}, old)
	if len(faults) > 0 {
		return taken
	}
	given, named := map[int32]bool{}, map[int32]bool{}
	for i := range needs {
		port := int32(needs[i].Port)
		named[port] = port != 0
		if port == 0 {
			port = -int32(i) - 1
		}
		given[port] = true
	}
	return describeAllocated(given, nil, named)
}

// portsOf returns the node ports of a Service.
func portsOf(spec *corev1.ServiceSpec) map[int32]bool {
	ports := map[int32]bool{spec.HealthCheckNodePort: true}
	for i := range spec.Ports {
		ports[spec.Ports[i].NodePort] = true
	}
	delete(ports, 0)
	return ports
}

func describePorts(spec *corev1.ServiceSpec) string {
	words := []string{string(spec.Type), string(spec.ExternalTrafficPolicy), fmt.Sprint("health ", spec.HealthCheckNodePort)}
	if spec.AllocateLoadBalancerNodePorts != nil {
		words = append(words, "none by itself")
	}
	for i := range spec.Ports {
		port := &spec.Ports[i]
		words = append(words, fmt.Sprintf("%s:%d/%s=%d", port.Name, port.Port, port.Protocol, port.NodePort))
	}
	return strings.Join(words, " ")
}

// everyPortSpec returns all combinations of one port and a second, for a Service that
// may have a node port.
func everyPortSpec(own int32) (specs []corev1.ServiceSpec) {
	port := func(name string, number int32, protocol corev1.Protocol, nodePort int32) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Port: number, Protocol: protocol, NodePort: nodePort}
	}
	var lists [][]corev1.ServicePort
	for _, first := range []int32{0, own, portNamed} {
		for _, second := range []int32{0, own, portNamed, portOther} {
			for _, name := range []string{"b", "c"} {
				lists = append(lists,
					[]corev1.ServicePort{port("a", 53, "TCP", first), port(name, 53, "UDP", second)},
					[]corev1.ServicePort{port("a", 53, "TCP", first), port(name, 54, "UDP", second)},
					[]corev1.ServicePort{port(name, 53, "TCP", first), port("a", 54, "TCP", second)},
				)
			}
		}
	}
	for _, ports := range lists {
		specs = append(specs,
			corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Ports: ports},
			corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Ports: ports},
			corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: ports},
			corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: ports, AllocateLoadBalancerNodePorts: new(false)},
		)
		for _, check := range []int32{0, own, portNamed, portOfChecks} {
			specs = append(specs, corev1.ServiceSpec{
				Type: corev1.ServiceTypeLoadBalancer, Ports: ports,
				ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal, HealthCheckNodePort: check,
			})
		}
	}
	return specs
}

// oldPortSpecs returns Services to change.
func oldPortSpecs() []corev1.ServiceSpec {
	spec := func(kind corev1.ServiceType, nodePort int32) corev1.ServiceSpec {
		return corev1.ServiceSpec{Type: kind, Ports: []corev1.ServicePort{
			{Name: "a", Port: 53, Protocol: corev1.ProtocolTCP, NodePort: nodePort}, {Name: "b", Port: 53, Protocol: corev1.ProtocolUDP},
		}}
	}
	local, without := spec(corev1.ServiceTypeLoadBalancer, 31004), spec(corev1.ServiceTypeLoadBalancer, 31005)
	local.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	without.AllocateLoadBalancerNodePorts = new(false)
	two := spec(corev1.ServiceTypeNodePort, 31002)
	two.Ports[1].NodePort = 31003
	return []corev1.ServiceSpec{
		{Type: corev1.ServiceTypeExternalName, ExternalName: "db.example.com"},
		spec(corev1.ServiceTypeClusterIP, 0), spec(corev1.ServiceTypeNodePort, 31001), two,
		spec(corev1.ServiceTypeLoadBalancer, 0), local, without,
	}
}
