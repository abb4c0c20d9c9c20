// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command pause is the sandbox of a pod: it holds the pod's namespaces until it is
// asked to end, and reaps what is left to it where the pod's containers share their
// processes.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
