// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// event is what test2json writes, as far as it is used here.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// The outcomes of a test or a package, as test2json names them.
const (
	pass = "pass"
	fail = "fail"
	skip = "skip"
)

// count is a number of tests or packages by outcome.
type count struct {
	passed, failed, skipped int
}

// packageRun is what happened in one package.
type packageRun struct {
	outcome string
	tests   map[string]*testRun
}

// testRun is what happened to one test. Without an outcome it was cut off, by a
// panic or a timeout. A Ginkgo suite has specs.
type testRun struct {
	outcome string
	parent  bool
	specs   *count
}

// summary counts a whole run.
type summary struct {
	packages, tests count
}

// read collects the events by package.
func read(events io.Reader) (map[string]*packageRun, error) {
	packages := map[string]*packageRun{}
	decoder := json.NewDecoder(events)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		if e.Package == "" {
			continue // an event of the build
		}
		if packages[e.Package] == nil {
			packages[e.Package] = &packageRun{tests: map[string]*testRun{}}
		}
		packages[e.Package].add(e)
	}
}

func (p *packageRun) add(e event) {
	outcome := ""
	if e.Action == pass || e.Action == fail || e.Action == skip {
		outcome = e.Action
	}
	if e.Test == "" {
		p.outcome = outcome
		return
	}
	test := p.test(e.Test)
	if i := strings.LastIndex(e.Test, "/"); i >= 0 {
		p.test(e.Test[:i]).parent = true
	}
	if specs := ginkgoSpecs(e.Output); specs != nil {
		test.specs = specs
	}
	if outcome != "" {
		test.outcome = outcome
	}
}

func (p *packageRun) test(name string) *testRun {
	if p.tests[name] == nil {
		p.tests[name] = &testRun{}
	}
	return p.tests[name]
}

// ginkgoSpecs reads the line that ends the report of a Ginkgo suite, such as
// "FAIL! -- 3 Passed | 1 Failed | 0 Pending | 2 Skipped"; nil for other lines.
func ginkgoSpecs(line string) *count {
	if !strings.Contains(line, " Passed") || !strings.Contains(line, " Pending") {
		return nil
	}
	colors := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	fields := regexp.MustCompile(`(\d+) Passed \| (\d+) Failed \| (\d+) Pending \| (\d+) Skipped`).
		FindStringSubmatch(colors.ReplaceAllString(line, ""))
	if fields == nil {
		return nil
	}
	var numbers [4]int
	for i := range numbers {
		// The expression admits digits only; more than an int holds can't be.
		numbers[i], _ = strconv.Atoi(fields[i+1])
	}
	return &count{passed: numbers[0], failed: numbers[1], skipped: numbers[2] + numbers[3]}
}

func summarize(packages map[string]*packageRun) summary {
	var s summary
	for _, p := range packages {
		if p.outcome == skip {
			continue // a package without tests
		}
		s.packages.add(p.outcome)
		failedBefore := s.tests.failed
		for _, test := range p.tests {
			s.tests.addTest(test)
		}
		if p.outcome != pass && s.tests.failed == failedBefore {
			s.tests.failed++
		}
	}
	return s
}

// addTest counts a test, or the specs in it. The parent of subtests does not
// count: its subtests do.
func (c *count) addTest(test *testRun) {
	switch {
	case test.parent:
	case test.specs == nil:
		c.add(test.outcome)
	default:
		c.passed += test.specs.passed
		c.failed += test.specs.failed
		c.skipped += test.specs.skipped
	}
}

// add counts one outcome. None at all is a failure.
func (c *count) add(outcome string) {
	switch outcome {
	case pass:
		c.passed++
	case skip:
		c.skipped++
	default:
		c.failed++
	}
}
