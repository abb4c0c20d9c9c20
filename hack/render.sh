#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Writes the manifests of an overlay, with an image, to stdout:
#
#   hack/render.sh KUSTOMIZE OVERLAY IMAGE
#
# OVERLAY is a folder with a kustomization, such as config/default. The image is put
# in by an overlay of its own in a folder that is thrown away, so that no file of the
# overlay changes.
set -euo pipefail

kustomize=$(realpath "$1") overlay=$(realpath "$2") image=$3
scratch=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$scratch"' EXIT

# Kustomize takes relative paths only: one way up for each folder on the way down.
up=$(sed -E 's|/[^/]+|../|g' <<<"$scratch")
cd "$scratch"
"$kustomize" create --resources "$up${overlay#/}"
"$kustomize" edit set image "controller=$image"
"$kustomize" build .
