// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// watcherCommand makes this program the floor of the comparison.
const watcherCommand = "watch-only"

// watchOnly keeps copies of all that the endpoint controllers read, as they come
// from the API server, and does nothing with them. That is what anybody pays who
// wants to know these objects.
func watchOnly(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("watch-only: want a kubeconfig")
	}
	config, err := clientcmd.BuildConfigFromFlags("", args[0])
	if err != nil {
		return fmt.Errorf("watch-only: %w", err)
	}
	config.ContentType = runtime.ContentTypeProtobuf
	config.WarningHandler = rest.NoWarnings{} // about every use of Endpoints
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("watch-only: %w", err)
	}
	factory := informers.NewSharedInformerFactory(clients, 0)
	factory.Core().V1().Services().Informer()
	factory.Core().V1().Pods().Informer()
	factory.Core().V1().Nodes().Informer()
	factory.Core().V1().Endpoints().Informer()
	factory.Discovery().V1().EndpointSlices().Informer()
	factory.StartWithContext(ctx)
	<-ctx.Done()
	factory.Shutdown()
	return nil
}
