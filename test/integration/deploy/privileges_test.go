// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	account     = "servicenet-controller-manager"
	managerUser = "system:serviceaccount:" + system + ":" + account
)

// auditPolicy has the API server note all requests of the manager.
const auditPolicy = `{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
  "rules": [{"level": "Metadata", "users": ["` + managerUser + `"]}, {"level": "None"}]}`

// unseen are the rights that the manager needs and that no request of a short life
// shows, with the reason.
func unseen() map[string]string {
	const owner = "the admission plugin OwnerReferencesPermissionEnforcement asks for it, which is on here: " +
		"what the manager makes is to be deleted before its owner is"
	return map[string]string{
		"servicenet-manager-role: update services/finalizers":         owner,
		"servicenet-manager-role: update endpoints/finalizers":        owner,
		"servicenet-manager-role: create endpoints/restricted":        "OpenShift asks for it where Endpoints have addresses of pods",
		"servicenet-manager-role: get namespaces":                     "a Service is made in a namespace that the cache does not show yet",
		"servicenet-manager-role: get networking.k8s.io/servicecidrs": "a ServiceCIDR was made, and the answer got lost",
	}
}

// request is what the manager asked the API server for.
type request struct {
	Verb      string
	ObjectRef struct {
		Resource, Subresource, Namespace, Name string
		APIGroup                               string `json:"apiGroup"`
	}
	Annotations map[string]string
}

func (r *request) resource() string {
	if r.ObjectRef.Subresource != "" {
		return r.ObjectRef.Resource + "/" + r.ObjectRef.Subresource
	}
	return r.ObjectRef.Resource
}

func (r *request) String() string {
	return strings.Join([]string{r.Verb, r.ObjectRef.APIGroup, r.resource(), r.ObjectRef.Namespace, r.ObjectRef.Name}, " ")
}

// asked returns the requests that the manager has made, each once.
func asked() (allowed, forbidden []request) {
	GinkgoHelper()
	content, err := os.ReadFile(auditLog)
	Expect(err).NotTo(HaveOccurred())
	content = content[:bytes.LastIndexByte(content, '\n')+1] // what is complete
	known := map[string]bool{}
	for line := range bytes.Lines(content) {
		var of request
		Expect(json.Unmarshal(line, &of)).To(Succeed())
		if known[of.String()] || of.ObjectRef.Resource == "" {
			continue
		}
		known[of.String()] = true
		if of.Annotations["authorization.k8s.io/decision"] == "forbid" {
			forbidden = append(forbidden, of)
			continue
		}
		allowed = append(allowed, of)
	}
	return allowed, forbidden
}

// right is a verb on a resource, of a rule of a role.
type right struct {
	role                  client.Object
	rule                  int
	group, resource, verb string
}

func (r *right) String() string {
	return fmt.Sprintf("%s: %s %s", r.role.GetName(), r.verb, strings.Trim(r.group+"/"+r.resource, "/"))
}

// rights returns all that the manager's service account is given by name.
func rights(ctx context.Context) []right {
	GinkgoHelper()
	var all []right
	var clusterBindings rbacv1.ClusterRoleBindingList
	Expect(api.List(ctx, &clusterBindings)).To(Succeed())
	for i := range clusterBindings.Items {
		if of := &clusterBindings.Items[i]; slices.ContainsFunc(of.Subjects, isManager) {
			role := &rbacv1.ClusterRole{}
			Expect(api.Get(ctx, client.ObjectKey{Name: of.RoleRef.Name}, role)).To(Succeed())
			all = append(all, rightsOf(role, role.Rules)...)
		}
	}
	var bindings rbacv1.RoleBindingList
	Expect(api.List(ctx, &bindings)).To(Succeed())
	for i := range bindings.Items {
		if of := &bindings.Items[i]; slices.ContainsFunc(of.Subjects, isManager) {
			role := &rbacv1.Role{}
			Expect(api.Get(ctx, client.ObjectKey{Namespace: of.Namespace, Name: of.RoleRef.Name}, role)).To(Succeed())
			all = append(all, rightsOf(role, role.Rules)...)
		}
	}
	return all
}

func isManager(subject rbacv1.Subject) bool {
	return subject.Kind == rbacv1.ServiceAccountKind && subject.Namespace == system && subject.Name == account
}

func rightsOf(role client.Object, rules []rbacv1.PolicyRule) []right {
	var all []right
	for i := range rules {
		for _, group := range rules[i].APIGroups {
			for _, resource := range rules[i].Resources {
				for _, verb := range rules[i].Verbs {
					all = append(all, right{role: role, rule: i, group: group, resource: resource, verb: verb})
				}
			}
		}
	}
	return all
}

// without returns the rules of a role but for a right.
func (r *right) without(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var rest []rbacv1.PolicyRule
	for _, of := range rightsOf(r.role, rules) {
		if of.rule != r.rule || of.group != r.group || of.resource != r.resource || of.verb != r.verb {
			rest = append(rest, rbacv1.PolicyRule{
				APIGroups: []string{of.group}, Resources: []string{of.resource}, Verbs: []string{of.verb},
				ResourceNames: rules[of.rule].ResourceNames,
			})
		}
	}
	return rest
}

// take takes a right away, and returns what gives it back.
func (r *right) take(ctx context.Context) (restore func(ctx context.Context)) {
	GinkgoHelper()
	set := func(ctx context.Context, of client.Object) {
		of.SetResourceVersion("")
		of.SetManagedFields(nil)
		Expect(api.Update(ctx, of)).To(Succeed())
	}
	original, ok := r.role.DeepCopyObject().(client.Object)
	Expect(ok).To(BeTrue())
	switch role := r.role.DeepCopyObject().(type) {
	case *rbacv1.ClusterRole:
		role.Rules = r.without(role.Rules)
		set(ctx, role)
	case *rbacv1.Role:
		role.Rules = r.without(role.Rules)
		set(ctx, role)
	}
	return func(ctx context.Context) { set(ctx, original) }
}

// refusedNow returns the first of some requests that the manager may not make.
func refusedNow(requests []request) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		for i := range requests {
			of := requests[i].ObjectRef
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User:   managerUser,
				Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + system, "system:authenticated"},
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Verb: requests[i].Verb, Group: of.APIGroup, Resource: of.Resource, Subresource: of.Subresource,
					Namespace: of.Namespace, Name: of.Name,
				},
			}}
			if err := api.Create(ctx, review); err != nil {
				return "", err
			}
			if !review.Status.Allowed {
				return requests[i].String(), nil
			}
		}
		return "", nil
	}
}

var _ = Describe("The rights of the manager", func() {
	It("are enough for all that it does, and none is too much", func(ctx SpecContext) {
		DeferCleanup(func(ctx context.Context) { remove(ctx, replaceOverlay) })
		By("finding out whether to act")
		install(ctx, defaultOverlay, "servicenet:v1")
		asking := startDeployed(ctx, "asking", "--endpoints-quiet-period=2s")
		Eventually(decides).WithContext(ctx).Should(BeTrue())
		asking.stop(ctx)
		By("acting")
		install(ctx, replaceOverlay, "servicenet:v1")
		manager := startDeployed(ctx, "manager", "--endpoints-check-period=1s")
		service := live(ctx, manager)
		By("another replica after one that was killed")
		Expect(manager.Kill()).To(Succeed())
		manager = startDeployed(ctx, "manager-after")
		Eventually(takesBack).WithContext(ctx).Should(BeTrue())
		Expect(api.Delete(ctx, service)).To(Succeed())
		Eventually(gone(service)).WithContext(ctx).Should(BeTrue())
		manager.stop(ctx)

		By("taking each right away in turn")
		allowed, forbidden := asked()
		var words []string
		for i := range forbidden {
			words = append(words, forbidden[i].String())
		}
		Expect(words).To(BeEmpty(), "what the manager asked for and may not")

		var idle []string
		for _, of := range rights(ctx) {
			if _, known := unseen()[of.String()]; known {
				continue
			}
			var used []request
			for i := range allowed {
				if allowed[i].Verb == of.verb && allowed[i].ObjectRef.APIGroup == of.group && allowed[i].resource() == of.resource {
					used = append(used, allowed[i])
				}
			}
			if len(used) == 0 {
				idle = append(idle, of.String()+" is used by nothing")
				continue
			}
			if !missed(ctx, &of, used) {
				idle = append(idle, of.String()+" is given twice")
			}
		}
		Expect(idle).To(BeEmpty(), "rights that nothing needs")
	})
})

// decides tells whether a replica has noted what it found out.
func decides() bool {
	GinkgoHelper()
	allowed, _ := asked()
	return slices.ContainsFunc(allowed, func(of request) bool { return of.Verb == "update" && of.resource() == "services" })
}

// takesBack tells whether a replica has looked for those that are gone.
func takesBack() bool {
	GinkgoHelper()
	allowed, _ := asked()
	return slices.ContainsFunc(allowed, func(of request) bool { return of.Verb == "list" && of.ObjectRef.Resource == "leases" })
}

// missed takes a right away, and tells whether one of some requests is then refused.
func missed(ctx context.Context, of *right, used []request) bool {
	GinkgoHelper()
	const soon = 3 * time.Second // the authorizer follows within milliseconds
	restore := of.take(ctx)
	defer restore(ctx)
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	refused := refusedNow(used)
	for ctx.Err() == nil {
		if one, err := refused(ctx); err == nil && one != "" {
			return true
		}
	}
	return false
}
