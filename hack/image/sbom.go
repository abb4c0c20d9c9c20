// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// materials returns the bill of materials of a program, as CycloneDX has it: the
// modules that the linker says are in it, and the standard library.
func materials(of *program, s *settings) ([]byte, error) {
	main := cyclonedx.Component{
		BOMRef: "main", Type: cyclonedx.ComponentTypeApplication, Name: of.info.Main.Path, Version: of.version(s),
		PackageURL: packageURL(of.info.Main.Path, of.version(s)),
	}
	goVersion := strings.TrimPrefix(of.info.GoVersion, "go")
	parts := []cyclonedx.Component{library("std", goVersion)}
	for _, module := range of.info.Deps {
		parts = append(parts, component(module))
	}
	var refs []string
	for i := range parts {
		refs = append(refs, parts[i].BOMRef)
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Timestamp: s.created.Format(time.RFC3339), Component: &main}
	bom.Components = &parts
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return nil, fmt.Errorf("encoding the bill of materials: %w", err)
	}
	return out.Bytes(), nil
}

// component describes a module, and what replaces it if something does.
func component(module *debug.Module) cyclonedx.Component {
	if module.Replace != nil {
		module = module.Replace
	}
	of := library(module.Path, module.Version)
	if module.Sum != "" {
		// The sum of go.sum is no digest of one file, so it is no hash of CycloneDX's.
		of.Properties = &[]cyclonedx.Property{{Name: "golang:sum", Value: module.Sum}}
	}
	return of
}

func library(path, version string) cyclonedx.Component {
	url := packageURL(path, version)
	return cyclonedx.Component{
		BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url,
	}
}

// packageURL names a module as the purl specification has it.
func packageURL(path, version string) string {
	return fmt.Sprintf("pkg:golang/%s@%s", path, strings.ReplaceAll(version, "+", "%2B"))
}
