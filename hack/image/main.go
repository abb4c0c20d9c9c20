// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command image makes an image of a static Go program, without a container engine:
//
//	image --tag=servicenet:v1 --output=image.tar linux_amd64/manager linux_arm64/manager
//
// The image has the program, which it starts as a user without rights, and the software
// bill of materials of it; nothing else. What platform a program is for, and what modules
// are in it, it says itself. Programs for several platforms make an image for several
// platforms.
//
// The output is an archive in the OCI image layout, which `ctr images import`,
// `podman load`, skopeo and kind take, with the manifest.json of `docker save` beside
// it, for Docker before version 25. The same input gives the same bytes.
//
//	image --sbom --output=sbom.cdx.json manager
//
// writes the bill of materials alone.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// settings are the command line.
type settings struct {
	tag      name.Tag
	output   string
	sbomOnly bool
	labels   labels
	created  time.Time
	programs []string
}

// labels are what the image says of itself.
type labels struct {
	title, version, revision, source string
}

func main() {
	settings, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "image: %v\n", err)
		os.Exit(2)
	}
	if err := run(settings); err != nil {
		fmt.Fprintf(os.Stderr, "image: %v\n", err)
		os.Exit(1)
	}
}

// run writes what the settings ask for.
func run(s *settings) error {
	programs, err := readPrograms(s.programs)
	if err != nil {
		return err
	}
	if s.sbomOnly {
		content, err := materials(programs[0], s)
		if err != nil {
			return err
		}
		return os.WriteFile(s.output, content, 0o644) //nolint:gosec // anybody may read it
	}
	return writeArchive(s, programs)
}

func parse(args []string) (*settings, error) {
	s := &settings{created: time.Unix(0, 0).UTC()}
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.Func("tag", "`name` of the image, such as registry.example.com/servicenet:v1", func(text string) (err error) {
		s.tag, err = name.NewTag(text)
		return err
	})
	flags.StringVar(&s.output, "output", "", "`file` to write")
	flags.BoolVar(&s.sbomOnly, "sbom", false, "write the bill of materials of one program alone, in CycloneDX's JSON")
	flags.StringVar(&s.labels.title, "title", "servicenet", "what the image is called, in its labels")
	flags.StringVar(&s.labels.version, "version", "dev", "version of the program, for labels and the bill of materials")
	flags.StringVar(&s.labels.revision, "revision", "", "commit that the program is of, for labels")
	flags.StringVar(&s.labels.source, "source", "", "URL of the sources, for labels")
	flags.Func("created", "`seconds` since 1970 when the image was made; default 0", func(text string) (err error) {
		s.created, err = parseTime(text)
		return err
	})
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "Usage: image --tag=NAME --output=FILE [flags] PROGRAM...\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	s.programs = flags.Args()
	if err := s.validate(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *settings) validate() error {
	switch {
	case len(s.programs) == 0:
		return errors.New("name the program that the image is of")
	case s.output == "":
		return errors.New("--output is missing")
	case s.sbomOnly && len(s.programs) > 1:
		return errors.New("--sbom takes one program")
	case !s.sbomOnly && s.tag == (name.Tag{}):
		return errors.New("--tag is missing")
	}
	return nil
}
