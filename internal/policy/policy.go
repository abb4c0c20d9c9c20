// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/internal/pool"
)

// Set is the policies of one kind of numbers. Each has a binding of its name.
type Set struct {
	Policies []*admissionregistrationv1.ValidatingAdmissionPolicy
	Bindings []*admissionregistrationv1.ValidatingAdmissionPolicyBinding
	// Left are the pools that the policies say nothing of, since there is no room.
	Left []string
}

// Family is the first part of the names of policies of one kind of numbers.
type Family string

const (
	// ClusterIPs are the policies of ForClusterIPs.
	ClusterIPs Family = "servicenet-clusterip-"
	// NodePorts are the policies of ForNodePorts.
	NodePorts Family = "servicenet-nodeport-"
)

// Has tells whether a policy or a binding is one of the family, which nobody else's
// may be.
func (f Family) Has(object metav1.Object) bool { return strings.HasPrefix(object.GetName(), string(f)) }

// draft is what policies differ in.
type draft struct {
	name        string
	variables   []admissionregistrationv1.Variable
	validations []admissionregistrationv1.Validation
}

// add adds a policy and its binding. All that the API server would fill in is there,
// so that what it has can be compared with it.
func (s *Set) add(d draft) {
	meta := metav1.ObjectMeta{Name: d.name, Labels: map[string]string{pool.ManagedByLabel: pool.ManagedBy}}
	s.Policies = append(s.Policies, &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: meta,
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: new(admissionregistrationv1.Fail),
			MatchConstraints: &admissionregistrationv1.MatchResources{
				MatchPolicy:       new(admissionregistrationv1.Equivalent),
				NamespaceSelector: &metav1.LabelSelector{},
				ObjectSelector:    &metav1.LabelSelector{},
				ResourceRules:     []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: writesOfServices()}},
			},
			MatchConditions: matchConditions(),
			Variables:       d.variables,
			Validations:     d.validations,
		},
	})
	s.Bindings = append(s.Bindings, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: *meta.DeepCopy(),
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        d.name,
			ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	})
}

func writesOfServices() admissionregistrationv1.RuleWithOperations {
	return admissionregistrationv1.RuleWithOperations{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
		Rule: admissionregistrationv1.Rule{
			APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"services"},
			Scope: new(admissionregistrationv1.AllScopes),
		},
	}
}

// matchConditions leave alone what the webhooks leave alone.
func matchConditions() []admissionregistrationv1.MatchCondition {
	return []admissionregistrationv1.MatchCondition{
		{Name: "not-dry-run", Expression: "!has(request.dryRun) || !request.dryRun"},
		{Name: "not-by-the-api-server", Expression: "!has(request.userInfo.username) || request.userInfo.username != 'system:apiserver'"},
		{Name: "not-kubernetes", Expression: "object.metadata.namespace != 'default' || object.metadata.name != 'kubernetes'"},
		{Name: "not-being-deleted", Expression: "!has(object.metadata.deletionTimestamp)"},
		{Name: "spec-changes", Expression: "oldObject == null || object.spec != oldObject.spec"},
	}
}

func variable(name, expression string) admissionregistrationv1.Variable {
	return admissionregistrationv1.Variable{Name: name, Expression: expression}
}

// wants is a validation that refuses with 422. The message, in CEL, names nothing
// that belongs to others.
func wants(expression, message string) admissionregistrationv1.Validation {
	return admissionregistrationv1.Validation{
		Expression: expression, MessageExpression: message, Reason: new(metav1.StatusReasonInvalid),
	}
}

// isExternal tells, in CEL, whether an object is an ExternalName. What such a one has
// in fields for numbers was never given to it.
func isExternal(object string) string {
	return fmt.Sprintf("(has(%[1]s.spec.type) && %[1]s.spec.type == 'ExternalName')", object)
}

// tableVariables are the table, and the words that rules ask for.
func (t *table) variables() []admissionregistrationv1.Variable {
	labels := func(object string) string {
		return fmt.Sprintf("has(%[1]s.metadata.labels) ? %[1]s.metadata.labels : {}", object)
	}
	return []admissionregistrationv1.Variable{
		variable("namespaceLabels", labels("namespaceObject")),
		variable("serviceLabels", labels("object")),
		variable("words", "["+quote(nameWord)+" + object.metadata.namespace + '/' + object.metadata.name]"+
			wordsOf("variables.namespaceLabels", namespaceWord)+wordsOf("variables.serviceLabels", serviceWord)),
		variable("blocks", "{\n"+t.blocks.String()+"}"),
		variable("rules", "[\n"+t.rules.String()+"]"),
	}
}

func wordsOf(labels, word string) string {
	return fmt.Sprintf("\n + %[1]s.map(k, %[2]s + k) + %[1]s.map(k, %[2]s + k + '=' + %[1]s[k])", labels, quote(word))
}

// breaks tells, in CEL, whether the Service breaks the rule of the first of some keys
// that is in the table.
func breaks(keys string) string {
	return fmt.Sprintf(`[%s.filter(b, b in variables.blocks)].exists(found, found.size() > 0 &&
  !variables.rules[variables.blocks[found[0]]].all(r, r.exists(w, w in variables.words) == (r[0] == '+')))`, keys)
}
