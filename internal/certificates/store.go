// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
)

// Store is the certificate that is served. At first there is none.
type Store struct {
	pair   atomic.Pointer[tls.Certificate]
	once   sync.Once
	filled chan struct{}
}

// NewStore returns an empty Store.
func NewStore() *Store { return &Store{filled: make(chan struct{})} }

// Get is for tls.Config.GetCertificate: each connection gets the certificate of its
// time.
func (s *Store) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if pair := s.pair.Load(); pair != nil {
		return pair, nil
	}
	return nil, errors.New("there is no certificate yet")
}

// Filled is closed once there is a certificate that the API server trusts.
func (s *Store) Filled() <-chan struct{} { return s.filled }

func (s *Store) put(pair *tls.Certificate) {
	s.pair.Store(pair)
	s.once.Do(func() { close(s.filled) })
}
