// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"strings"

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
	version                 bool
	zap                     zap.Options
}

func newSettings() *settings {
	s := &settings{flags: pflag.NewFlagSet("manager", pflag.ContinueOnError)}
	s.flags.Usage = func() {} // run prints it, where it belongs
	s.flags.SortFlags = false
	s.addControllerFlags()
	s.addServingFlags()
	s.addLogFlags()
	return s
}

func (s *settings) addControllerFlags() {
	o := &s.controllers
	o.Controllers = []string{controllers.AllControllers}
	o.EndpointsMode = controllers.EndpointsOn
	o.ConcurrentServiceEndpointSyncs = controllers.DefaultConcurrentServiceEndpointSyncs
	o.MaxEndpointsPerSlice = controllers.DefaultMaxEndpointsPerSlice
	s.flags.Var(&selectionValue{target: &o.Controllers}, "controllers",
		"Controllers to run: '*' for all, 'name' for one, '-name' to leave one out; comma-separated. "+
			"There are: "+strings.Join(controllers.Names(), ", "))
	s.flags.Var(&value[controllers.EndpointsMode]{&o.EndpointsMode, "mode", endpointsMode}, "endpoints-mode",
		"Whether the endpoint controllers act: 'on' when nobody else writes endpoints, "+
			"'off' when the cluster's kube-controller-manager does")
	s.flags.Var(&value[int]{&o.ConcurrentServiceEndpointSyncs, "int", wholeNumber(1, controllers.MaxConcurrentServiceEndpointSyncs)},
		"concurrent-service-endpoint-syncs", "Services whose endpoints are worked on at a time, 1 to 50")
	s.flags.Var(&value[int]{&o.MaxEndpointsPerSlice, "int", wholeNumber(1, controllers.MaxMaxEndpointsPerSlice)},
		"max-endpoints-per-slice", "Endpoints in one EndpointSlice at most, 1 to 1000. More make fewer, larger objects")
	s.flags.Var(&value[float32]{&o.KubeAPIQPS, "float", rate}, "kube-api-qps",
		"Requests a second to the API server. 0 sets no limit: the server's Priority and Fairness paces the manager")
	s.flags.Var(&value[int]{&o.KubeAPIBurst, "int", wholeNumber(0, math.MaxInt32)}, "kube-api-burst",
		"Requests that may go out at once when --kube-api-qps sets a limit. 0 means 1.5 times that limit")
	s.addSwitch(new(bool), "enable-webhooks", noWebhooks,
		"Serve the admission webhooks. This build has none, so only 'false' is allowed")
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
	return s.controllers.Validate()
}

func (s *settings) printUsage(out io.Writer) {
	const width = 100
	fmt.Fprintf(out, "The Kubernetes Service control plane as one controller-manager.\n\nUsage:\n  manager [flags]\n\nFlags:\n%s",
		s.flags.FlagUsagesWrapped(width))
}
