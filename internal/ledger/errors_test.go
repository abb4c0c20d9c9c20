// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Errors are answers to whoever asked: the name of another tenant's Service is
// none of their business.
func TestTakenErrorNamesNoOwner(t *testing.T) {
	address := Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr("10.96.0.10"))
	for want, err := range map[string]*TakenError{
		"10.96.0.10 is used by a Service":                    {Place: address, By: ByService},
		"30080 is given to a Service that is being made":     {Place: Port(30080), By: ByRequest},
		"10.96.0.10 is kept for a Service that had it":       {Place: address, By: ByRetained},
		"10.96.0.10 is used by an object that is no Service": {Place: address, By: ByObject},
	} {
		err.Owner = owner("secret-team", "secret-service", "secret-uid")
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
		taken, is := errors.AsType[*TakenError](fmt.Errorf("port web: %w", err))
		if !is || taken.Owner.Name != "secret-service" {
			t.Errorf("whose it is can't be logged: %v", taken)
		}
	}
}

func TestFullErrorSaysWhatIsWrong(t *testing.T) {
	if text := (&FullError{}).Error(); text != "no number is free" {
		t.Errorf("%q", text)
	}
}

func TestUnavailableErrorSaysWhatWasWaitedFor(t *testing.T) {
	for want, err := range map[string]*UnavailableError{
		"waited for the holder":                 {Reason: "waited for the holder", RetryAfter: time.Second},
		"waited for the server: unexpected EOF": {Reason: "waited for the server", Err: io.ErrUnexpectedEOF},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) != (err.Err != nil) {
			t.Errorf("%q hides its cause", err)
		}
	}
}
