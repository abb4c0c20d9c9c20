// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newEmpty returns a control plane without any part, for tests of the way
// processes are run.
func newEmpty(t *testing.T) *ControlPlane {
	t.Helper()
	options, _, err := Options{Dir: t.TempDir()}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	cp := &ControlPlane{options: options, spawner: newSpawner(), done: make(chan struct{})}
	if err := cp.prepareDir(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

// shell is a part that runs a script.
func shell(name, script string) Command {
	return Command{Name: name, Path: "/bin/sh", Args: []string{"-c", script}}
}

func TestStartOfAPartThatFails(t *testing.T) {
	t.Parallel()
	cp := newEmpty(t)
	command := shell("broken", "echo the reason; exit 3")
	command.Ready = func(context.Context) error { return errors.New("not ready") }
	_, err := cp.StartProcess(t.Context(), command)
	if err == nil {
		t.Fatal("the start of a part that ends at once succeeded")
	}
	for _, want := range []string{"broken ended: exit status 3", "the reason"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("message lacks %q:\n%v", want, err)
		}
	}
	if cp.Err() != nil {
		t.Errorf("a part that never was ready counts as one that died: %v", cp.Err())
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	cp := newEmpty(t)
	command := shell("slow", "echo still busy; exec sleep 60")
	command.Ready = func(context.Context) error { return errors.New("not yet") }
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := cp.StartProcess(ctx, command)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want the deadline", err)
	}
	for _, want := range []string{"slow is not ready: not yet", "still busy"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("message lacks %q:\n%v", want, err)
		}
	}
	if pid := cp.parts[0].PID(); running(pid) {
		t.Errorf("process %d goes on after its start failed", pid)
	}
}

func TestPortTakenMeanwhile(t *testing.T) {
	t.Parallel()
	cp := newEmpty(t)
	var ports []int
	_, port, err := cp.startOnFreePort(t.Context(), func(port int) (Command, error) {
		ports = append(ports, port)
		script := "exec sleep 60"
		if len(ports) < 3 {
			script = "echo listen tcp: bind: address already in use; exit 1"
		}
		command := shell("server", script)
		command.Ready = func(context.Context) error {
			if len(ports) < 3 {
				return errors.New("not ready")
			}
			return nil
		}
		return command, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(ports) != 3 || port != ports[2] {
		t.Errorf("got port %d of the attempts %v, want the third", port, ports)
	}
}

func TestStopOfAPausedProcess(t *testing.T) {
	t.Parallel()
	cp := newEmpty(t)
	part, err := cp.StartProcess(t.Context(), shell("paused", "exec sleep 60"))
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := part.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > stopGrace {
		t.Errorf("stopping took %s", took)
	}
	if part.Err() == nil || part.Err().Error() != "signal: terminated" {
		t.Errorf("end of the process: got %v, want terminated", part.Err())
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	cp := newEmpty(t)
	deaf := shell("deaf", "trap '' TERM; echo deaf; while :; do sleep 0.1; done")
	deaf.Ready = logged(cp, "deaf")
	part, err := cp.StartProcess(t.Context(), deaf)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := part.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if part.Err() == nil || part.Err().Error() != "signal: killed" {
		t.Errorf("end of the process: got %v, want killed", part.Err())
	}
}

// logged is ready once the part has logged something.
func logged(cp *ControlPlane, name string) func(context.Context) error {
	return func(context.Context) error {
		if tail(cp.path("logs", name+".log"), 1) == "" {
			return errors.New("nothing logged yet")
		}
		return nil
	}
}

func TestRestartKeepsTheLog(t *testing.T) {
	t.Parallel()
	cp := newEmpty(t)
	command := shell("twice", "echo life $$; exec sleep 60")
	command.Ready = logged(cp, "twice")
	part, err := cp.StartProcess(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	first := part.PID()
	if err := part.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := part.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if part.PID() == first || !running(part.PID()) {
		t.Errorf("pid after the restart: got %d, before it was %d", part.PID(), first)
	}
	want := fmt.Sprintf("life %d\nlife %d", first, part.PID())
	eventually(t, "both lives in the log", func() bool { return part.LogTail(10) == want })
}

func TestTailOfAFile(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2*tailBytes)
	for name, test := range map[string]struct {
		content string
		want    string
	}{
		"empty":           {},
		"fewer lines":     {content: "a\n", want: "a"},
		"more lines":      {content: "a\nb\nc\nd\n", want: "c\nd"},
		"no last newline": {content: "a\nb\nc", want: "b\nc"},
		"one long line":   {content: long + "\nend\n", want: strings.Repeat("x", tailBytes-5) + "\nend"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := tail(path, 2); got != test.want {
				t.Errorf("got %d bytes ending in %q, want %d", len(got), got[max(0, len(got)-20):], len(test.want))
			}
		})
	}
}

func TestAPortIsGivenToOneCallerAlone(t *testing.T) {
	const many = 500
	given := map[int]bool{}
	for range many {
		port, err := FreePort(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if given[port] {
			t.Fatalf("port %d was given twice, though nobody has listened there yet", port)
		}
		given[port] = true
	}
}
