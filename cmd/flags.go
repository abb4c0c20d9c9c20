// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"servicenet.dev/servicenet/controllers"
)

// settings are what the flags say.
type settings struct {
	flags *pflag.FlagSet

	controllers             controllers.Options
	leaderElect             bool
	leaderElectionNamespace string
	metricsAddress          string
	metricsSecure           bool
	healthAddress           string
	webhooks                webhookSettings
	rotation                rotationSettings
	admissionPolicy         bool
	tls                     tlsSettings
	enableHTTP2             bool
	version                 bool
	zap                     zap.Options
}

func newSettings() *settings {
	s := &settings{flags: pflag.NewFlagSet("manager", pflag.ContinueOnError)}
	s.flags.Usage = func() {} // run prints it, where it belongs
	s.flags.SortFlags = false
	s.addControllerFlags()
	s.addServingFlags()
	s.addWebhookFlags()
	s.addRotationFlags()
	s.addTLSFlags()
	s.addLogFlags()
	return s
}

func (s *settings) addControllerFlags() {
	o := &s.controllers
	*o = controllers.DefaultOptions()
	s.flags.Var(&listValue{target: &o.Controllers, check: controllers.ValidateControllers, kind: "names"}, "controllers",
		"Controllers to run: '*' for all, 'name' for one, '-name' to leave one out; comma-separated. "+
			"There are: "+strings.Join(controllers.Names(), ", "))
	s.flags.Var(&value[controllers.EndpointsMode]{&o.EndpointsMode, "mode", endpointsMode}, "endpoints-mode",
		"Whether the endpoint controllers act: 'on' when nobody else writes endpoints, "+
			"'off' when the cluster's kube-controller-manager does, 'auto' to find out: each acts while nobody else does the same")
	s.addPeriod(&o.EndpointsQuietPeriod, controllers.ShortestEndpointsQuietPeriod, math.MaxInt64, "endpoints-quiet-period",
		"With --endpoints-mode=auto, for how long nobody else must have been seen to write endpoints before the controllers act")
	s.flags.Var(&listValue{target: &o.KubeControllerManagerLeases, check: controllers.ValidateLeases, kind: "Leases"},
		"kube-controller-manager-leases",
		"With --endpoints-mode=auto, the Leases as namespace/name by which kube-controller-manager chooses a leader, "+
			"comma-separated: nothing begins to act while one of them is renewed")
	s.addNumber(&o.ConcurrentServiceEndpointSyncs, "concurrent-service-endpoint-syncs", controllers.MaxConcurrentSyncs,
		"Services whose EndpointSlices are worked on at a time, 1 to 50")
	s.addNumber(&o.ConcurrentEndpointSyncs, "concurrent-endpoint-syncs", controllers.MaxConcurrentSyncs,
		"Services whose Endpoints are worked on at a time, 1 to 50")
	s.addNumber(&o.MirroringConcurrentServiceEndpointSyncs, "mirroring-concurrent-service-endpoint-syncs", controllers.MaxConcurrentSyncs,
		"Services whose Endpoints are mirrored at a time, 1 to 50")
	s.addNumber(&o.MaxEndpointsPerSlice, "max-endpoints-per-slice", controllers.MaxMaxEndpointsPerSlice,
		"Endpoints in one EndpointSlice at most, 1 to 1000. More make fewer, larger objects")
	s.addNumber(&o.MirroringMaxEndpointsPerSubset, "mirroring-max-endpoints-per-subset", controllers.MaxMirroringMaxEndpointsPerSubset,
		"Addresses mirrored of one subset of Endpoints at most, 1 to 1000")
	s.addBatchPeriod(&o.EndpointSliceUpdatesBatchPeriod, "endpointslice-updates-batch-period",
		"How long changes of pods are gathered before EndpointSlices are written, 0s to 1m")
	s.addBatchPeriod(&o.EndpointUpdatesBatchPeriod, "endpoint-updates-batch-period",
		"How long changes of pods are gathered before Endpoints are written, 0s to 1m")
	s.addNumber(&o.SliceMergeRate, "endpointslice-merge-rate", controllers.MaxSliceMergeRate,
		"Writes a second at most that merge sparse EndpointSlices of Services at rest, 1 to 1000")
	s.addPeriod(&o.MaxUpdatesGatherPeriod, time.Millisecond, controllers.LongestUpdatesBatchPeriod, "max-endpoint-updates-gather-period",
		"How long changes of pods that come in a burst are gathered at most, 1ms to 1m, where no batch period is set. "+
			"The first is published at once, one that takes an endpoint away within 100ms")
	s.addBatchPeriod(&o.MirroringEndpointSliceUpdatesBatchPeriod, "mirroring-endpointslice-updates-batch-period",
		"How long changes of mirrored EndpointSlices are gathered before they are put in order, 0s to 1m")
	s.addPeriod(&o.MinResyncPeriod, controllers.ShortestMinResyncPeriod, math.MaxInt64, "min-resync-period",
		"After how long a Service is looked at again without a reason: one to two times this, from the cache alone")
	s.addPeriod(&o.EndpointsCheckPeriod, controllers.ShortestEndpointsCheckPeriod, math.MaxInt64, "endpoints-check-period",
		"How often what is known of a Service is compared with the API server")
	s.addSwitch(&o.KeepOrphanedEndpoints, "keep-orphaned-endpoints", truth,
		"Leave EndpointSlices and Endpoints when their Service loses its selector or becomes an ExternalName")
	s.addLedgerFlags()
	s.flags.Var(&value[float32]{&o.KubeAPIQPS, "float", rate}, "kube-api-qps",
		"Requests a second to the API server. 0 sets no limit: the server's Priority and Fairness paces the manager")
	s.flags.Var(&value[int]{&o.KubeAPIBurst, "int", wholeNumber(0, math.MaxInt32)}, "kube-api-burst",
		"Requests that may go out at once when --kube-api-qps sets a limit. 0 means 1.5 times that limit")
}

// addLedgerFlags adds the flags of the controllers of numbers.
func (s *settings) addLedgerFlags() {
	o := &s.controllers
	o.Namespace = ownNamespace()
	s.flags.Var(&value[controllers.PortRange]{&o.ServiceNodePortRange, "range", portRange}, "service-node-port-range",
		"The range of node ports of the API server, as its flag of this name has it")
	s.addPeriod(&o.RepairInterval, controllers.ShortestRepairInterval, math.MaxInt64, "repair-interval",
		"How often the ledger of ClusterIPs and node ports is compared with all Services without a reason")
	s.admissionPolicy = true
	s.addSwitch(&s.admissionPolicy, "admission-policy", truth,
		"Keep exclusive pools, reservations and the range of node ports by ValidatingAdmissionPolicies, too, "+
			"which the API server obeys while no manager runs. 'false' removes them")
	s.addNumber(&o.ConcurrentServiceSyncs, "concurrent-service-syncs", controllers.MaxConcurrentSyncs,
		"Services of type LoadBalancer written at a time, 1 to 50")
	s.flags.Var(&value[string]{&o.LoadBalancerClass, "class", loadBalancerClass}, "load-balancer-class",
		"The class of the Services of type LoadBalancer that get addresses of LoadBalancerPools")
	s.addSwitch(&o.LoadBalancerDefault, "load-balancer-default", truth,
		"Give addresses of LoadBalancerPools to Services without a class, too. Nobody else must then look after these")
	s.flags.Var(&value[string]{&o.Namespace, "name", namespaceName}, "namespace",
		"Namespace of the Leases that stand for what each replica has on loan of the ledger, "+
			"and of the Services that ask who writes endpoints. "+
			"The default is $POD_NAMESPACE, else the one the manager runs in, else "+controllers.DefaultNamespace)
}

func (s *settings) addServingFlags() {
	s.metricsAddress, s.metricsSecure, s.healthAddress = notServed, true, ":8081"
	s.flags.AddGoFlag(flag.CommandLine.Lookup(config.KubeconfigFlagName)) // registered by controller-runtime
	s.addSwitch(&s.leaderElect, "leader-elect", truth,
		"Let one of several replicas act at a time. The others keep their caches warm")
	s.flags.Var(&value[string]{&s.leaderElectionNamespace, "name", namespaceName}, "leader-election-namespace",
		"Namespace of the leader election Lease. Default: the one the manager runs in")
	s.flags.Var(&value[string]{&s.metricsAddress, "address", listenAddress}, "metrics-bind-address",
		"Address to serve metrics on, such as :8443. '0', the default, serves none")
	s.addSwitch(&s.metricsSecure, "metrics-secure", truth,
		"Serve metrics over HTTPS to authenticated and authorized clients only")
	s.flags.Var(&value[string]{&s.healthAddress, "address", listenAddress}, "health-probe-bind-address",
		"Address to serve /healthz and /readyz on. '0' serves none")
}

func (s *settings) addNumber(target *int, name string, highest int, usage string) {
	s.flags.Var(&value[int]{target, "int", wholeNumber(1, highest)}, name, usage)
}

func (s *settings) addBatchPeriod(target *time.Duration, name, usage string) {
	s.addPeriod(target, 0, controllers.LongestUpdatesBatchPeriod, name, usage)
}

func (s *settings) addPeriod(target *time.Duration, shortest, longest time.Duration, name, usage string) {
	s.flags.Var(&value[time.Duration]{target, "duration", period(shortest, longest)}, name, usage)
}

// addSwitch adds a flag that means true when it has no value.
func (s *settings) addSwitch(target *bool, name string, parse func(string) (bool, error), usage string) {
	s.flags.VarPF(&value[bool]{target, "bool", parse}, name, "", usage).NoOptDefVal = "true"
}

func (s *settings) addLogFlags() {
	var zapFlags flag.FlagSet
	s.zap.BindFlags(&zapFlags)
	s.flags.AddGoFlagSet(&zapFlags)
	s.addSwitch(&s.version, "version", truth, "Print the version and exit")
}

// parse reads the arguments. The error names the flag, its value and what is
// allowed.
func (s *settings) parse(args []string) error {
	if err := s.flags.Parse(args); err != nil {
		return err
	}
	if s.flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: the manager takes flags only", s.flags.Arg(0))
	}
	s.controllers.NoAdmissionPolicy = !s.admissionPolicy
	return s.controllers.Validate()
}

func (s *settings) printUsage(out io.Writer) {
	const width = 100
	fmt.Fprintf(out, "The Kubernetes Service control plane as one controller-manager.\n\n"+
		"Usage:\n  manager [flags]\n  manager convert metallb|cilium|kube-vip [flags]\n"+
		"  manager status [flags]\n  manager cleanup [flags]\n\nFlags:\n%s",
		s.flags.FlagUsagesWrapped(width))
}
