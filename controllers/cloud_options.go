// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	cloudprovider "k8s.io/cloud-provider"
)

// Defaults and limits of Cloud.
const (
	DefaultClusterName         = "kubernetes"
	DefaultConcurrentCloudSync = 10
	MaxConcurrentCloudSyncs    = 1000
	DefaultCloudCallTimeout    = 10 * time.Minute
	ShortestCloudCallTimeout   = time.Second
)

// Cloud has a cloud provider make the load balancers of Services, which the controller
// cloudloadbalancer does, in the place of the service controller of
// k8s.io/cloud-provider.
type Cloud struct {
	// Provider is the provider, of which LoadBalancer alone is used. Whoever makes it
	// has also called its Initialize, if that needs to be.
	Provider cloudprovider.Interface

	// ClusterName is handed to the provider, many of which name load balancers after it.
	// Default: kubernetes, as in kube-controller-manager.
	ClusterName string

	// Class is the loadBalancerClass of the Services that the provider serves. Empty, the
	// default, means those without a class.
	Class string

	// ConcurrentSyncs is how many calls of the provider are made at a time, of all kinds
	// together: 1 to 1000, default 10. There is never more than one for the same Service.
	ConcurrentSyncs int

	// CallTimeout is how long a call of the provider may take: then its context ends, and
	// the call has failed. One that does not return even then is left to itself: its
	// Service is not called for again until it has, and no other waits for it. One second
	// and more, default 10 minutes.
	CallTimeout time.Duration

	// NodeReadiness has the provider told, by UpdateLoadBalancer, when a node becomes
	// ready or ceases to be. Nodes are handed over whether ready or not, with their
	// conditions. Default: the health checks of the load balancer are to find out.
	NodeReadiness bool
}

// withDefaults returns a copy with every zero value replaced; nil stays nil.
func (c *Cloud) withDefaults() *Cloud {
	if c == nil {
		return nil
	}
	filled := *c
	filled.ClusterName = cmp.Or(c.ClusterName, DefaultClusterName)
	filled.ConcurrentSyncs = cmp.Or(c.ConcurrentSyncs, DefaultConcurrentCloudSync)
	filled.CallTimeout = cmp.Or(c.CallTimeout, DefaultCloudCallTimeout)
	return &filled
}

// validateCloud reports what is wrong with Cloud, and what else claims its Services.
func (o Options) validateCloud() error {
	if o.Cloud == nil {
		if slices.Contains(o.Controllers, CloudLoadBalancerName) {
			return fmt.Errorf("the controller %q needs Cloud, which a program has that is built with a provider", CloudLoadBalancerName)
		}
		return nil
	}
	errs := []error{inRange("Cloud.ConcurrentSyncs", o.Cloud.ConcurrentSyncs, MaxConcurrentCloudSyncs)}
	if o.Cloud.CallTimeout != 0 && o.Cloud.CallTimeout < ShortestCloudCallTimeout {
		errs = append(errs, fmt.Errorf("Cloud.CallTimeout is %s: allowed is %s and more", o.Cloud.CallTimeout, ShortestCloudCallTimeout))
	}
	if o.Cloud.Provider == nil {
		errs = append(errs, errors.New("Cloud.Provider is missing"))
	} else if _, has := o.Cloud.Provider.LoadBalancer(); !has {
		errs = append(errs, fmt.Errorf("Cloud.Provider is %q, which has no load balancers", o.Cloud.Provider.ProviderName()))
	}
	if class := o.Cloud.Class; class != "" && len(validation.IsQualifiedName(class)) > 0 {
		errs = append(errs, fmt.Errorf("Cloud.Class is %q: allowed are names such as example.com/balancer, and none", class))
	}
	if o.Cloud.Class == "" && o.LoadBalancerDefault {
		errs = append(errs, errors.New("both Cloud, which has no Class, and LoadBalancerDefault claim the Services without a class: "+
			"give Cloud a Class, or leave LoadBalancerDefault out"))
	}
	if o.Cloud.Class == o.LoadBalancerClass {
		errs = append(errs, fmt.Errorf("both Cloud.Class and LoadBalancerClass are %q: a Service has one load balancer", o.Cloud.Class))
	}
	return errors.Join(errs...)
}
