// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command testsummary prints how a test run went. It reads the events of
// `go test -json` from its standard input.
//
// The last line is "N passed, N failed". A spec of a Ginkgo suite counts like a
// Go test, and a package that failed without a failing test, because it does
// not compile for instance, counts as one failure.
package main

import (
	"fmt"
	"os"
)

func main() {
	packages, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintf(os.Stderr, "testsummary: reading the events of the tests: %v\n", err)
		os.Exit(1)
	}
	if len(packages) == 0 {
		fmt.Fprintln(os.Stderr, "testsummary: not one test has run")
		os.Exit(1)
	}
	s := summarize(packages)
	fmt.Printf("packages  %d passed, %d failed\n", s.packages.passed, s.packages.failed)
	if s.tests.skipped > 0 {
		fmt.Printf("skipped   %d tests\n", s.tests.skipped)
	}
	fmt.Printf("%d passed, %d failed\n", s.tests.passed, s.tests.failed)
}
