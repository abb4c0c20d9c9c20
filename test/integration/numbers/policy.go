// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package numbers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Refuse has an API server refuse writes of which a CEL expression is false, soon
// after, until the policy is removed.
func Refuse(
	ctx context.Context, api client.Client, name, unless string, of admissionregistrationv1.Rule,
) (remove func(context.Context)) {
	GinkgoHelper()
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionregistrationv1.RuleWithOperations{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll}, Rule: of,
				},
			}}},
			Validations: []admissionregistrationv1.Validation{{Expression: unless}},
		},
	}
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	}
	objects := []client.Object{policy, binding}
	for _, object := range objects {
		Expect(api.Create(ctx, object)).To(Succeed())
	}
	return func(ctx context.Context) {
		GinkgoHelper()
		for _, object := range objects {
			Expect(client.IgnoreNotFound(api.Delete(ctx, object))).To(Succeed())
		}
	}
}
