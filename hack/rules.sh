#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Checks the rules of config/prometheus by the examples of test/rules:
#
#   hack/rules.sh BIN
#
# BIN is the folder with promtool and promcheck. promtool reads files of groups, as the
# operator writes them for Prometheus, beside the examples.
set -euo pipefail

bin=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cp test/rules/*.yaml "$scratch"
"$bin/promcheck" groups config/prometheus/rules.yaml >"$scratch/rules.yaml"
"$bin/promtool" check rules --lint=all --lint-fatal "$scratch/rules.yaml"
mapfile -t examples < <(cd test/rules && ls -- *.yaml)
"$bin/promtool" test rules "${examples[@]/#/$scratch/}"
