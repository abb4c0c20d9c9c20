// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// nodeAddress is an address of a node that this machine, which is no part of the pod
// network, reaches. The spec is skipped where there is none.
func nodeAddress(ctx context.Context) string {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(api.List(ctx, nodes)).To(Succeed())
	for i := range nodes.Items {
		for _, address := range nodes.Items[i].Status.Addresses {
			if address.Type != corev1.NodeInternalIP {
				continue
			}
			dialer := net.Dialer{Timeout: time.Second}
			connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address.Address, "10250"))
			if err == nil {
				Expect(connection.Close()).To(Succeed())
				return address.Address
			}
		}
	}
	Skip("this machine reaches no node by its InternalIP: the kubelets do not answer")
	return ""
}

// answersHere tells whether a URL answers, on a connection of its own.
func answersHere(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := bodyHere(url)(ctx)
		return err
	}
}

// bodyHere tells what a URL answers, on a connection of its own.
func bodyHere(url string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return "", err
		}
		request.Close = true
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", url, response.Status)
		}
		return strings.TrimSpace(string(body)), errors.Join(err, response.Body.Close())
	}
}

// nodePool is a pool of the addresses of all nodes.
func nodePool(name string) *servicenetv1alpha1.LoadBalancerPool {
	return &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}},
	}
}

// balancerAddresses are the addresses in the status of a Service.
func balancerAddresses(s *corev1.Service) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(s), s)
		var found []string
		for i := range s.Status.LoadBalancer.Ingress {
			found = append(found, s.Status.LoadBalancer.Ingress[i].IP)
		}
		return found, err
	}
}

// balancerAddress waits until a Service has an address, and returns the first one.
func balancerAddress(ctx context.Context, s *corev1.Service) string {
	GinkgoHelper()
	Eventually(ctx, balancerAddresses(s)).ShouldNot(BeEmpty())
	return s.Status.LoadBalancer.Ingress[0].IP
}

var _ = Describe("From outside the pod network", func() {
	// Serial, since a node's address is given once.
	It("a LoadBalancer is reached on the address of a node", Serial, func(ctx SpecContext) {
		nodeAddress(ctx)
		createPools(ctx, nodePool("e2e-nodes"))
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 2), service(namespace, "web")
		s.Spec.Type = corev1.ServiceTypeLoadBalancer
		s.Spec.LoadBalancerClass = new(servicenetv1alpha1.LoadBalancerClass)
		create(ctx, web, s)
		awaitPods(ctx, web)

		address := balancerAddress(ctx, s)
		Eventually(ctx, answersHere("http://"+address)).Should(Succeed())

		By("no longer being there with the Service")
		Expect(api.Delete(ctx, s)).To(Succeed())
		Eventually(ctx, answersHere("http://"+address)).ShouldNot(Succeed())
		Eventually(ctx, func(ctx context.Context) error {
			return api.Get(ctx, client.ObjectKeyFromObject(s), s)
		}).Should(MatchError(ContainSubstring("not found")), "a finalizer holds it")
	}, SpecTimeout(specTimeout))

	It("a NodePort is reached on the address of a node", func(ctx SpecContext) {
		address := nodeAddress(ctx)
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "web")
		s.Spec.Type = corev1.ServiceTypeNodePort
		create(ctx, web, s)
		awaitPods(ctx, web)
		Eventually(ctx, answersHere("http://"+net.JoinHostPort(address, strconv.Itoa(int(s.Spec.Ports[0].NodePort))))).
			Should(Succeed())
	}, SpecTimeout(specTimeout))
})
