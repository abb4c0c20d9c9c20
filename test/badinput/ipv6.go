// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// An address of the table, and the length of its prefix if it is one.
var address = regexp.MustCompile(`\b10\.(96|97)\.(\d+)\.(\d+)(/\d+)?`)

// OverIPv6 returns a case as it is where the API server has fd00::/112 only, with the
// pools of IPv6Pools. There is none for a case that is about two families, about the
// other one, about what IPv6 does not have, or about addresses of load balancers.
func OverIPv6(c Case) (Case, bool) {
	all := fmt.Sprint(asJSON(c.Service), asJSON(c.Old), asJSON(c.Given))
	for _, other := range []string{"IPv6", "fd00:", "fd01:", "10.96.255.255", "DualStack", `"LoadBalancer"`, "192.0.2."} {
		if strings.Contains(all, other) {
			return c, false
		}
	}
	overIPv6(&c.Service)
	overIPv6(&c.Old)
	overIPv6(&c.Given)
	overIPv6(&c.Want)
	return c, !c.SingleStack
}

// IPv6Pools returns the pools of addresses where the API server has no others.
func IPv6Pools() []*servicenetv1alpha1.ClusterIPPool {
	pools := ClusterIPPools()
	for _, p := range pools {
		overIPv6(&p.Spec)
		p.Spec.CIDRs = slices.Compact(p.Spec.CIDRs) // those of IPv4 have become those of IPv6
	}
	return pools
}

// overIPv6 puts the IPv6 addresses that stand for those of IPv4 into a value.
func overIPv6[T any](value *T) {
	text := address.ReplaceAllStringFunc(asJSON(value), func(old string) string {
		part := address.FindStringSubmatch(old)
		if len(part[2]) > 1 && part[2][0] == '0' {
			return old // which is malformed, and is to be
		}
		high, _ := strconv.Atoi(part[2])
		low, _ := strconv.Atoi(part[3])
		text := map[string]string{"96": "fd00::", "97": "fd01::"}[part[1]]
		if high+low > 0 {
			text += strconv.FormatInt(int64(high)<<8|int64(low), 16)
		}
		if part[4] != "" {
			length, _ := strconv.Atoi(part[4][1:])
			text += fmt.Sprintf("/%d", length+96)
		}
		return text
	})
	text = strings.NewReplacer("fd00::1-fd00::fffe", "fd00::1-fd00::ffff", "IPv4", "IPv6").Replace(text)
	*value = *new(T)
	if err := json.Unmarshal([]byte(text), value); err != nil {
		panic(err) // the table is at fault
	}
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
