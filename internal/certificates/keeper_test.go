// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func options() *Options {
	return &Options{
		Secret:   client.ObjectKey{Namespace: "system", Name: "pair"},
		Mutating: "services", Validating: []string{"services", "pools"},
	}
}

// scene is an API server with what is installed, and how many writes it took.
type scene struct {
	client.Client

	writes int
	// refuse is the answer to changes of webhook configurations, if any.
	refuse error
}

func install(t *testing.T) *scene {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	mutating := &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "services"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{
			{Name: "one", ClientConfig: admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Name: "s"}}},
			{Name: "two"},
		},
	}
	validating := func(name string) client.Object {
		return &admissionregistrationv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Webhooks:   []admissionregistrationv1.ValidatingWebhook{{Name: "one"}},
		}
	}
	s := &scene{}
	s.Client = fake.NewClientBuilder().WithScheme(scheme).
		WithObjects(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "pair"}},
			mutating, validating("services"), validating("pools"), validating("of others")).
		WithInterceptorFuncs(interceptor.Funcs{
			Update: func(ctx context.Context, c client.WithWatch, of client.Object, o ...client.UpdateOption) error {
				s.writes++
				return c.Update(ctx, of, o...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, of client.Object, p client.Patch, o ...client.PatchOption) error {
				if s.refuse != nil {
					return s.refuse
				}
				s.writes++
				return c.Patch(ctx, of, p, o...)
			},
		}).Build()
	return s
}

// replica returns one that reads through a cache.
func (s *scene) replica(reader client.Reader) *keeper {
	return &keeper{
		issuer: *anIssuer(), secret: options().Secret, configurations: options().configurations(),
		reader: reader, writer: s, clock: clocktesting.NewFakePassiveClock(begin()), store: NewStore(),
	}
}

// reconcileTwice is for the event of the Secret that is written, too.
func reconcileTwice(t *testing.T, k *keeper) {
	t.Helper()
	for range 2 {
		if _, err := k.Reconcile(t.Context(), reconcile.Request{}); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *scene) secret(t *testing.T) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	if err := s.Get(t.Context(), options().Secret, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

// trusted returns the authorities of all webhooks.
func (s *scene) trusted(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, of := range append(options().configurations(), configuration{&admissionregistrationv1.ValidatingWebhookConfiguration{}, "of others"}) {
		object, _ := of.kind.DeepCopyObject().(client.Object)
		if err := s.Get(t.Context(), client.ObjectKey{Name: of.name}, object); err != nil {
			t.Fatal(err)
		}
		for _, hook := range webhooksOf(object) {
			all = append(all, string(hook.trusted))
		}
	}
	return all
}

func filled(s *Store) bool {
	select {
	case <-s.Filled():
		return true
	default:
		return false
	}
}

// serves fails unless a replica serves what the Secret has.
func serves(t *testing.T, k *keeper, secret *corev1.Secret) {
	t.Helper()
	pair, err := k.store.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(secret.Data[corev1.TLSCertKey])
	if block == nil || !bytes.Equal(block.Bytes, pair.Leaf.Raw) || !filled(k.store) {
		t.Error("another certificate than that of the Secret is served")
	}
	verify(t, secret.Data, secret.Data, begin())
}

func TestAFirstInstallationIsTrustedAndServed(t *testing.T) {
	s := install(t)
	k := s.replica(s)
	if _, err := k.store.Get(nil); err == nil {
		t.Error("an empty store has a certificate")
	}
	reconcileTwice(t, k)
	secret := s.secret(t)
	serves(t, k, secret)
	ca := string(secret.Data[authorityCert])
	if difference := cmp.Diff([]string{ca, ca, ca, ca, ""}, s.trusted(t)); difference != "" {
		t.Errorf("trusted (-want +got): %s", difference)
	}
	var hooks admissionregistrationv1.MutatingWebhookConfiguration
	if err := s.Get(t.Context(), client.ObjectKey{Name: "services"}, &hooks); err != nil || hooks.Webhooks[0].ClientConfig.Service == nil {
		t.Errorf("the rest of a webhook is not kept (%v)", err)
	}

	before := s.writes
	if again, err := k.Reconcile(t.Context(), reconcile.Request{}); err != nil || again.RequeueAfter == 0 {
		t.Errorf("nobody looks again when it is to be renewed (%v)", err)
	}
	reconcileTwice(t, k)
	if s.writes != before {
		t.Errorf("%d writes where all agrees", s.writes-before)
	}
}

func TestNothingIsServedBeforeItIsTrusted(t *testing.T) {
	s := install(t)
	k := s.replica(s)
	s.refuse = errors.New("not now")
	if _, err := k.Reconcile(t.Context(), reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Reconcile(t.Context(), reconcile.Request{}); !errors.Is(err, s.refuse) {
		t.Errorf("got %v, want the server's error", err)
	}
	if filled(k.store) {
		t.Error("served while nobody trusts it")
	}
	s.refuse = nil
	reconcileTwice(t, k)
	if !filled(k.store) {
		t.Error("not served once it is trusted")
	}
}

// moved shows the webhooks as they were before others changed their order.
type moved struct{ client.Reader }

func (m moved) Get(ctx context.Context, key client.ObjectKey, into client.Object, o ...client.GetOption) error {
	err := m.Reader.Get(ctx, key, into, o...)
	if of, ok := into.(*admissionregistrationv1.MutatingWebhookConfiguration); ok {
		slices.Reverse(of.Webhooks)
	}
	return err
}

func TestNoOtherWebhookIsChangedThanTheOneThatWasSeen(t *testing.T) {
	s := install(t)
	k := s.replica(s)
	if _, err := k.Reconcile(t.Context(), reconcile.Request{}); err != nil {
		t.Fatal(err)
	}
	k.reader = moved{s}
	if _, err := k.Reconcile(t.Context(), reconcile.Request{}); err == nil || filled(k.store) {
		t.Error("written by a number that means another one by now")
	}
}

// stale shows the Secret as it was.
type stale struct {
	client.Reader

	secret *corev1.Secret
}

func (s stale) Get(ctx context.Context, key client.ObjectKey, into client.Object, o ...client.GetOption) error {
	if secret, ok := into.(*corev1.Secret); ok {
		s.secret.DeepCopyInto(secret)
		return nil
	}
	return s.Reader.Get(ctx, key, into, o...)
}

func TestOfSeveralReplicasTheFirstOneWins(t *testing.T) {
	s := install(t)
	empty := s.secret(t)
	first, second := s.replica(s), s.replica(stale{s, empty})
	reconcileTwice(t, first)
	winner := s.secret(t)
	reconcileTwice(t, second)
	if filled(second.store) {
		t.Error("a certificate is served that is not in the Secret")
	}
	if difference := cmp.Diff(winner.Data, s.secret(t).Data); difference != "" {
		t.Errorf("the Secret was written by both: %s", difference)
	}
	second.reader = s
	reconcileTwice(t, second)
	serves(t, second, winner)
}

func TestARotationIsServedWithoutARestart(t *testing.T) {
	s := install(t)
	first, second := s.replica(s), s.replica(s)
	reconcileTwice(t, first)
	reconcileTwice(t, second)
	secret := s.secret(t)
	delete(secret.Data, corev1.TLSCertKey)
	if err := s.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	reconcileTwice(t, first)
	reconcileTwice(t, second)
	serves(t, first, s.secret(t))
	serves(t, second, s.secret(t))
}

func TestWhatIsMissingIsWaitedFor(t *testing.T) {
	s := install(t)
	k := s.replica(s)
	if err := s.Delete(t.Context(), s.secret(t)); err != nil {
		t.Fatal(err)
	}
	reconcileTwice(t, k)
	if filled(k.store) {
		t.Error("served without a Secret")
	}
	empty := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "pair"}}
	if err := s.Create(t.Context(), empty); err != nil {
		t.Fatal(err)
	}
	pools := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "pools"}}
	if err := s.Delete(t.Context(), pools); err != nil {
		t.Fatal(err)
	}
	reconcileTwice(t, k)
	serves(t, k, s.secret(t))
}
