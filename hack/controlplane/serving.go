// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

// ServingCertificate returns the files of a certificate for servers on the loopback
// interface, of the cluster's authority, and of its key.
func (cp *ControlPlane) ServingCertificate() (certificate, key string) {
	return cp.pki.path(servingFile), cp.pki.path(servingKeyFile)
}
