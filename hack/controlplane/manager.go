// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"net/http"

	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// managerUser is the manager's service account as `make deploy` names it,
	// so that the API server tells its requests apart in the same way.
	managerUser = "system:serviceaccount:servicenet-system:servicenet-controller-manager"

	// managerRole is the ClusterRole that config/rbac/role.yaml defines.
	managerRole = "manager-role"

	// managerLeases is the name of what lets the manager have Leases, and Services that
	// ask who writes endpoints, in the namespace where it keeps them outside of a cluster.
	managerLeases = "manager-leases"
)

// ManagerOptions say how to run a servicenet manager.
type ManagerOptions struct {
	// Name stands in messages and is the name of the log. Default: "manager".
	Name string
	// Path of the program.
	Path string
	// RoleFile is the generated config/rbac/role.yaml: the manager may do no
	// more than that.
	RoleFile string
	// ServeWebhooks has it serve its webhooks on the loopback interface, with a
	// certificate of the cluster's authority. RegisterWebhooks makes the API server
	// call them.
	ServeWebhooks bool
	// Args come after the arguments of this package, so that they win.
	Args []string
}

// Manager is a servicenet manager that runs as a process.
type Manager struct {
	*Process

	// HealthURL and MetricsURL are the roots of its two plain HTTP servers, on
	// the loopback interface.
	HealthURL, MetricsURL string

	// WebhookURL is the root of its HTTPS server of webhooks, if it has one.
	WebhookURL string
}

// StartManager starts a manager outside of the cluster, without leader
// election, and waits until it is ready.
func (cp *ControlPlane) StartManager(ctx context.Context, options ManagerOptions) (*Manager, error) {
	if options.Name == "" {
		options.Name = "manager"
	}
	if err := cp.grantManager(ctx, options.RoleFile); err != nil {
		return nil, err
	}
	kubeconfig, err := cp.writeKubeconfigFor(options.Name, managerUser)
	if err != nil {
		return nil, err
	}
	manager := &Manager{}
	manager.Process, _, err = cp.startOnFreePort(ctx, func(port int) (Command, error) {
		metricsPort, err := FreePort(ctx)
		if err != nil {
			return Command{}, err
		}
		manager.HealthURL = loopbackURL("http", port)
		manager.MetricsURL = loopbackURL("http", metricsPort)
		args := []string{
			"--kubeconfig=" + kubeconfig,
			"--leader-elect=false",
			"--health-probe-bind-address=" + loopbackAddress(port),
			"--metrics-bind-address=" + loopbackAddress(metricsPort),
			"--metrics-secure=false",
		}
		if options.ServeWebhooks {
			more, err := cp.serveWebhooks(ctx, manager)
			if err != nil {
				return Command{}, err
			}
			args = append(args, more...)
		}
		return Command{
			Name:  options.Name,
			Path:  options.Path,
			Args:  append(args, options.Args...),
			Ready: HTTPReady(http.DefaultClient, manager.HealthURL+"/readyz"),
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return manager, nil
}

// grantManager gives the manager's user the generated role.
func (cp *ControlPlane) grantManager(ctx context.Context, roleFile string) error {
	if err := cp.Apply(ctx, roleFile); err != nil {
		return fmt.Errorf("permissions of the manager (`make manifests` generates them): %w", err)
	}
	clients, err := cp.client()
	if err != nil {
		return err
	}
	binding := rbacv1ac.ClusterRoleBinding(managerRole).
		WithRoleRef(rbacv1ac.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("ClusterRole").WithName(managerRole)).
		WithSubjects(rbacv1ac.Subject().WithAPIGroup(rbacv1.GroupName).WithKind(rbacv1.UserKind).WithName(managerUser))
	if err := clients.Apply(ctx, binding, fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("binding ClusterRole %s to the manager's user: %w", managerRole, err)
	}
	return grantLeases(ctx, clients)
}

// grantLeases gives the manager's user what it writes in a namespace, as
// config/rbac/leader_election_role.yaml does in the manager's own.
func grantLeases(ctx context.Context, clients client.Client) error {
	role := rbacv1ac.Role(managerLeases, metav1.NamespaceSystem).WithRules(rbacv1ac.PolicyRule().
		WithAPIGroups(coordinationv1.GroupName).WithResources("leases").
		WithVerbs("get", "list", "create", "update", "delete"), rbacv1ac.PolicyRule().
		WithAPIGroups("").WithResources("services").WithVerbs("create", "update", "delete"))
	if err := clients.Apply(ctx, role, fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("making the Role %s: %w", managerLeases, err)
	}
	binding := rbacv1ac.RoleBinding(managerLeases, metav1.NamespaceSystem).
		WithRoleRef(rbacv1ac.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("Role").WithName(managerLeases)).
		WithSubjects(rbacv1ac.Subject().WithAPIGroup(rbacv1.GroupName).WithKind(rbacv1.UserKind).WithName(managerUser))
	if err := clients.Apply(ctx, binding, fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("binding Role %s to the manager's user: %w", managerLeases, err)
	}
	return nil
}
