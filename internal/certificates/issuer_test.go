// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

const dnsName = "webhooks.system.svc"

func anIssuer() *issuer { return &issuer{authority: "webhook-ca", dnsName: dnsName} }

func begin() time.Time { return time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC) }

// made returns what the Secret has after it was empty.
func made(t *testing.T, now time.Time) map[string][]byte {
	t.Helper()
	return renew(t, nil, now)
}

// renew returns what the Secret has from then on; nil if that is what it has.
func renew(t *testing.T, has map[string][]byte, now time.Time) map[string][]byte {
	t.Helper()
	if anIssuer().allHolds(has, now) {
		return nil
	}
	before := maps.Clone(has)
	data, err := anIssuer().renewed(has, now)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(before, has); difference != "" {
		t.Errorf("what was handed in changed: %s", difference)
	}
	return data
}

// verify fails unless some authorities vouch for a certificate.
func verify(t *testing.T, authorities, data map[string][]byte, now time.Time) {
	t.Helper()
	pair, err := tls.X509KeyPair(data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authorities[authorityCert]) {
		t.Fatal("there are no authorities")
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: dnsName, Roots: roots, CurrentTime: now}); err != nil {
		t.Error(err)
	}
}

func TestWhatIsMadeIsTrustedAndKept(t *testing.T) {
	data := made(t, begin())
	for _, now := range []time.Time{begin(), begin().Add(-leeway), begin().Add((365 - 91) * day)} {
		verify(t, data, data, now)
		if renew(t, data, now) != nil {
			t.Errorf("made anew at %s", now)
		}
	}
}

func TestACertificateIsRenewedInTimeByTheSameAuthority(t *testing.T) {
	now := begin().Add((365 - 89) * day)
	old := made(t, begin())
	data := renew(t, old, now)
	verify(t, old, data, now)
	verify(t, data, data, begin().Add(certificateLife+day))
	if !bytes.Equal(old[authorityCert], data[authorityCert]) || !bytes.Equal(old[authorityKey], data[authorityKey]) {
		t.Error("the authority is another one")
	}
	if renew(t, data, now) != nil {
		t.Error("made anew again")
	}
}

func TestANewAuthorityIsTrustedBesidesTheOneBefore(t *testing.T) {
	now := begin().Add(authorityLife - lookahead + day)
	old := made(t, begin())
	old = renew(t, old, now.Add(-2*day)) // the certificate alone
	data := renew(t, old, now)
	verify(t, data, data, now)
	verify(t, data, old, now)
	if bytes.Equal(old[authorityKey], data[authorityKey]) {
		t.Error("the authority is the same")
	}
	if renew(t, data, now) != nil {
		t.Error("made anew again")
	}

	again := renew(t, data, now.Add(authorityLife))
	if bytes.Contains(again[authorityCert], old[authorityCert]) {
		t.Error("one that has ended is still trusted")
	}
	verify(t, again, again, now.Add(authorityLife))
}

func TestWhatIsDamagedIsMadeAnewAndTheRestIsKept(t *testing.T) {
	whole := made(t, begin())
	whole["more"] = []byte("of others")
	other := made(t, begin())
	for _, key := range []string{authorityCert, authorityKey, corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		for name, value := range map[string][]byte{"missing": nil, "empty": {}, "nonsense": []byte("x"), "of another": other[key]} {
			t.Run(key+" "+name, func(t *testing.T) {
				data := maps.Clone(whole)
				if data[key] = value; value == nil {
					delete(data, key)
				}
				data = renew(t, data, begin())
				verify(t, data, data, begin())
				if string(data["more"]) != "of others" {
					t.Error("what else was in the Secret is gone")
				}
				if renew(t, data, begin()) != nil {
					t.Error("made anew again")
				}
			})
		}
	}
}

func TestACertificateForAnotherNameIsMadeAnew(t *testing.T) {
	data := made(t, begin())
	renamed := &issuer{authority: "webhook-ca", dnsName: "other.system.svc"}
	if renamed.allHolds(data, begin()) {
		t.Error("kept")
	}
}
