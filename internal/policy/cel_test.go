// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"                                //nolint:depguard // policies are evaluated as the API server does it
	"k8s.io/apiserver/pkg/admission/plugin/cel"                     //nolint:depguard // as above
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"       //nolint:depguard // as above
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions" //nolint:depguard // as above
	celconfig "k8s.io/apiserver/pkg/apis/cel"                       //nolint:depguard // as above
	"k8s.io/apiserver/pkg/authentication/user"                      //nolint:depguard // as above
	"k8s.io/apiserver/pkg/cel/environment"                          //nolint:depguard // as above
)

// judge evaluates policies with the code of the API server.
type judge struct {
	validators []validating.Validator
}

// newJudge compiles policies as for one that is written anew.
func newJudge(tb testing.TB, set Set) *judge {
	tb.Helper()
	env := environment.MustBaseEnvSet(version.MajorMinor(1, 33)) // the lowest that is supported
	j := &judge{}
	for _, p := range set.Policies {
		compiler, err := cel.NewCompositedCompiler(env)
		if err != nil {
			tb.Fatal(err)
		}
		declared := cel.OptionalVariableDeclarations{HasAuthorizer: true}
		for _, v := range p.Spec.Variables {
			result := compiler.CompileAndStoreVariable(&validating.Variable{Name: v.Name, Expression: v.Expression}, declared,
				environment.NewExpressions)
			if result.Error != nil {
				tb.Fatalf("%s: variable %s: %v\n%.2000s", p.Name, v.Name, result.Error, v.Expression)
			}
		}
		var conditions, checks, messages []cel.ExpressionAccessor
		for i := range p.Spec.MatchConditions {
			conditions = append(conditions, (*matchconditions.MatchCondition)(&p.Spec.MatchConditions[i]))
		}
		for _, v := range p.Spec.Validations {
			checks = append(checks, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason})
			messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression})
		}
		compile := func(expressions []cel.ExpressionAccessor, declared cel.OptionalVariableDeclarations) cel.ConditionEvaluator {
			compiled := compiler.CompileCondition(expressions, declared, environment.NewExpressions)
			for _, err := range compiled.CompilationErrors() {
				tb.Fatalf("%s: %v", p.Name, err)
			}
			return compiled
		}
		matcher := matchconditions.NewMatcher(compile(conditions, declared), p.Spec.FailurePolicy, "policy", "validate", p.Name)
		none := compile(nil, declared)
		j.validators = append(j.validators, validating.NewValidator(compile(checks, declared), matcher, none,
			compile(messages, cel.OptionalVariableDeclarations{}), p.Spec.FailurePolicy, nil))
	}
	return j
}

// attempt is a request of somebody.
type attempt struct {
	service, old *corev1.Service
	// labels are those of the namespace.
	labels map[string]string
	user   string
	dryRun bool
}

// refusals returns the messages of the policies that deny a request. Anything but a
// denial by a rule fails the test.
func (j *judge) refusals(tb testing.TB, a attempt) []string {
	tb.Helper()
	gvk, gvr := corev1.SchemeGroupVersion.WithKind("Service"), corev1.SchemeGroupVersion.WithResource("services")
	operation, options := admission.Create, runtime.Object(&metav1.CreateOptions{})
	var old runtime.Object
	if a.old != nil {
		operation, options, old = admission.Update, &metav1.UpdateOptions{}, a.old
	}
	attributes := admission.NewAttributesRecord(a.service, old, gvk, a.service.Namespace, a.service.Name, gvr, "",
		operation, options, a.dryRun, &user.DefaultInfo{Name: a.user})
	versioned := &admission.VersionedAttributes{
		Attributes: attributes, VersionedObject: admission.NewLazyObject(a.service), VersionedOldObject: admission.NewLazyObject(old), VersionedKind: gvk,
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.service.Namespace, Labels: a.labels}}
	var messages []string
	for _, v := range j.validators {
		result := v.Validate(tb.Context(), gvr, versioned, nil, namespace, celconfig.RuntimeCELCostBudget, nil)
		for _, decision := range result.Decisions {
			switch {
			case decision.Evaluation == validating.EvalError:
				tb.Fatalf("a policy could not be evaluated: %s", decision.Message)
			case decision.Action == validating.ActionDeny:
				if decision.Reason != metav1.StatusReasonInvalid {
					tb.Errorf("reason %s, want Invalid: %s", decision.Reason, decision.Message)
				}
				messages = append(messages, decision.Message)
			}
		}
	}
	return messages
}

func (j *judge) refuses(tb testing.TB, a attempt) bool {
	tb.Helper()
	return len(j.refusals(tb, a)) > 0
}

// expressionBytes returns the size of the longest expression of a set.
func expressionBytes(set Set) int {
	longest := 0
	for _, p := range set.Policies {
		for _, v := range p.Spec.Variables {
			longest = max(longest, len(v.Expression))
		}
	}
	return longest
}

// describe is a set in short.
func describe(set Set) string {
	return fmt.Sprintf("%d policies, longest expression %d bytes, %d pools left", len(set.Policies), expressionBytes(set), len(set.Left))
}
