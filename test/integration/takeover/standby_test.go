// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
)

const (
	// asking is where the manager keeps what it asks with: it runs outside of the cluster.
	asking = metav1.NamespaceSystem
	// inTime is for how long nobody else must be seen before the manager acts.
	inTime = "--endpoints-quiet-period=3s"
	auto   = "--endpoints-mode=auto"
	// never is a time that no spec lasts for: with it, a manager acts only where the one
	// before it did.
	never = "--endpoints-quiet-period=24h"
	// another is a controller of kube-controller-manager that writes no endpoints.
	another = "ttl-controller"
	// renewal is how often a Lease is renewed.
	renewal = 500 * time.Millisecond
)

// elects has kube-controller-manager choose a leader by its Lease, in a short time, which
// is still long enough for a busy machine: one that cannot renew it ends.
func elects() []string {
	return []string{
		"--leader-elect=true", "--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=5s", "--leader-elect-retry-period=500ms",
	}
}

// decided is what a manager recorded of one of its controllers.
type decided struct {
	Acts            bool
	Reason, Message string
}

// decisions returns what the manager has recorded, by controller.
func (w *world) decisions(ctx context.Context) (map[string]decided, error) {
	var service corev1.Service
	err := w.api.Get(ctx, client.ObjectKey{Namespace: asking, Name: "servicenet-endpoints-question"}, &service)
	if err != nil {
		return nil, err
	}
	found := map[string]decided{}
	err = json.Unmarshal([]byte(service.Annotations["servicenet.dev/endpoints-decisions"]), &found)
	return found, err
}

// awaitDecision waits until all three controllers of a manager stand by, or act, for a
// reason.
func (w *world) awaitDecision(ctx context.Context, ours *writer, reason string) {
	GinkgoHelper()
	Eventually(func(g Gomega, ctx context.Context) {
		found, err := w.decisions(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		for _, name := range []string{"endpointslice", "endpoints", "endpointslicemirroring"} {
			g.Expect(found[name].Reason).To(Equal(reason), name)
			g.Expect(found[name].Message).NotTo(BeEmpty())
		}
		now, err := ours.read(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		acting := 0.0
		if reason == "NobodyElse" {
			acting = 3
		}
		g.Expect(now.sum("servicenet_endpoints_acting")).To(Equal(acting))
	}).WithContext(ctx).Should(Succeed())
}

// written returns what the manager asked the API server to change, besides what it asks
// with.
func (w *world) written() []string {
	GinkgoHelper()
	var found []string
	for _, sent := range w.requests(managerUser) {
		object := sent.ObjectRef
		if object.Namespace != asking || !strings.HasPrefix(object.Name, "servicenet-") {
			found = append(found, sent.Verb+" "+object.Resource+" "+object.Namespace+"/"+object.Name)
		}
	}
	return found
}

var _ = Describe("A manager that finds out", func() {
	var (
		on *world
		in space
	)

	BeforeEach(func(ctx SpecContext) {
		on = newWorld(ctx)
		in = on.newSpace(ctx, "together")
	}, NodeTimeout(startTimeout))

	It("stands by beside kube-controller-manager, with each of its replicas", func(ctx SpecContext) {
		stock := on.startStock(ctx, elects()...)
		life := newChurn(ctx, in)
		ours := on.startOurs(ctx, auto, inTime, "--leader-elect", "--leader-election-namespace="+asking)
		on.awaitDecision(ctx, ours, "SomebodyElse")
		life.steps(ctx, burst)
		on.awaitQuiet(ctx, stock)
		Expect(on.written()).To(BeEmpty())
		Expect(on.status(ctx)).To(And(MatchRegexp(`kube-system +\S+_\S+ +0 +auto`), MatchRegexp(`kube-system +endpoints +false +SomebodyElse +2`)))

		By("changing the leader")
		second := on.startOurs(ctx, auto, inTime, "--leader-elect", "--leader-election-namespace="+asking)
		Expect(ours.Kill()).To(Succeed())
		on.awaitLeader(ctx, second)
		on.awaitDecision(ctx, second, "SomebodyElse")
		life.steps(ctx, burst)
		on.awaitQuiet(ctx, stock)
		Expect(on.written()).To(BeEmpty())

		By("stopping the last one, which leaves nothing")
		Expect(second.Stop(ctx)).To(Succeed())
		Eventually(on.asked).WithContext(ctx).Should(BeEmpty())
	}, SpecTimeout(startTimeout))

	It("stands by while kube-controller-manager runs without its endpoint controllers, until it is told to act", func(ctx SpecContext) {
		on.startStockOf(ctx, another, elects()...)
		newChurn(ctx, in)
		ours := on.startOurs(ctx, auto, inTime)
		on.awaitDecision(ctx, ours, "KubeControllerManagerRuns")
		found, err := on.decisions(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(found["endpoints"].Message).To(And(ContainSubstring("kube-system/kube-controller-manager"), ContainSubstring("--endpoints-mode=on")))
		Expect(on.written()).To(BeEmpty())

		By("telling it")
		Expect(ours.Stop(ctx)).To(Succeed())
		told := on.startOurs(ctx, "--endpoints-mode=on")
		on.awaitQuiet(ctx, told)
		Expect(in.mistakes(ctx)).To(BeEmpty())
		Expect(on.asked(ctx)).To(BeEmpty())
	}, SpecTimeout(startTimeout))

	It("waits for a kube-controller-manager that is slow to start", func(ctx SpecContext) {
		starting := on.renewLease(ctx)
		newChurn(ctx, in)
		ours := on.startOurs(ctx, auto, inTime)
		on.awaitDecision(ctx, ours, "KubeControllerManagerRuns")
		stock := on.startStock(ctx)
		on.awaitDecision(ctx, ours, "SomebodyElse")
		starting()
		on.awaitQuiet(ctx, stock)
		Expect(in.mistakes(ctx)).To(BeEmpty())
		Expect(on.written()).To(BeEmpty())
	}, SpecTimeout(startTimeout))

	It("acts while there is nobody else, and loses and doubles nothing", func(ctx SpecContext) {
		small := fmt.Sprintf("--max-endpoints-per-slice=%d", maxEndpoints)
		life := newChurn(ctx, in)
		ours := on.startOurs(ctx, auto, inTime, small)
		on.awaitDecision(ctx, ours, "NobodyElse")
		watched := in.keepSteady(ctx, "web")
		life.steps(ctx, burst)
		on.awaitQuiet(ctx, ours)
		Expect(in.faults(ctx)).To(BeEmpty())

		By("leaving it to kube-controller-manager that starts")
		watched.gapsPass()
		stock := on.startStock(ctx, append(elects(), small)...)
		life.steps(ctx, burst)
		on.awaitDecision(ctx, ours, "SomebodyElse")
		on.awaitQuiet(ctx, ours, stock)
		watched.gapsCount(ctx)
		on.leavesAlone(ctx, life, ours, stock)

		for i, end := range []func() error{
			stock.Kill,
			func() error { return stock.Stop(ctx) },
			func() error { return stock.Signal(syscall.SIGSTOP) },
		} {
			By(fmt.Sprintf("acting when it ends, way %d", i))
			life.steps(ctx, burst)
			Expect(end()).To(Succeed())
			life.steps(ctx, burst)
			on.awaitDecision(ctx, ours, "NobodyElse")
			on.awaitQuiet(ctx, ours)
			Expect(in.faults(ctx)).To(BeEmpty())

			By("leaving it to it again")
			life.steps(ctx, burst)
			watched.gapsPass()
			// One that was paused ends when it goes on, since its Lease is over. A signal
			// that means nothing tells the control plane that this is meant.
			Expect(stock.Signal(syscall.SIGWINCH)).To(Succeed())
			Expect(stock.Signal(syscall.SIGCONT)).To(Succeed())
			Expect(stock.Restart(ctx)).To(Succeed())
			life.steps(ctx, burst)
			on.awaitDecision(ctx, ours, "SomebodyElse")
			on.awaitQuiet(ctx, ours, stock)
			watched.gapsCount(ctx)
			on.leavesAlone(ctx, life, ours, stock)
		}
		begun, missing := watched.state()
		Expect(begun).To(BeTrue())
		Expect(missing).To(BeEmpty())
	}, SpecTimeout(2*startTimeout))

	It("leaves it to one without a Lease that goes on after a pause, with what it had decided before", func(ctx SpecContext) {
		small := fmt.Sprintf("--max-endpoints-per-slice=%d", maxEndpoints)
		// With so few requests a second there is always a write that waits its turn.
		stock := on.startStock(ctx, small, "--kube-api-qps=20", "--kube-api-burst=1")
		life := newChurn(ctx, in)
		watched := in.keepSteady(ctx, "web")
		ours := on.startOurs(ctx, auto, inTime, small)
		on.awaitDecision(ctx, ours, "SomebodyElse")
		for i := range pauses {
			By(fmt.Sprintf("pausing it, time %d", i+1))
			life.steps(ctx, burst)
			Expect(stock.Signal(syscall.SIGSTOP)).To(Succeed())
			life.steps(ctx, burst)
			on.awaitDecision(ctx, ours, "NobodyElse")
			Eventually(in.faults).WithContext(ctx).Should(BeEmpty(), "what the manager does alone")
			life.steps(ctx, burst)
			watched.gapsPass()
			Expect(stock.Signal(syscall.SIGCONT)).To(Succeed())
			life.steps(ctx, burst)
			on.awaitDecision(ctx, ours, "SomebodyElse")
			on.awaitQuiet(ctx, ours, stock)
			watched.gapsCount(ctx)
		}
		on.leavesAlone(ctx, life, ours, stock)
		begun, missing := watched.state()
		Expect(begun).To(BeTrue())
		Expect(missing).To(BeEmpty())
	}, SpecTimeout(startTimeout))

	It("is let through by its own webhooks", func(ctx SpecContext) {
		crds := filepath.Join("..", "..", "..", "config", "crd", "bases")
		Expect(on.plane.InstallCRDs(ctx, crds)).To(Succeed())
		path, err := controlplane.FindBinaries().Find("manager")
		Expect(err).NotTo(HaveOccurred())
		ours, err := on.plane.StartManager(ctx, controlplane.ManagerOptions{
			Path: path, RoleFile: roleFile, ServeWebhooks: true, Args: []string{auto, inTime},
		})
		Expect(err).NotTo(HaveOccurred())
		hooks := filepath.Join("..", "..", "..", "config", "webhook", "service-webhooks.yaml")
		Expect(on.plane.RegisterWebhooks(ctx, ours.WebhookURL, hooks)).To(Succeed())
		Eventually(on.asked).WithContext(ctx).ShouldNot(BeEmpty())
		for _, name := range []string{"servicenet-endpoints-question", "servicenet-mirroring-question"} {
			Expect(client.IgnoreNotFound(on.api.Delete(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: asking, Name: name}}))).To(Succeed())
		}
		Eventually(func(g Gomega, ctx context.Context) {
			found, err := on.decisions(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(found["endpoints"].Acts && found["endpointslicemirroring"].Acts).To(BeTrue())
		}).WithContext(ctx).Should(Succeed())
		Expect(ours.Stop(ctx)).To(Succeed())
		Expect(on.asked(ctx)).To(ContainElement("servicenet-endpoints-question"), "what the next one has to know")
	}, SpecTimeout(startTimeout))

	It("goes on at once where the one before it has acted", func(ctx SpecContext) {
		life := newChurn(ctx, in)
		flags := []string{auto, "--leader-elect", "--leader-election-namespace=" + asking}
		first := on.startOurs(ctx, append(flags, inTime)...)
		on.awaitDecision(ctx, first, "NobodyElse")
		second := on.startOurs(ctx, append(flags, never)...)
		for _, end := range []func() error{first.Kill, func() error { return second.Stop(ctx) }} {
			life.steps(ctx, burst)
			Expect(end()).To(Succeed())
			heir := second
			if end := second.Done(); isDone(end) {
				heir = on.startOurs(ctx, append(flags, never)...)
			}
			on.awaitLeader(ctx, heir)
			on.awaitDecision(ctx, heir, "NobodyElse")
			on.awaitQuiet(ctx, heir)
			Expect(in.mistakes(ctx)).To(BeEmpty())
		}
	}, SpecTimeout(startTimeout))
})

func isDone(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// leavesAlone expects that only the stock controllers write, and that all is well then.
func (w *world) leavesAlone(ctx context.Context, life *churn, ours, stock *writer) {
	GinkgoHelper()
	Eventually(ours.idle).WithContext(ctx).Should(BeTrue())
	before := w.written()
	life.steps(ctx, burst)
	w.awaitQuiet(ctx, ours, stock)
	Expect(life.in.faults(ctx)).To(BeEmpty(), "what the stock controllers make of it")
	Expect(w.written()).To(Equal(before), "the manager writes though it stands by")
	Expect(isDone(stock.Done())).To(BeFalse(), "kube-controller-manager ended")
}

// mistakes names what is wrong with endpoints in slices of any size.
func (in space) mistakes(ctx context.Context) ([]string, error) {
	faults, err := in.faults(ctx)
	var others []string
	for _, fault := range faults {
		if !strings.Contains(fault, " lists ") {
			others = append(others, fault)
		}
	}
	return others, err
}

// asked returns the names of what a manager asks with, and of what answers by name.
func (w *world) asked(ctx context.Context) ([]string, error) {
	var (
		names     []string
		services  corev1.ServiceList
		endpoints corev1.EndpointsList
	)
	for _, list := range []client.ObjectList{&services, &endpoints} {
		if err := w.api.List(ctx, list, client.InNamespace(asking)); err != nil {
			return nil, err
		}
	}
	for i := range services.Items {
		names = append(names, services.Items[i].Name)
	}
	for i := range endpoints.Items {
		names = append(names, endpoints.Items[i].Name)
	}
	return names, nil
}

// status returns what the manager's command of that name prints.
func (w *world) status(ctx context.Context) string {
	GinkgoHelper()
	path, err := controlplane.FindBinaries().Find("manager")
	Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(controlplane.WriteKubeconfig(kubeconfig, w.plane.RESTConfig())).To(Succeed())
	told, err := exec.CommandContext(ctx, path, "status", "--kubeconfig="+kubeconfig).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(told))
	return string(told)
}

// awaitLeader waits until a manager leads.
func (w *world) awaitLeader(ctx context.Context, who *writer) {
	GinkgoHelper()
	Eventually(func(g Gomega, ctx context.Context) {
		now, err := who.read(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(now.sum("leader_election_master_status")).To(Equal(1.0))
	}).WithContext(ctx).Should(Succeed())
}

// renewLease renews the Lease of kube-controller-manager as one does that is still
// starting, until the function is called that it returns.
func (w *world) renewLease(ctx context.Context) (end func()) {
	GinkgoHelper()
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: stockName},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: new("one-that-starts"), LeaseDurationSeconds: new(int32(3))},
	}
	Expect(w.api.Create(ctx, lease)).To(Succeed())
	lasting, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		transitions := int32(0)
		wait.UntilWithContext(lasting, func(ctx context.Context) {
			transitions++
			lease.Spec.LeaseTransitions = &transitions
			_ = w.api.Update(ctx, lease) // one that fails is as one that comes late
		}, renewal)
	}()
	return func() {
		cancel()
		<-done
	}
}
