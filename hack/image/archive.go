// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// writeArchive writes the images of a program for some platforms into one file, which
// appears whole or not at all.
func writeArchive(s *settings, programs []*program) (err error) {
	folder, err := os.MkdirTemp("", "image-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	images := make([]v1.Image, len(programs))
	for i, of := range programs {
		if images[i], err = newImage(of, s); err != nil {
			return fmt.Errorf("image for %s: %w", of.platform, err)
		}
	}
	if err := writeLayout(folder, s, programs, images); err != nil {
		return fmt.Errorf("writing the layout: %w", err)
	}
	if err := writeManifest(folder, s, images[0]); err != nil {
		return fmt.Errorf("writing manifest.json: %w", err)
	}
	unfinished := s.output + ".unfinished"
	if err := bundle(folder, unfinished, s.created); err != nil {
		return errors.Join(fmt.Errorf("writing the archive: %w", err), os.Remove(unfinished))
	}
	return os.Rename(unfinished, s.output)
}

// writeLayout writes the images as the OCI's specification has it, under one name.
func writeLayout(folder string, s *settings, programs []*program, images []v1.Image) error {
	to, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	// The second name is what containerd looks for.
	named := layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": s.tag.TagStr(), "io.containerd.image.name": s.fullName(),
	})
	if len(images) == 1 {
		return to.AppendImage(images[0], named, layout.WithPlatform(programs[0].platform))
	}
	var index v1.ImageIndex = empty.Index
	for i, image := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &programs[i].platform},
		})
	}
	return to.AppendIndex(index, named)
}

// fullName is the name of the image with its registry, as containers have it.
func (s *settings) fullName() string {
	const inLibrary, inContainers = "index.docker.io/", "docker.io/"
	full := s.tag.Name()
	if rest, found := strings.CutPrefix(full, inLibrary); found {
		return inContainers + rest
	}
	return full
}

// writeManifest says what Docker wants to know of the first image.
func writeManifest(folder string, s *settings, image v1.Image) error {
	config, err := image.ConfigName()
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	blob := func(of v1.Hash) string { return "blobs/" + of.Algorithm + "/" + of.Hex }
	manifest := tarball.Descriptor{Config: blob(config), RepoTags: []string{s.fullName()}}
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return err
		}
		manifest.Layers = append(manifest.Layers, blob(digest))
	}
	content, err := json.Marshal(tarball.Manifest{manifest})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "manifest.json"), content, 0o600)
}

// bundle writes all files of a folder into an archive, in the order of their names.
func bundle(folder, to string, at time.Time) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close() //nolint:errcheck // closed below; this is for what fails before
	writer := tar.NewWriter(out)
	err = fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return bundleFile(writer, filepath.Join(folder, path), path, at)
	})
	return errors.Join(err, writer.Close(), out.Close())
}

func bundleFile(writer *tar.Writer, path, name string, at time.Time) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: info.Size(), ModTime: at}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(writer, file)
	return err
}
