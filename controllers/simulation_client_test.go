// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// simFault is what can become of a request.
type simFault int

const (
	simNoFault simFault = iota
	simRefused
	simLate // no answer; it takes effect at some later time
	simAnswerLost
	simCrashBefore
	simCrashLate
	simCrashAfter
)

func (w *simWorld) fault() simFault {
	if !w.chaos || !w.chance(8) {
		return simNoFault
	}
	return pick(w, simRefused, simRefused, simLate, simAnswerLost, simCrashBefore, simCrashLate, simCrashAfter)
}

// inAnyOrder makes writes that go out at once: one of them may fail while others
// are under way.
func (w *simWorld) inAnyOrder(writes []func() error) (failure error) {
	for _, i := range w.random.Perm(len(writes)) {
		if failure != nil && w.chance(2) {
			break
		}
		if err := writes[i](); err != nil {
			failure = err
		}
	}
	return failure
}

// simCrash is what a reconcile panics with when its process dies.
type simCrash struct{}

// simClient is the connection of one reconciler to the server. While there is
// chaos, requests fail in all the ways there are, and time passes around them.
type simClient struct {
	client.Client // what the reconcilers do not call is missing
	manager       *simManager
	managedBy     string
}

func (c *simClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	w := c.manager.world
	w.interleave()
	if w.chaos && w.chance(10) {
		return apierrors.NewInternalError(errors.New("refused"))
	}
	return w.api.Get(ctx, key, into, opts...)
}

func (c *simClient) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	w := c.manager.world
	w.interleave()
	if w.chaos && w.chance(10) {
		return apierrors.NewInternalError(errors.New("refused"))
	}
	return w.api.List(ctx, into, opts...)
}

func (c *simClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return c.write("create", object, func(sent client.Object) error { return c.manager.world.api.Create(ctx, sent, opts...) })
}

func (c *simClient) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	return c.write("update", object, func(sent client.Object) error { return c.manager.world.api.Update(ctx, sent, opts...) })
}

func (c *simClient) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	return c.write("delete", object, func(sent client.Object) error { return c.manager.world.api.Delete(ctx, sent, opts...) })
}

// write sends one write. Its answer may be lost, and it may still be under way
// when its sender gives up on it or is gone.
func (c *simClient) write(verb string, object client.Object, send func(client.Object) error) error {
	w := c.manager.world
	w.interleave()
	c.manager.diesIfDead()
	sent := simCopy(object)
	request := func() error { return c.arrives(verb, sent, send) }
	switch w.fault() {
	case simRefused:
		w.tracef("%s: %s %s: refused", c.manager.name, verb, simText{sent})
		return apierrors.NewTooManyRequests("refused", 1)
	case simLate:
		w.underWay = append(w.underWay, request)
		return apierrors.NewTimeoutError("no answer yet", 1)
	case simAnswerLost:
		_ = request() // nobody hears of it
		return apierrors.NewInternalError(errors.New("answer lost"))
	case simCrashBefore:
		c.manager.crash()
	case simCrashLate:
		w.underWay = append(w.underWay, request)
		c.manager.crash()
	case simCrashAfter:
		_ = request() // nobody hears of it
		c.manager.crash()
	case simNoFault:
	}
	err := request()
	if verb != "delete" && err == nil {
		simAssign(object, sent)
	}
	w.interleave()
	c.manager.diesIfDead()
	return err
}

// arrives lets a request take effect at the server.
func (c *simClient) arrives(verb string, sent client.Object, send func(client.Object) error) error {
	w := c.manager.world
	w.writes++
	before := w.api.objects[simKindOf(sent)][client.ObjectKeyFromObject(sent)]
	err := send(sent)
	w.tracef("%s: %s %s: %v", c.manager.name, verb, simText{sent}, err)
	if err == nil && before != nil {
		w.checkForeign(before, c.managedBy)
	}
	return err
}

// crash ends the process in the middle of a reconcile.
func (m *simManager) crash() {
	m.world.tracef("%s: crashes", m.name)
	m.dead = true
	if m.world.leader == m {
		m.world.restart()
	}
	m.diesIfDead()
}

// diesIfDead ends a reconcile whose process is gone.
func (m *simManager) diesIfDead() {
	if m.dead {
		panic(simCrash{})
	}
}
