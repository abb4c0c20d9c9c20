// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package command has what the commands of benchmarks have in common.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// ErrMissed says that a bar was missed. Which one was printed.
var ErrMissed = errors.New("a bar was missed")

const (
	exitFailure = 1
	exitUsage   = 2
)

// Run is the main function of a benchmark: it has the command line parsed, and what was
// found there run until that is done or the process is told to end. It returns what to
// exit with: 0, or 1 if that fails, or 2 if the command line can't be understood.
func Run[S any](parse func(args []string) (S, error), run func(ctx context.Context, settings S) error) (exit int) {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	log.SetLogger(logr.Discard())
	settings, err := parse(os.Args[1:])
	wrong, said := errors.AsType[*MistakeError](err)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case said:
		fmt.Fprintln(os.Stderr, wrong)
		return exitUsage
	case err != nil:
		return exitUsage // the flag package has said why
	}
	if err := run(ctx, settings); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailure
	}
	return 0
}

// MistakeError is a fault of the command line that the flag package does not know of.
type MistakeError struct{ message string }

func (e *MistakeError) Error() string { return e.message }

// Mistakef returns a MistakeError.
func Mistakef(format string, args ...any) error { return &MistakeError{fmt.Sprintf(format, args...)} }

// Manager says which manager is measured.
type Manager struct {
	// Program is its file, RoleFile the one of its ClusterRole, and CRDs the folder of
	// the CustomResourceDefinitions.
	Program, RoleFile, CRDs string
}

// AddFlags adds flags that set it.
func (m *Manager) AddFlags(flags *flag.FlagSet) {
	flags.StringVar(&m.Program, "manager", "bin/manager", "program of the manager")
	flags.StringVar(&m.RoleFile, "role", "config/rbac/role.yaml", "file with the ClusterRole of the manager")
	flags.StringVar(&m.CRDs, "crds", "config/crd/bases", "folder with the CustomResourceDefinitions")
}
