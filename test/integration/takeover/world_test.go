// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
)

const (
	// nodes are in three zones in turn, node-0 to node-5.
	nodes = 6
	// parallelism is how many objects are written at a time.
	parallelism = 16
)

// world is a control plane of its own with nodes that nobody simulates.
type world struct {
	plane *controlplane.ControlPlane
	// api reads and writes without a cache, with all rights.
	api client.Client
	// addresses counts those that pods were given.
	addresses atomic.Int32
	// turns counts the markers.
	turns atomic.Int32
}

// newWorld starts a control plane that ends with the container it is called in.
func newWorld(ctx context.Context) *world {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Dir:                       folder,
		APIServerArgs:             auditArgs(folder),
		NoServiceAccountAdmission: true,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	Expect(plane.AddNodes(ctx, nodes)).To(Succeed())

	// The server warns on every request for Endpoints, and on every address that
	// is not in its canonical form.
	config := plane.RESTConfig()
	config.WarningHandler = rest.NoWarnings{}
	config.ContentType = runtime.ContentTypeProtobuf
	api, err := client.New(config, client.Options{Scheme: clientgoscheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	w := &world{plane: plane, api: api}
	w.newSpace(ctx, markers)
	return w
}

// newSpace makes a namespace.
func (w *world) newSpace(ctx context.Context, name string) space {
	GinkgoHelper()
	Expect(w.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	return space{world: w, name: name}
}

// space is a namespace.
type space struct {
	*world

	name string
}

func (in space) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: in.name, Name: name}
}

// create creates objects of the namespace, many at a time.
func (in space) create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	Expect(inParallel(ctx, objects, func(ctx context.Context, object client.Object) error {
		object.SetNamespace(in.name)
		return in.api.Create(ctx, object)
	})).To(Succeed())
}

// patch merges JSON into an object: that of the given type and name.
func (in space) patch(ctx context.Context, object client.Object, name, json string) {
	GinkgoHelper()
	object.SetNamespace(in.name)
	object.SetName(name)
	Expect(in.api.Patch(ctx, object, mergePatch(json))).To(Succeed())
}

// delete deletes an object: that of the given type and name.
func (in space) delete(ctx context.Context, object client.Object, name string, options ...client.DeleteOption) {
	GinkgoHelper()
	object.SetNamespace(in.name)
	object.SetName(name)
	Expect(in.api.Delete(ctx, object, options...)).To(Succeed())
}

func mergePatch(json string) client.Patch { return client.RawPatch(types.MergePatchType, []byte(json)) }

// inParallel calls a function for all objects, some at a time, and returns the
// first error.
func inParallel[T any](ctx context.Context, objects []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelism)
	for _, object := range objects {
		group.Go(func() error { return do(ctx, object) })
	}
	return group.Wait()
}
