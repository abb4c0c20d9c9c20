# Copyright 2026 The servicenet Authors.
# SPDX-License-Identifier: Apache-2.0

# Everything a target needs is built into bin/ by the target itself, from the
# modules under hack/tools; all it takes is Go, git and make.

SHELL = /usr/bin/env bash -o pipefail
.SHELLFLAGS = -ec

# Kubernetes version of the control plane that `run` and the tests start.
K8S_VERSION ?= 1.36.3
# Image of the manager.
IMG ?= controller:latest
# Tool that builds images, docker or podman.
CONTAINER_TOOL ?= docker
# Platforms of docker-buildx.
PLATFORMS ?= linux/arm64,linux/amd64
# More arguments: flags of the manager for `run`, of `go test` for the tests, of ginkgo for
# those that are end to end.
ARGS ?=
# The cluster of cluster-up: who writes endpoints (stock or ours: nobody before the
# manager is deployed), how kube-proxy works (nftables or iptables), how many nodes.
ENDPOINTS ?= stock
PROXY_MODE ?= nftables
NODES ?= 1
# What test-e2e upgrades from, and goes back to: a commit, such as v1.0.0 or HEAD~20. Empty
# means the same program and manifests as another image.
PREVIOUS ?=
# Regular expression of the specs that test-integration and test-e2e run; all if empty.
FOCUS ?=
# Version that the manager reports.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# What the labels of the image say: the commit, when that was made, and where it is from.
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
SOURCE ?= https://servicenet.dev/servicenet
# Platforms of `image`, separated by spaces: linux/amd64 linux/arm64.
IMAGE_PLATFORMS ?= linux/$(shell go env GOARCH)
# What is deployed: config/default, config/replace-endpoints, config/with-prometheus, or
# a folder with a kustomization of your own.
OVERLAY ?= config/default

LOCALBIN ?= $(CURDIR)/bin
CONTROLLER_GEN = $(LOCALBIN)/controller-gen
GOLANGCI_LINT = $(LOCALBIN)/golangci-lint
GOTESTSUM = $(LOCALBIN)/gotestsum
PROMCHECK = $(LOCALBIN)/promcheck
PROMTOOL = $(LOCALBIN)/promtool
HELM = $(LOCALBIN)/helm
KUSTOMIZE = $(LOCALBIN)/kustomize
COREDNS = $(LOCALBIN)/coredns
KWOK = $(LOCALBIN)/kwok
TRAEFIK = $(LOCALBIN)/traefik
K8S_BIN = $(LOCALBIN)/k8s/$(K8S_VERSION)
CLUSTER_DIR = --dir="$(LOCALBIN)/cluster"
# What talks to a cluster: KUBECTL=kubectl takes the one on the PATH, which saves
# building the one that belongs to the control plane.
KUBECTL ?= $(K8S_BIN)/kubectl
KUBECTL_BUILT = $(if $(filter $(K8S_BIN)/%,$(KUBECTL)),programs)

# Only what runs with the race detector needs a C compiler.
export CGO_ENABLED = 0
# What is compiled for one clone, image or module then serves all of them.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

# Where `run` and the tests find programs. A set KUBEBUILDER_ASSETS, such as a
# folder of setup-envtest, goes first.
PROGRAMS = SERVICENET_BIN="$(LOCALBIN)" K8S_VERSION="$(K8S_VERSION)" \
	KUBEBUILDER_ASSETS="$(abspath $(or $(KUBEBUILDER_ASSETS),$(K8S_BIN)))"

# What controller-gen reads: API types, reconcilers and webhooks, as they exist.
GENERATED_FROM = $(patsubst %,"./%/...",$(wildcard api controllers internal/webhooks))

.DEFAULT_GOAL := help

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"; printf "Usage: make \033[36m<target>\033[0m\n"} \
		/^[a-zA-Z_0-9-]+:.*?##/ { printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2 } \
		/^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) }' $(MAKEFILE_LIST)

##@ Development

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate CRDs, the manager's role and webhook configurations from the code.
	@$(CONTROLLER_GEN) rbac:roleName=manager-role crd webhook $(GENERATED_FROM:%=paths=%) \
		output:crd:artifacts:config=config/crd/bases

.PHONY: chart
chart: $(KUSTOMIZE) ## Generate the templates of the Helm chart from config/.
	@hack/chart.sh $(KUSTOMIZE)

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate DeepCopy methods of the API types.
	@$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths="./api/..."

.PHONY: fmt
fmt: ## Format the code.
	go fmt ./...

.PHONY: vet
vet: ## Run go vet.
	go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run golangci-lint.
	$(GOLANGCI_LINT) run
	cd hack/image && $(GOLANGCI_LINT) run --config ../../.golangci.yml
	cd hack/tools/prometheus && $(GOLANGCI_LINT) run --config ../../../.golangci.yml

.PHONY: lint-fix
lint-fix: $(GOLANGCI_LINT) ## Run golangci-lint and fix what it can.
	$(GOLANGCI_LINT) run --fix

.PHONY: lint-config
lint-config: $(GOLANGCI_LINT) ## Check the configuration of golangci-lint.
	$(GOLANGCI_LINT) config verify

.PHONY: verify
verify: $(CONTROLLER_GEN) $(KUSTOMIZE) ## Fail if generated files, formatting or go.mod are not up to date.
	@hack/verify.sh "$(LOCALBIN)"

##@ Tests

.PHONY: test
test: manifests generate test-programs test-image test-rules ## Run all tests on a real etcd and kube-apiserver; K8S_VERSION picks which, COVER=1 counts coverage.
	@$(PROGRAMS) COVER="$(COVER)" hack/test.sh all $(ARGS)

.PHONY: test-unit
test-unit: $(GOTESTSUM) test-image ## Run the tests that need no other program; ARGS="-run TestPlan" picks some.
	@$(PROGRAMS) COVER="$(COVER)" hack/test.sh unit $(ARGS)

# A module of its own, whose tests compile programs.
.PHONY: test-image
test-image:
	go test -C hack/image ./...

.PHONY: test-rules
test-rules: $(PROMTOOL) $(PROMCHECK) ## Run the examples of the alerts in config/prometheus.
	go test -C hack/tools/prometheus ./...
	@hack/rules.sh "$(LOCALBIN)"

.PHONY: test-integration
test-integration: manifests generate test-programs ## Run the tests on a control plane; FOCUS="headless" picks specs.
	@$(PROGRAMS) COVER="$(COVER)" FOCUS="$(FOCUS)" hack/test.sh integration $(ARGS)

.PHONY: test-e2e
test-e2e: e2e-images $(KUSTOMIZE) $(HELM) ## Run the tests on real nodes: in the cluster of E2E_KUBECONFIG or KUBECONFIG, else in ones of their own.
	@$(PROGRAMS) FOCUS="$(FOCUS)" PREVIOUS="$(PREVIOUS)" hack/e2e.sh $(ARGS)

.PHONY: test-e2e-ingress
test-e2e-ingress: e2e-images $(KUSTOMIZE) $(TRAEFIK) ## Run the tests of an Ingress on a real node; Traefik takes minutes to build.
	$(call local-image,traefik,$(TRAEFIK))
	@$(PROGRAMS) hack/ingress.sh $(ARGS)

# The manager twice, the second time as the version to come from.
.PHONY: e2e-images
e2e-images: cluster-programs
	$(call go-build,images/traffic,./test/e2e/traffic)
	$(call go-build,images/manager,./cmd,-ldflags "-s -w -X main.version=e2e")
	$(call local-image,traffic,$(LOCALBIN)/images/traffic)
	$(call local-image,manager,$(LOCALBIN)/images/manager,e2e,manager)
	$(if $(PREVIOUS),@hack/previous.sh "$(PREVIOUS)" $(LOCALBIN)/previous)
	$(call local-image,manager,$(if $(PREVIOUS),$(LOCALBIN)/previous/manager,$(LOCALBIN)/images/manager),previous,manager-previous)

# A program of others that the recipes of docs/announcing.md name: test-e2e uses it where
# it is. Its kinds are in its module.
.PHONY: e2e-speaker
e2e-speaker: cluster-programs ## Build MetalLB's speaker (minutes, once), for the specs of test-e2e that want it.
	@hack/build-tool.sh metallb-speaker go.universe.tf/metallb/speaker $(LOCALBIN)/metallb-speaker
	@$(LOCALBIN)/image --tag=servicenet.dev/metallb-speaker:dev --title=metallb-speaker \
		--output=$(LOCALBIN)/images/metallb-speaker.tar $(LOCALBIN)/metallb-speaker
	@mkdir -p $(LOCALBIN)/metallb && cp -f \
		"$$(go list -C hack/tools/metallb-speaker -mod=mod -m -f '{{.Dir}}' go.universe.tf/metallb)"/config/crd/bases/*.yaml $(LOCALBIN)/metallb

##@ Cluster

.PHONY: cluster-up
cluster-up: cluster-programs ## Bring up a cluster with real nodes (Debian, root); ENDPOINTS=ours, PROXY_MODE=iptables, NODES=2.
	@$(PROGRAMS) $(LOCALBIN)/node up $(CLUSTER_DIR) --endpoints="$(ENDPOINTS)" --proxy-mode="$(PROXY_MODE)" --nodes="$(NODES)" \
		--images="$(LOCALBIN)/images/pause.tar,$(LOCALBIN)/images/coredns.tar"

.PHONY: cluster-down
cluster-down: ## Take that cluster down, with all that is left of it.
	$(call go-build,node,./hack/node)
	@$(LOCALBIN)/node down $(CLUSTER_DIR)

.PHONY: cluster-load
cluster-load: ## Bring images into its nodes; ARGS names files, as `make image` writes them.
	@$(LOCALBIN)/node load $(CLUSTER_DIR) $(ARGS)

##@ Benchmarks

.PHONY: bench
bench: manifests programs manager ## Compare the endpoint controllers with the stock ones; ARGS=-quick for a look, ARGS=-help for all flags.
	$(call go-build,bench,./test/bench/endpoints)
	@$(PROGRAMS) exec $(LOCALBIN)/bench -manager="$(LOCALBIN)/manager" $(ARGS)

.PHONY: bench-ledger
bench-ledger: manifests programs ## Measure how fast numbers are given on a real API server; ARGS=-help for all flags.
	$(call go-build,bench-ledger,./test/bench/ledger)
	@$(PROGRAMS) exec $(LOCALBIN)/bench-ledger $(ARGS)

.PHONY: bench-pools
bench-pools: manifests programs manager ## Measure a manager of numbers on 20,000 Services; ARGS=-help for all flags.
	$(call go-build,bench-pools,./test/bench/pools)
	@$(PROGRAMS) exec $(LOCALBIN)/bench-pools -manager="$(LOCALBIN)/manager" $(ARGS)

.PHONY: bench-admission
bench-admission: manifests programs manager ## Compare how fast Services are created with the webhooks and without; ARGS=-help for all flags.
	$(call go-build,bench-admission,./test/bench/admission)
	@$(PROGRAMS) exec $(LOCALBIN)/bench-admission -manager="$(LOCALBIN)/manager" $(ARGS)

.PHONY: bench-loadbalancer
bench-loadbalancer: manifests programs manager ## Measure how fast Services get addresses of LoadBalancerPools; ARGS=-help for all flags.
	$(call go-build,bench-loadbalancer,./test/bench/loadbalancer)
	@$(PROGRAMS) exec $(LOCALBIN)/bench-loadbalancer -manager="$(LOCALBIN)/manager" $(ARGS)

.PHONY: bench-sizing
bench-sizing: manifests programs manager ## Measure what a manager needs for so many Services; ARGS=-help for all flags.
	$(call go-build,bench-sizing,./test/bench/sizing)
	@$(PROGRAMS) exec $(LOCALBIN)/bench-sizing -manager="$(LOCALBIN)/manager" $(ARGS)

##@ Build

.PHONY: build
build: manifests generate fmt vet manager ## Build the manager into bin/.

# The manager alone: `run` leaves formatting and vetting to lint.
.PHONY: manager
manager:
	$(call go-build,manager,./cmd,-ldflags "-X main.version=$(VERSION)")

.PHONY: run
run: manifests generate programs manager ## Run a local cluster with the manager until Ctrl-C; ARGS are flags of the manager.
	$(call go-build,run,./hack/run)
	@$(PROGRAMS) exec $(LOCALBIN)/run --dir="$(LOCALBIN)/local" --manager="$(LOCALBIN)/manager" -- $(ARGS)

.PHONY: image
image: ## Write the image of the manager into bin/image.tar without a container engine; IMG names it.
	$(call go-build,image,.,-C hack/image)
	@programs=(); for platform in $(IMAGE_PLATFORMS); do \
		program=$(LOCALBIN)/images/$${platform//\//_}/manager; programs+=("$$program"); \
		printf 'building manager for %s ... ' "$$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} go build -trimpath -buildvcs=false \
			-ldflags "-s -w -X main.version=$(VERSION)" -o "$$program" ./cmd; \
		printf 'done in %d s\n' $$SECONDS; \
	done; \
	$(LOCALBIN)/image --tag="$(IMG)" --version="$(VERSION)" --revision="$(REVISION)" --source="$(SOURCE)" \
		--created="$(SOURCE_DATE_EPOCH)" --output="$(LOCALBIN)/image.tar" "$${programs[@]}"
	@echo "$(IMG) is in $(LOCALBIN)/image.tar: docker load, podman load, kind load image-archive, ctr -n k8s.io images import"

# What both ways to build with a container engine say of the image.
DOCKER_ARGS = --build-arg VERSION="$(VERSION)" --build-arg REVISION="$(REVISION)" --build-arg SOURCE="$(SOURCE)" \
	--build-arg SOURCE_DATE_EPOCH="$(SOURCE_DATE_EPOCH)" \
	--build-arg CREATED="$$(date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r $(SOURCE_DATE_EPOCH) +%Y-%m-%dT%H:%M:%SZ)"

.PHONY: docker-build
docker-build: ## Build the image of the manager; IMG names it.
	$(CONTAINER_TOOL) build $(DOCKER_ARGS) -t $(IMG) .

.PHONY: docker-push
docker-push: ## Push the image of the manager.
	$(CONTAINER_TOOL) push $(IMG)

.PHONY: docker-buildx
docker-buildx: ## Build and push the image for several PLATFORMS.
	$(CONTAINER_TOOL) buildx build --push --platform=$(PLATFORMS) $(DOCKER_ARGS) -t $(IMG) .

.PHONY: chart-package
chart-package: manifests chart $(HELM) ## Write the Helm chart into dist/, for VERSION, which must be a semantic one.
	@$(HELM) package charts/servicenet --version "$(VERSION:v%=%)" --app-version "$(VERSION)" --destination dist

.PHONY: build-installer
build-installer: manifests $(KUSTOMIZE) ## Write the manifests of OVERLAY with IMG into dist/install.yaml.
	@mkdir -p dist
	@hack/render.sh $(KUSTOMIZE) $(OVERLAY) $(IMG) >dist/install.yaml
	@echo "dist/install.yaml: kubectl apply --server-side -f dist/install.yaml"

##@ Deployment

.PHONY: install
install: manifests $(KUSTOMIZE) $(KUBECTL_BUILT) ## Install the CRDs into the cluster of the current kubeconfig.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side --force-conflicts -f -

.PHONY: uninstall
uninstall: manifests $(KUSTOMIZE) $(KUBECTL_BUILT) ## Remove the CRDs, and all objects of their kinds, from the cluster.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: deploy
deploy: manifests $(KUSTOMIZE) $(KUBECTL_BUILT) ## Deploy the manager to the cluster, or another version of it; IMG and OVERLAY say what.
	@hack/render.sh $(KUSTOMIZE) $(OVERLAY) $(IMG) | $(KUBECTL) apply --server-side --force-conflicts -f -

.PHONY: undeploy
undeploy: manager $(KUSTOMIZE) $(KUBECTL_BUILT) ## Remove the manager of OVERLAY from the cluster, with the CRDs and all pools.
	@$(LOCALBIN)/manager cleanup $(ARGS)
	@hack/render.sh $(KUSTOMIZE) $(OVERLAY) $(IMG) | $(KUBECTL) delete --ignore-not-found --timeout=5m -f -

##@ Tools

.PHONY: tools
tools: $(CONTROLLER_GEN) $(GOLANGCI_LINT) $(GOTESTSUM) $(HELM) $(KUSTOMIZE) programs ## Build all tools and programs into bin/.

.PHONY: clean
clean: ## Remove everything that was built.
	rm -rf $(LOCALBIN) dist cover.out

# The control plane and the simulated nodes.
.PHONY: programs
programs: $(KWOK)
	@hack/build-kubernetes.sh "$(K8S_VERSION)" "$(K8S_BIN)"

# What cluster-up runs besides: programs of nodes, and the images that they begin with.
.PHONY: cluster-programs
cluster-programs: programs $(COREDNS)
	@hack/build-kubernetes.sh "$(K8S_VERSION)" "$(K8S_BIN)" kubelet kube-proxy
	$(call go-build,node,./hack/node)
	$(call go-build,image,.,-C hack/image)
	$(call go-build,images/pause,./hack/node/pause)
	$(call local-image,pause,$(LOCALBIN)/images/pause)
	$(call local-image,coredns,$(COREDNS))

.PHONY: test-programs
test-programs: $(GOTESTSUM) $(KUSTOMIZE) $(HELM) $(PROMCHECK) programs

# build-tool.sh itself finds out whether a tool is up to date.
.PHONY: $(CONTROLLER_GEN) $(GOLANGCI_LINT) $(GOTESTSUM) $(HELM) $(KUSTOMIZE) $(KWOK) $(COREDNS) $(PROMTOOL) $(PROMCHECK) $(TRAEFIK)
$(CONTROLLER_GEN):
	@hack/build-tool.sh controller-gen sigs.k8s.io/controller-tools/cmd/controller-gen $@
$(GOLANGCI_LINT):
	@hack/build-tool.sh golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint $@
$(GOTESTSUM):
	@hack/build-tool.sh gotestsum gotest.tools/gotestsum $@
$(HELM):
	@hack/build-tool.sh helm helm.sh/helm/v4/cmd/helm $@
$(KUSTOMIZE):
	@hack/build-tool.sh kustomize sigs.k8s.io/kustomize/kustomize/v5 $@
$(KWOK):
	@hack/build-tool.sh kwok sigs.k8s.io/kwok/cmd/kwok $@
$(COREDNS):
	@hack/build-tool.sh coredns . $@
# The tag leaves out the clients of every cloud, which testing rules does not need.
$(PROMTOOL):
	@GOFLAGS="$(GOFLAGS) -tags=remove_all_sd" hack/build-tool.sh prometheus github.com/prometheus/prometheus/cmd/promtool $@
$(PROMCHECK):
	@hack/build-tool.sh prometheus . $@
$(TRAEFIK):
	@hack/build-tool.sh traefik github.com/traefik/traefik/v3/cmd/traefik $@

# go-build builds a program of this module into bin/. That takes a minute or two
# the first time, and a second from then on.
define go-build
@printf 'building %s ... ' $(1); go build $(3) -o $(LOCALBIN)/$(1) $(2); printf 'done in %d s\n' $$SECONDS
endef

# local-image makes an image of a program for the nodes of cluster-up: a name, the
# program, and a tag and a name of the file, if others than "dev" and the name.
define local-image
@$(LOCALBIN)/image --tag=servicenet.dev/$(1):$(or $(3),dev) --title=$(1) --output=$(LOCALBIN)/images/$(or $(4),$(1)).tar $(2)
endef
