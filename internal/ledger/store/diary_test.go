// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// diary is what happened in a run of a model, for one that fails: it is put into words
// only then.
type diary struct {
	writing sync.Mutex
	lines   []happening
}

type happening struct {
	at     time.Time
	format string
	args   []any
}

// logf notes what happened. Nothing may change an argument later.
func (d *diary) logf(format string, args ...any) {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.lines = append(d.lines, happening{time.Now(), format, args})
}

// tell writes all of it into the log of a test.
func (d *diary) tell(t *testing.T) {
	t.Helper()
	d.writing.Lock()
	defer d.writing.Unlock()
	for _, line := range d.lines {
		t.Log(line.at.Format("04:05.000 ") + fmt.Sprintf(line.format, line.args...))
	}
}
