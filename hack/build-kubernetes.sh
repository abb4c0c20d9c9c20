#!/usr/bin/env bash
# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the programs of a control plane that are missing:
#
#   hack/build-kubernetes.sh VERSION FOLDER [PROGRAM...]
#
# VERSION is a Kubernetes version pinned under hack/tools. More PROGRAMs are those of
# a node, kubelet and kube-proxy. A set
# KUBEBUILDER_ASSETS is used as it is: etcd, kube-apiserver and kubectl must be
# there, as setup-envtest ships them, and what else is there is not built.
set -euo pipefail

version=$1 folder=$2
shift 2
hack=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

if [[ ! -d $hack/tools/kubernetes-$version ]]; then
  pinned=("$hack"/tools/kubernetes-*)
  echo "K8S_VERSION=$version is not pinned under hack/tools; these are: ${pinned[*]##*kubernetes-}" >&2
  exit 1
fi

assets=${KUBEBUILDER_ASSETS:-}

# given says that KUBEBUILDER_ASSETS has the program.
given() { [[ -n $assets && -x $assets/$1 ]]; }

# required are the programs that a set KUBEBUILDER_ASSETS must have.
required() { [[ $1 == etcd || $1 == kube-apiserver || $1 == kubectl ]]; }

build() {
  local name=$1 package=$2
  if given "$name"; then
    return
  fi
  if [[ -n $assets ]] && required "$name"; then
    echo "KUBEBUILDER_ASSETS=$assets has no $name: name a folder with etcd, kube-apiserver and kubectl," \
      "or unset it to have them built" >&2
    exit 1
  fi
  "$hack/build-tool.sh" "kubernetes-$version" "$package" "$folder/$name"
}

build etcd go.etcd.io/etcd/server/v3
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl "$@"; do
  build "$name" "k8s.io/kubernetes/cmd/$name"
done
