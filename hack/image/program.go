// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
)

// program is a Go program as the linker made it.
type program struct {
	name     string
	content  []byte
	info     *buildinfo.BuildInfo
	platform v1.Platform
}

// readPrograms reads the same program for several platforms.
func readPrograms(paths []string) ([]*program, error) {
	var all []*program
	for _, path := range paths {
		one, err := readProgram(path)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if other.name != one.name || other.platform.Equals(one.platform) {
				return nil, fmt.Errorf("%s: want one program, once for each platform", path)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

func readProgram(path string) (*program, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading what %s was built from: %w", path, err)
	}
	if err := isStatic(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	of := &program{name: filepath.Base(path), content: content, info: info}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "GOOS":
			of.platform.OS = setting.Value
		case "GOARCH":
			of.platform.Architecture = setting.Value
		case "GOARM":
			of.platform.Variant = "v" + setting.Value
		}
	}
	return of, nil
}

// isStatic fails if a program needs a loader: there is none in the image.
func isStatic(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("not a program for Linux: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return errors.New("not static: build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// version returns what the image is said to be a version of.
func (p *program) version(s *settings) string { return cmp.Or(s.labels.version, p.info.Main.Version) }

// parseTime reads seconds since 1970, as SOURCE_DATE_EPOCH has them.
func parseTime(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, errors.New("want whole seconds since 1970")
	}
	return time.Unix(seconds, 0).UTC(), nil
}
