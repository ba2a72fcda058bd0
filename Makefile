# Vaultpane's commands. `make help` lists them. Each says what it does, and ends with one line that states the result.

SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# Tools are pinned in a module of their own, apart from the product's dependencies.
TOOL := go tool -modfile=hack/tools/go.mod
GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
STORE ?=
ACT ?=
CHART ?=
FAULTS ?=
SEED ?=
NODE_FLAGS ?=
NODE ?=
ARGS ?=
ARCHIVES ?=
KUBERNETES ?=
SECONDS_EACH ?=

##@ General

.PHONY: help
help: ## Print this list.
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*##/ {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "help: every command above is run as 'make COMMAND'"

.PHONY: build
build: ## Build agent, controller and kubectl plugin for this system, and the agent for Windows, into bin/.
	@$(GO_BUILD) -o bin/vaultpane-agent ./cmd/agent
	@$(GO_BUILD) -o bin/vaultpane-controller ./cmd/controller
	@$(GO_BUILD) -o bin/kubectl-vaultpane ./cmd/kubectl-vaultpane
	@GOOS=windows GOARCH=amd64 $(GO_BUILD) -o bin/windows/vaultpane-agent.exe ./cmd/agent
	@echo "build: PASS $$(cd bin && du -h vaultpane-agent vaultpane-controller kubectl-vaultpane windows/vaultpane-agent.exe | awk '{print sep "bin/" $$2 " (" $$1 ")"; sep = ", "}' ORS='')"

.PHONY: images
images: ## Build the container images into dist/, as OCI layouts with bills of materials and provenance; needs no container engine.
	@go -C hack/images run . -root "$(CURDIR)" -out "$(CURDIR)/dist" -version "$(VERSION)" \
		-commit "$$(git rev-parse HEAD)$$([ -z "$$(git status --porcelain)" ] || echo -dirty)" \
		-epoch $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct)) $(IMAGES)

.PHONY: release-archives
release-archives: ## Build kubectl-vaultpane for Linux, macOS and Windows into dist/archives/, with checksums and the Krew manifest.
	@go run ./hack/archives -root "$(CURDIR)" -out "$(CURDIR)/dist/archives" -version "$(VERSION)" \
		-epoch $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct)) $(ARCHIVES)

.PHONY: demo
demo: ## See it work: on one machine, then in a cluster (ACT=machine: the first alone; STORE=wine: the Windows agent).
	@VERSION="$(VERSION)" hack/demo.sh $(or $(STORE),default) $(or $(ACT),all)

##@ Tests

.PHONY: test
test: ## Run unit tests, and tests against a real API server and a TLS Key Vault endpoint.
	@hack/test.sh

.PHONY: test-race
test-race: ## Run the tests of concurrent code with the race detector (needs a C compiler).
	@hack/test-race.sh

.PHONY: fuzz
fuzz: ## Fuzz every parser for ten seconds each (SECONDS_EACH=60: for a minute each).
	@hack/fuzz.sh $(SECONDS_EACH)

.PHONY: test-oldest
test-oldest: ## Run the tests that need an API server with the oldest supported Kubernetes (KUBERNETES=v1.31.14: another version).
	@hack/test-oldest.sh $(KUBERNETES)

.PHONY: test-windows
test-windows: ## Run the tests of the Windows executable under Wine (or natively on Windows).
	@hack/test-windows.sh

.PHONY: test-wine10
test-wine10: build ## Run the tests of the Windows executable under Wine 10, and programs in C, Go and .NET that use the certificates (root; the first run makes a Debian 13 of 1.1 GB).
	@hack/test-wine10.sh

.PHONY: faults
faults: build ## Break everything around the agents and kill them, while observers check the stores (FAULTS=-quick: in two minutes; SEED=7: those choices).
	@hack/faults.sh $(if $(SEED),-seed=$(SEED)) $(FAULTS)

.PHONY: test-images
test-images: ## Build the images twice, compare them byte by byte, and check their contents.
	@go -C hack/images test -count=1 -timeout 30m ./...
	@echo "test-images: PASS"

.PHONY: e2e
e2e: build ## Run the end-to-end tests with a control plane and without: Key Vault endpoint, and the agent natively and then under Wine.
	@hack/e2e.sh

.PHONY: chart
chart: ## Check the chart: lint, golden files, wrong values, a real API server, alerts (UPDATE=1 writes the golden files).
	@hack/chart.sh

.PHONY: e2e-install
e2e-install: build ## Install, upgrade and uninstall the chart with Helm, in a control plane with controllers (CHART=folder).
	@hack/e2e-install.sh $(CHART)

.PHONY: e2e-node
e2e-node: ## Run the chart and the images on a real node: kubelet, containerd, runc; as root, else skipped (NODE_FLAGS=-renewal: 10 minutes more).
	@hack/e2e-node.sh $(NODE_FLAGS)

.PHONY: bench
bench: build ## Measure agent, store, controller and fleet (BENCH=quick: in 3 minutes; BENCH='-parts=watch': one part; BENCH=-help: all options).
	@$(GO_BUILD) -o bin/bareloop ./test/bench/bareloop
	@GOOS=windows GOARCH=amd64 $(GO_BUILD) -o bin/windows/bareloop.exe ./test/bench/bareloop
	@GOOS=windows GOARCH=amd64 go test -c -o bin/windows/certstore-test.exe ./internal/certstore/windows
	@go run ./test/bench $(BENCH)

##@ Development

.PHONY: run
run: build ## Run the agent on this machine against the current kubeconfig, as the node NODE, with its store in .cache/store.
	@bin/vaultpane-agent --node-name "$(or $(NODE),$(error NODE is not set: make run NODE=my-node))" --store-path "$(CURDIR)/.cache/store" $(ARGS)

.PHONY: lint
lint: ## Lint the Go code, for this system and for Windows (the first run builds the linter).
	@hack/lint.sh

.PHONY: clean
clean: ## Remove bin/, dist/ and .cache/ (the control plane's binaries stay in the user's cache).
	@rm -rf bin dist .cache
	@echo "clean: PASS"

.PHONY: generate
generate: ## Regenerate deep copies, CRDs, RBAC, system call stubs, the chart's copies, config/ and pages.
	@hack/generate.sh
	@echo "generate: PASS"

.PHONY: schemas
schemas: ## Regenerate the schemas of the supported Kubernetes versions, for kubeconform (downloads 150 MB).
	@go run ./test/schemas/cmd

.PHONY: verify
verify: ## Check formatting, lint, generated files, modules, scripts, workflows and licences.
	@hack/verify.sh

.PHONY: controlplane-up
controlplane-up: ## Start kube-apiserver and etcd in the background; kubeconfig in .cache/controlplane/kubeconfig.
	@go run ./test/controlplane/cmd up --dir .cache/controlplane --crds config/crd

.PHONY: controlplane-down
controlplane-down: ## Stop them.
	@go run ./test/controlplane/cmd down --dir .cache/controlplane

.PHONY: keyvault-up
keyvault-up: ## Start the Key Vault endpoint in the background; settings for the shell in .cache/keyvault/env.
	@go run ./test/keyvault/cmd up --dir .cache/keyvault

.PHONY: keyvault-down
keyvault-down: ## Stop it.
	@go run ./test/keyvault/cmd down --dir .cache/keyvault
