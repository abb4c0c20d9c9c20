// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// user is who the program runs as, by number, so that a kubelet can tell that it is
	// not root. It is that of distroless images.
	user = "65532:65532"
	// sbomPath is where the bill of materials is in the image, and sbomLabel says so.
	sbomPath  = "/sbom.cdx.json"
	sbomLabel = "dev.servicenet.sbom"
)

// file is a file of an image.
type file struct {
	path    string
	mode    int64
	content []byte
}

// newImage makes the image of a program.
func newImage(of *program, s *settings) (v1.Image, error) {
	files, err := contents(of, s)
	if err != nil {
		return nil, err
	}
	packed, err := pack(files, s.created)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("packing the files of the image: %w", err)
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.ConfigFile(base, configuration(of, s))
	if err != nil {
		return nil, fmt.Errorf("configuring the image: %w", err)
	}
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: s.created}, CreatedBy: "hack/image"},
	})
	if err != nil {
		return nil, fmt.Errorf("adding the files of the image: %w", err)
	}
	return image, nil
}

// contents returns the files of the image.
func contents(of *program, s *settings) ([]file, error) {
	bill, err := materials(of, s)
	if err != nil {
		return nil, err
	}
	return []file{{path: "/" + of.name, mode: 0o755, content: of.content}, {path: sbomPath, mode: 0o644, content: bill}}, nil
}

// pack returns the files and the folders they are in, as a layer has them: of nobody's
// time, and of root, so that the program can't change them.
func pack(files []file, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	var folders []string
	for _, of := range files {
		for folder := path.Dir(of.path); folder != "/"; folder = path.Dir(folder) {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders) // a folder comes before what is in it
	for _, folder := range slices.Compact(folders) {
		header := &tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(folder, "/") + "/", Mode: 0o755, ModTime: at}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("packing %s: %w", folder, err)
		}
	}
	for _, of := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(of.path, "/"), Mode: of.mode, Size: int64(len(of.content)), ModTime: at,
		}
		if err := write(writer, header, of.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return out.Bytes(), nil
}

func write(to *tar.Writer, header *tar.Header, content []byte) error {
	if err := to.WriteHeader(header); err != nil {
		return fmt.Errorf("packing %s: %w", header.Name, err)
	}
	if _, err := to.Write(content); err != nil {
		return fmt.Errorf("packing %s: %w", header.Name, err)
	}
	return nil
}

// configuration says how the image is run, and what it is.
func configuration(of *program, s *settings) *v1.ConfigFile {
	return &v1.ConfigFile{
		Architecture: of.platform.Architecture, Variant: of.platform.Variant, OS: of.platform.OS,
		Created: v1.Time{Time: s.created},
		RootFS:  v1.RootFS{Type: "layers"},
		Config: v1.Config{
			Entrypoint: []string{"/" + of.name},
			Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
			User:       user,
			WorkingDir: "/",
			Labels:     s.annotations(),
		},
	}
}

// annotations are the labels of the image, under the names of the OCI's specification.
func (s *settings) annotations() map[string]string {
	all := map[string]string{sbomLabel: sbomPath}
	for name, value := range map[string]string{
		"title": s.labels.title, "version": s.labels.version, "revision": s.labels.revision, "source": s.labels.source,
		"created": s.created.Format(time.RFC3339),
	} {
		if value != "" {
			all["org.opencontainers.image."+name] = value
		}
	}
	return all
}
