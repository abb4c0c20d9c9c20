#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Fails, and shows the difference, when generated files, the formatting or
# go.mod are not what their sources say:
#
#   hack/verify.sh BIN
#
# BIN is the folder with the tools. Everything is generated anew in a copy of
# the working tree, so that the tree stays as it is and changes that are not
# committed yet are judged like all others.
set -euo pipefail

bin=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# All files that git would commit: tracked ones that still exist, and new ones
# that it does not ignore.
git ls-files --cached --others --exclude-standard -z |
  while IFS= read -r -d '' file; do
    if [[ -e $file || -L $file ]]; then
      printf '%s\0' "$file"
    fi
  done | tar --null --files-from=- -cf "$scratch/tree.tar"
mkdir "$scratch/is" "$scratch/should-be"
tar -xf "$scratch/tree.tar" -C "$scratch/is"
tar -xf "$scratch/tree.tar" -C "$scratch/should-be"

(
  cd "$scratch/should-be"
  make --no-print-directory LOCALBIN="$bin" manifests generate chart fmt
  go mod tidy
  go mod tidy -C hack/image
) >"$scratch/log" 2>&1 || {
  cat "$scratch/log" >&2
  exit 1
}

cd "$scratch"
if ! diff -ruN is should-be; then
  echo "verify: the files above are not up to date:" \
    "run make manifests generate chart fmt, and go mod tidy, and commit the result" >&2
  exit 1
fi
echo "verify: all up to date"
