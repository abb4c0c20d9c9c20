#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Tells whether a cluster of real nodes can be brought up on this machine (make
# cluster-up). If not, it prints why, and fails.
set -euo pipefail

unable() {
  echo "$1"
  exit 1
}

[[ $(uname -s) == Linux ]] || unable "it takes Linux"
[[ $(id -u) -eq 0 ]] || unable "it takes root"
command -v apt-get >/dev/null || command -v containerd >/dev/null || unable "there is neither containerd nor apt-get to install it"
unshare --mount --pid --net --uts --fork true 2>/dev/null || unable "namespaces can't be made here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch"/{lower,upper,work,merged}
unshare --mount sh -c '
  mount -t tmpfs tmpfs "$1/upper" && mkdir "$1/upper/upper" "$1/upper/work" &&
  mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper/upper,workdir=$1/upper/work" "$1/merged"
' sh "$scratch" 2>/dev/null || unable "file systems can't be mounted here"
