// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// compile builds a program that does nothing, for a platform.
func compile(t *testing.T, arch string, flags ...string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":  "module example.com/program\n\ngo 1.26.0\n",
		"main.go": "package main\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, arch, "program")
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", path}, flags...)
	command := exec.CommandContext(t.Context(), "go", append(args, ".")...)
	command.Dir = folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// archive writes an archive as the command line says, and returns where it is.
func archive(t *testing.T, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	settings, err := parse(append([]string{"--output=" + path}, args...))
	if err != nil {
		t.Fatal(err)
	}
	if err := run(settings); err != nil {
		t.Fatal(err)
	}
	return path
}

// unpack returns the layout in an archive.
func unpack(t *testing.T, path string) v1.ImageIndex {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files(t, open(t, path)) {
		to := filepath.Join(folder, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Errorf("the layout is not valid: %v", err)
	}
	return index
}

func open(t *testing.T, path string) io.Reader {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(content)
}

func files(t *testing.T, from io.Reader) map[string]string {
	t.Helper()
	all := map[string]string{}
	for reader := tar.NewReader(from); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		all[header.Name] = string(content)
		if executable := header.Mode&0o111 != 0; executable != (header.Name == "program") && header.Typeflag == tar.TypeReg {
			t.Errorf("%s has mode %o", header.Name, header.Mode)
		}
		if header.Uid != 0 || header.ModTime.Unix() != 1234567890 {
			t.Errorf("%s is of user %d, of %s", header.Name, header.Uid, header.ModTime)
		}
	}
}

func TestImageRunsTheProgramAsNobody(t *testing.T) {
	program := compile(t, "amd64")
	path := archive(t, "--tag=example:v1", "--version=v1", "--revision=abc", "--source=https://example.com",
		"--created=1234567890", program)
	image, err := tarball.ImageFromPath(path, nil) // by manifest.json, as Docker reads it
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Errorf("not valid: %v", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		Entrypoint: []string{"/program"}, User: "65532:65532", WorkingDir: "/",
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Labels: map[string]string{
			"org.opencontainers.image.title": "servicenet", "org.opencontainers.image.version": "v1",
			"org.opencontainers.image.revision": "abc", "org.opencontainers.image.source": "https://example.com",
			"org.opencontainers.image.created": "2009-02-13T23:31:30Z", "dev.servicenet.sbom": "/sbom.cdx.json",
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if config.OS != "linux" || config.Architecture != "amd64" {
		t.Errorf("for %s/%s", config.OS, config.Architecture)
	}
	there := files(t, mutate.Extract(image))
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if there["program"] != string(content) {
		t.Error("the program is not the one that was named")
	}
	var bill cyclonedx.BOM
	if err := json.Unmarshal([]byte(there["sbom.cdx.json"]), &bill); err != nil {
		t.Fatal(err)
	}
	if got := bill.Metadata.Component.PackageURL; got != "pkg:golang/example.com/program@v1" {
		t.Errorf("the bill of materials is of %s", got)
	}
	if got := (*bill.Components)[0].Name; got != "std" {
		t.Errorf("the bill of materials begins with %s", got)
	}
}

func TestArchiveNamesTheImageAsContainerdWantsIt(t *testing.T) {
	program := compile(t, "amd64")
	for tag, want := range map[string]string{
		"controller:latest":             "docker.io/library/controller:latest",
		"controller":                    "docker.io/library/controller:latest",
		"ghcr.io/example/servicenet:v1": "ghcr.io/example/servicenet:v1",
		"localhost:5000/servicenet:v1":  "localhost:5000/servicenet:v1",
	} {
		t.Run(tag, func(t *testing.T) {
			index := unpack(t, archive(t, "--tag="+tag, "--created=1234567890", program))
			manifest, err := index.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			if got := manifest.Manifests[0].Annotations["io.containerd.image.name"]; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestSeveralPlatformsAreOneImage(t *testing.T) {
	path := archive(t, "--tag=example:v1", "--created=1234567890", compile(t, "arm64"), compile(t, "amd64"))
	manifest, err := unpack(t, path).IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || !manifest.Manifests[0].MediaType.IsIndex() {
		t.Fatalf("want one index, got %v", manifest.Manifests)
	}
	inner, err := unpack(t, path).ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err = inner.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range manifest.Manifests {
		got = append(got, manifest.Manifests[i].Platform.String())
	}
	if diff := cmp.Diff([]string{"linux/arm64", "linux/amd64"}, got); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

func TestSameInputGivesTheSameBytes(t *testing.T) {
	program := compile(t, "amd64")
	args := []string{"--tag=example:v1", "--created=1234567890", program}
	first, err := os.ReadFile(archive(t, args...))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(archive(t, args...))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two archives of one program differ")
	}
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	program := compile(t, "amd64")
	script := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no program":      {[]string{"--tag=a:b"}, "name the program"},
		"no tag":          {[]string{program}, "--tag is missing"},
		"no Go program":   {[]string{"--tag=a:b", script}, "what " + script + " was built from"},
		"twice":           {[]string{"--tag=a:b", program, program}, "once for each platform"},
		"no static one":   {[]string{"--tag=a:b", compile(t, "amd64", "-buildmode=pie")}, "CGO_ENABLED=0"},
		"a time of words": {[]string{"--tag=a:b", "--created=now", program}, "seconds since 1970"},
		"two bills":       {[]string{"--sbom", program, program}, "--sbom takes one program"},
	} {
		t.Run(name, func(t *testing.T) {
			settings, err := parse(append([]string{"--output=" + filepath.Join(t.TempDir(), "image.tar")}, test.args...))
			if err == nil {
				err = run(settings)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}
