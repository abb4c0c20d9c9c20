// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"k8s.io/client-go/tools/cache"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Feed returns the handler of an informer of AllocationBlocks, which keeps the
// Store up to date with other replicas.
func (s *Store) Feed() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { s.fed(object, s.BlockSeen) },
		UpdateFunc: func(_, object any) { s.fed(object, s.BlockSeen) },
		DeleteFunc: func(object any) {
			if last, missed := object.(cache.DeletedFinalStateUnknown); missed {
				s.fed(last.Obj, s.BlockMissing)
				return
			}
			s.fed(object, s.BlockGone)
		},
	}
}

func (s *Store) fed(object any, then func(*servicenetv1alpha1.AllocationBlock)) {
	if block, ok := object.(*servicenetv1alpha1.AllocationBlock); ok {
		then(block)
	}
}
