// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/validation"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/controllers"
)

// value is a pflag.Value that refuses a wrong value while the flags are parsed,
// so that pflag's message names the flag and the value beside what is allowed.
type value[T any] struct {
	target *T
	kind   string
	parse  func(text string) (T, error)
}

// String implements pflag.Value. pflag asks a zero value for its default.
func (v *value[T]) String() string {
	if v.target == nil {
		return ""
	}
	return fmt.Sprint(*v.target)
}

// Type implements pflag.Value: it stands behind the flag in the help.
func (v *value[T]) Type() string { return v.kind }

// Set implements pflag.Value.
func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err == nil {
		*v.target = parsed
	}
	return err
}

// wholeNumber parses a number in a range.
func wholeNumber(lowest, highest int) func(string) (int, error) {
	return func(text string) (int, error) {
		number, err := strconv.Atoi(text)
		if err != nil || number < lowest || number > highest {
			return 0, fmt.Errorf("allowed are whole numbers from %d to %d", lowest, highest)
		}
		return number, nil
	}
}

// rate parses a number of things a second, 0 for no limit.
func rate(text string) (float32, error) {
	const highest = 1e6
	number, err := strconv.ParseFloat(text, 32)
	inRange := number >= 0 && number <= highest // false for NaN too
	if err != nil || !inRange {
		return 0, fmt.Errorf("allowed are numbers from 0 to %d, 0 for no limit", int(highest))
	}
	return float32(number), nil
}

// period parses a length of time in a range. The longest there is means no limit.
func period(shortest, longest time.Duration) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		length, err := time.ParseDuration(text)
		switch {
		case err == nil && length >= shortest && length <= longest:
			return length, nil
		case longest == math.MaxInt64:
			return 0, fmt.Errorf("allowed are %s and more, such as 90s or 12h", shortest)
		default:
			return 0, fmt.Errorf("allowed are %s to %s, such as 500ms", shortest, longest)
		}
	}
}

func endpointsMode(text string) (controllers.EndpointsMode, error) {
	mode := controllers.EndpointsMode(text)
	if !slices.Contains(controllers.EndpointsModes(), mode) {
		return "", fmt.Errorf("allowed are %q", controllers.EndpointsModes())
	}
	return mode, nil
}

func truth(text string) (bool, error) {
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, errors.New("allowed are true and false")
	}
	return on, nil
}

func namespaceName(text string) (string, error) {
	if faults := validation.IsDNS1123Label(text); text != "" && len(faults) > 0 {
		return "", errors.New(strings.Join(faults, "; "))
	}
	return text, nil
}

func namePrefix(text string) (string, error) {
	if faults := validation.IsDNS1123Label(text + "x"); len(faults) > 0 {
		return "", errors.New(strings.Join(faults, "; "))
	}
	return text, nil
}

func loadBalancerClass(text string) (string, error) {
	if err := controllers.ValidateLoadBalancerClass(text); err != nil {
		return "", errors.New("allowed are names such as " + servicenetv1alpha1.LoadBalancerClass)
	}
	return text, nil
}

// ownNamespace returns the namespace that the manager runs in, and outside of a
// cluster one that every cluster has.
func ownNamespace() string {
	if name := os.Getenv("POD_NAMESPACE"); name != "" {
		return name
	}
	const ofServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	if content, err := os.ReadFile(ofServiceAccount); err == nil && len(content) > 0 {
		return strings.TrimSpace(string(content))
	}
	return controllers.DefaultNamespace
}

// portRange parses ports as kube-apiserver's flag has them: first-last, or
// first+count for the first and so many after it, or one.
func portRange(text string) (controllers.PortRange, error) {
	ports, err := utilnet.ParsePortRange(text)
	if err != nil || ports.Base < 1 || ports.Size < 1 {
		return controllers.PortRange{}, errors.New("allowed are two ports from 1 to 65535, such as 30000-32767")
	}
	return controllers.PortRange{First: ports.Base, Last: ports.Base + ports.Size - 1}, nil
}

// notServed is the address that means "do not serve".
const notServed = "0"

// listenAddress parses what a server can listen on.
func listenAddress(text string) (string, error) {
	if text == notServed {
		return text, nil
	}
	const highest = 65535
	_, port, err := net.SplitHostPort(text)
	if number, notNumeric := strconv.Atoi(port); err != nil || notNumeric != nil || number < 0 || number > highest {
		return "", fmt.Errorf("allowed are host:port and :port with a port from 0 to %d, and %q to serve nothing", highest, notServed)
	}
	return text, nil
}

// listValue is a list. The first use of the flag replaces the default, further uses
// add to it.
type listValue struct {
	target *[]string
	check  func(list []string) error
	kind   string
	given  bool
}

// String implements pflag.Value.
func (v *listValue) String() string {
	if v.target == nil {
		return ""
	}
	return strings.Join(*v.target, ",")
}

// Type implements pflag.Value.
func (v *listValue) Type() string { return v.kind }

// Set implements pflag.Value.
func (v *listValue) Set(text string) error {
	list := strings.Split(text, ",")
	if v.given {
		list = append(*v.target, list...)
	}
	if err := v.check(list); err != nil {
		return err
	}
	*v.target, v.given = list, true
	return nil
}
