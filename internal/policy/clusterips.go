// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"servicenet.dev/servicenet/internal/pool"
)

// ForClusterIPs returns the policies that keep addresses to those whom they are for;
// none, if all are for everybody.
func ForClusterIPs(of *pool.ClusterIPs) Set {
	tables, left := tabulate(of.Fences(), addressBlocks)
	set := Set{Left: left}
	for i, t := range tables {
		set.add(addressDraft(fmt.Sprintf("%s%d", ClusterIPs, i+1), t))
	}
	return set
}

func addressDraft(name string, t *table) draft {
	held := "oldObject == null || " + isExternal("oldObject") + ` ? []
 : has(oldObject.spec.clusterIPs) ? oldObject.spec.clusterIPs
 : has(oldObject.spec.clusterIP) ? [oldObject.spec.clusterIP] : []`
	added := isExternal("object") + ` || !has(object.spec.clusterIPs) ? []
 : object.spec.clusterIPs.filter(a, a != 'None' && !(a in variables.held))`
	keys := fmt.Sprintf("(a.contains(':') ? %s : %s).map(l, string(cidr(a + '/' + string(l)).masked()))", t.sizesOf(ipv6), t.sizesOf(ipv4))
	return draft{
		name: name,
		variables: append(t.variables(),
			variable("held", held),
			variable("added", added),
			variable("refused", "variables.added.filter(a, isIP(a) && "+breaks(keys)+")"),
		),
		validations: []admissionregistrationv1.Validation{
			// Another way to write an address must not be a way around the table.
			wants("variables.added.all(a, isIP(a))",
				"'spec.clusterIPs: ' + variables.added.filter(a, !isIP(a)).join(', ') + ': must be written in the usual form'"),
			wants("variables.refused.size() == 0",
				"'spec.clusterIPs: ' + variables.refused.join(', ') + ' belongs to a pool that does not serve this Service,"+
					" or is reserved for another Service; leave it out to get another one, or try again if it was left out'"),
		},
	}
}
