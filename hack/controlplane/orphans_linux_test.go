// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// parentVariable turns the test binary into a program that starts a control
// plane, prints the process ids of its parts, and waits to be killed.
const parentVariable = "CONTROLPLANE_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentVariable); dir != "" {
		fmt.Fprintln(os.Stderr, parent(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func parent(dir string) error {
	cp, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		return err
	}
	fmt.Println(cp.Etcd().PID())
	fmt.Println(cp.APIServer().PID())
	<-cp.Done()
	return cp.Err()
}

func TestPartsDieWithAKilledParent(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), program)
	parent.Env = append(os.Environ(), parentVariable+"="+t.TempDir())
	parent.Stderr = os.Stderr
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(output); len(pids) < 2 && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) < 2 {
		t.Fatalf("the parent started %d parts, want 2", len(pids))
	}

	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed, that is its error
	for _, pid := range pids {
		eventually(t, "the end of part "+strconv.Itoa(pid), func() bool { return !running(pid) })
	}
}
