// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"net/netip"
	"slices"

	"servicenet.dev/servicenet/internal/admission"
)

// Values of Options.AllowedExternalIPs that are no CIDRs.
const (
	AnyExternalIPs = "*"
	NoExternalIPs  = "none"
)

func (o Options) validateWebhooks() []error {
	var errs []error
	if o.EnableWebhooks && (!o.runs(ClusterIPName) || !o.runs(NodePortName)) {
		errs = append(errs, fmt.Errorf("EnableWebhooks needs the controllers %s and %s, which Controllers leaves out",
			ClusterIPName, NodePortName))
	}
	if o.WebhookDrainPeriod < 0 || o.WebhookDrainPeriod > LongestWebhookDrainPeriod {
		errs = append(errs, fmt.Errorf("WebhookDrainPeriod is %s: allowed are 0s to %s", o.WebhookDrainPeriod, LongestWebhookDrainPeriod))
	}
	_, err := parseExternalIPs(o.AllowedExternalIPs)
	return append(errs, err)
}

// ValidateExternalIPs reports what is wrong with a value of AllowedExternalIPs.
func ValidateExternalIPs(list []string) error {
	_, err := parseExternalIPs(list)
	return err
}

// parseExternalIPs reads AllowedExternalIPs.
func parseExternalIPs(list []string) (admission.ExternalIPs, error) {
	switch {
	case slices.Equal(list, []string{AnyExternalIPs}):
		return admission.ExternalIPs{Mode: admission.WarnOfExternalIPs}, nil
	case slices.Equal(list, []string{NoExternalIPs}):
		return admission.ExternalIPs{Mode: admission.NoExternalIPs}, nil
	}
	parsed := admission.ExternalIPs{Mode: admission.ListedExternalIPs}
	for _, text := range list {
		cidr, err := netip.ParsePrefix(text)
		if err != nil {
			return parsed, fmt.Errorf("AllowedExternalIPs has %q: allowed are CIDRs such as 192.0.2.0/24, or %q or %q alone",
				text, AnyExternalIPs, NoExternalIPs)
		}
		parsed.CIDRs = append(parsed.CIDRs, cidr.Masked())
	}
	return parsed, nil
}
