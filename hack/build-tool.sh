#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds one program that a module under hack/tools pins:
#
#   hack/build-tool.sh MODULE PACKAGE OUTPUT
#
# MODULE is a folder of hack/tools, PACKAGE the program's import path, or . where the
# module has a main of its own, OUTPUT the file to write. Nothing happens while the module and the Go toolchain stay the
# same: a stamp file beside the output holds the digest of what it was built from.
set -euo pipefail

module=$1 package=$2 output=$3
source=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/tools/$module
name=$(basename "$output")

# The tools run here, whatever platform the caller builds for, and are built
# without a C compiler.
unset GOOS GOARCH
export CGO_ENABLED=0 GOWORK=off

if [[ ! -f $source/go.mod ]]; then
  echo "build-tool: there is no module $source" >&2
  exit 1
fi

# Kubernetes programs learn their version from the linker.
ldflags="-s -w"
if [[ $module == kubernetes-* ]]; then
  IFS=. read -r major minor _ <<<"${module#kubernetes-}"
  version=k8s.io/component-base/version
  ldflags+=" -X $version.gitVersion=v${module#kubernetes-} -X $version.gitTreeState=clean"
  ldflags+=" -X $version.gitMajor=$major -X $version.gitMinor=$minor"
fi

stamp=$(dirname "$output")/.$name.stamp
digest=$({ cat "$source/go.mod" "$source/go.sum" $(compgen -G "$source/*.go"); echo "$ldflags"; go env GOVERSION GOOS GOARCH; } | git hash-object --stdin)
if [[ -x $output && -f $stamp && $(<"$stamp") == "$digest" ]]; then
  exit 0
fi

mkdir -p "$(dirname "$output")"
unfinished=$(mktemp "$output.XXXXXX")
log=$(mktemp)
trap 'rm -f "$unfinished" "$log"' EXIT

# fail shows what the Go command said, which is kept quiet otherwise: a cold
# build would print a line per downloaded module.
fail() {
  printf 'failed\n'
  cat "$log" >&2
  exit 1
}

printf 'building %s ' "$name"
begin=$SECONDS
pinned=$(go list -C "$source" -mod=readonly -f '{{.Module.Version}}' "$package" 2>"$log") || fail
printf '%s ... ' "$pinned"
go build -C "$source" -mod=readonly -trimpath -ldflags "$ldflags" \
  -o "$(realpath "$unfinished")" "$package" >"$log" 2>&1 || fail
chmod 755 "$unfinished"
mv -f "$unfinished" "$output"
echo "$digest" >"$stamp"
printf 'done in %d s\n' $((SECONDS - begin))
