// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"

	"servicenet.dev/servicenet/hack/lock"
)

// status says what runs, with the ids of the processes.
func status(_ context.Context, s settings) error {
	if !held(s.dir) {
		return errors.New("no cluster is up in " + s.dir)
	}
	held, err := lock.Acquire(s.dir)
	if err == nil {
		return errors.Join(errors.New("the cluster has just ended"), held.Release())
	}
	other, isHeld := errors.AsType[*lock.HeldError](err)
	if !isHeld {
		return err
	}
	processes, err := marked(s.dir)
	if err != nil {
		return err
	}
	fmt.Print(other.Text, "\n")
	for _, p := range processes {
		fmt.Printf("%8d  %s\n", p.pid, p.name)
	}
	return nil
}
