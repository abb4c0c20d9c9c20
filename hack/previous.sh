#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the manager of another commit, for the end-to-end tests to come from:
#
#   hack/previous.sh COMMIT FOLDER
#
# FOLDER gets the files of that commit, and the program, as "manager". Nothing happens
# when it has them already.
set -euo pipefail

folder=$2
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
commit=$(git rev-parse --verify "$1^{commit}")
if [[ -x $folder/manager && -f $folder/.commit && $(<"$folder/.commit") == "$commit" ]]; then
  exit 0
fi
printf 'building the manager of %s ... ' "$(git log -1 --format='%h (%s)' "$commit")"
rm -rf "$folder"
mkdir -p "$folder"
git archive "$commit" | tar -x -C "$folder"
(cd "$folder" && go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${commit:0:12}" -o manager ./cmd)
echo "$commit" >"$folder/.commit"
printf 'done in %d s\n' "$SECONDS"
