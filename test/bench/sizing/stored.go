// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"net/netip"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// firstStored is the address of the first Service that is stored past the API server.
const firstStored = "10.96.16.0"

// storedAtATime is how many Services are stored with their IPAddress objects before others
// are: kube-apiserver deletes an IPAddress that is a minute old if it has not seen the Service.
const storedAtATime = 1000

// store stores so many Services in etcd, with their IPAddress objects, and a pod for each
// if that is wanted: an API server takes the longer for each the more there are, an hour
// for 50,000. One is made, for the others to be like it.
func (w *world) store(ctx context.Context, count int) error {
	if count == 0 {
		return nil
	}
	service, owned := newService(0), &networkingv1.IPAddress{}
	if err := w.api.Create(ctx, service); err != nil {
		return err
	}
	if err := w.api.Get(ctx, client.ObjectKey{Name: service.Spec.ClusterIP}, owned); err != nil {
		return err
	}
	pod := newPod(0, netip.MustParseAddr(firstPod))
	if err := w.run(ctx, pod); err != nil {
		return err
	}
	objects := map[string][]byte{}
	address, ofPod := netip.MustParseAddr(firstStored), netip.MustParseAddr(firstPod)
	for i := 1; i < count; i++ {
		ofPod = ofPod.Next()
		one := like(service, newService(i))
		one.Spec.ClusterIP, one.Spec.ClusterIPs, one.Spec.Selector = address.String(), []string{address.String()}, labelsOf(i)
		if err := put(objects, "/registry/services/specs/"+one.Namespace+"/"+one.Name, "v1", "Service", one); err != nil {
			return err
		}
		its := like(owned, &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: address.String(), Labels: owned.Labels}})
		its.Spec.ParentRef.Namespace, its.Spec.ParentRef.Name = one.Namespace, one.Name
		if err := put(objects, "/registry/ipaddresses/"+its.Name, "networking.k8s.io/v1", "IPAddress", its); err != nil {
			return err
		}
		if w.way == whole {
			other := newPod(i, ofPod)
			runs := like(pod, other)
			runs.Status = other.Status
			if err := put(objects, "/registry/pods/"+runs.Namespace+"/"+runs.Name, "v1", "Pod", runs); err != nil {
				return err
			}
		}
		address = address.Next()
		if i%storedAtATime == 0 {
			if err := w.plane.PutInEtcd(ctx, objects); err != nil {
				return err
			}
			clear(objects)
		}
	}
	return w.plane.PutInEtcd(ctx, objects)
}

// like returns an object as it is stored, with the names and labels of another one.
func like[T interface {
	client.Object
	DeepCopy() T
}](stored, named T) T {
	object := stored.DeepCopy()
	object.SetNamespace(named.GetNamespace())
	object.SetName(named.GetName())
	object.SetLabels(named.GetLabels())
	object.SetAnnotations(named.GetAnnotations())
	object.SetUID(uuid.NewUUID())
	object.SetResourceVersion("")
	object.SetManagedFields(nil)
	// An IPAddress that is a minute old, and whose Service kube-apiserver has not seen
	// yet, it deletes.
	object.SetCreationTimestamp(metav1.Now())
	return object
}

// put adds an object to what is to be stored, by its key.
func put(to map[string][]byte, key, version, kind string, object client.Object) error {
	content, err := json.Marshal(object)
	if err != nil {
		return err
	}
	fields := map[string]any{}
	if err := json.Unmarshal(content, &fields); err != nil {
		return err
	}
	fields["apiVersion"], fields["kind"] = version, kind
	to[key], err = json.Marshal(fields)
	return err
}
