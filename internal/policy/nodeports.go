// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/pool"
)

// ForNodePorts returns the policies that keep node ports to those whom they are for,
// and to the range of the cluster; none, if there is no pool.
func ForNodePorts(of *pool.NodePorts, cluster allocator.PortSpan) Set {
	var set Set
	if of.Empty() {
		return set
	}
	set.add(rangeDraft(cluster))
	tables, left := tabulate(of.Fences(), portBlocks)
	set.Left = left
	for i, t := range tables {
		set.add(portDraft(fmt.Sprintf("%s%d", NodePorts, i+1), t))
	}
	return set
}

// rangeDraft keeps node ports to the range, and ExternalNames without any.
func rangeDraft(cluster allocator.PortSpan) draft {
	within := fmt.Sprintf("p >= %d && p <= %d", cluster.First, cluster.Last)
	return draft{
		name:      string(NodePorts) + "range",
		variables: portVariables(),
		validations: []admissionregistrationv1.Validation{
			wants(isExternal("object")+" || variables.named.all(p, ("+within+") || p in variables.held)",
				fmt.Sprintf("'spec.ports: the node port range of the cluster is %d-%d, and does not have ' + "+
					"variables.named.filter(p, !(%s) && !(p in variables.held)).map(p, string(p)).join(', ')",
					cluster.First, cluster.Last, within)),
			wants("!"+isExternal("object")+" || variables.named.all(p, p in variables.before)",
				"'spec.ports: a Service of type ExternalName has no node ports'"),
		},
	}
}

func portDraft(name string, t *table) draft {
	keys := t.sizesOf(ports) + ".map(s, string(p - p % s) + '+' + string(s))"
	refused := isExternal("object") + " ? [] : variables.named.filter(p, " + breaks(keys) + " && !(p in variables.held))"
	return draft{
		name:      name,
		variables: append(t.variables(), append(portVariables(), variable("refused", refused))...),
		validations: []admissionregistrationv1.Validation{
			wants("variables.refused.size() == 0",
				"'spec.ports: node port ' + variables.refused.map(p, string(p)).join(', ') + ' belongs to a pool that does not serve"+
					" this Service, or is reserved for another Service; leave it out to get another one, or try again if it was left out'"),
		},
	}
}

// portVariables are the node ports that the Service names, those that it had, and
// those of them that were given to it.
func portVariables() []admissionregistrationv1.Variable {
	of := func(object string) string {
		return fmt.Sprintf(`(has(%[1]s.spec.ports) ? %[1]s.spec.ports.filter(p, has(p.nodePort) && p.nodePort != 0).map(p, p.nodePort) : [])
 + (has(%[1]s.spec.healthCheckNodePort) && %[1]s.spec.healthCheckNodePort != 0 ? [%[1]s.spec.healthCheckNodePort] : [])`, object)
	}
	return []admissionregistrationv1.Variable{
		variable("named", of("object")),
		variable("before", "oldObject == null ? [] : "+of("oldObject")),
		variable("held", "oldObject == null || "+isExternal("oldObject")+" ? [] : variables.before"),
	}
}
