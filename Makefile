# The commands of this house. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOFLAGS_BUILD := -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
export CGO_ENABLED ?= 0

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.1.4
TESSERA_FSCK := github.com/transparency-dev/tessera/cmd/fsck@v1.0.4
PEBBLE := github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1
AGE := filippo.io/age/cmd/...@v1.3.2
LITEWITNESS := filippo.io/torchwood/cmd/litewitness@v0.6.1

.PHONY: help demo demo-clean dev build web setup-run setup-test setup-attack tools test test-go test-web test-browser check floors lint generated vulnerabilities bench torture clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: setup-run build ## a force of your own: server, two docked cameras, real footage
	@exec build/custos demo

demo-clean: ## remove what the demo stored
	rm -rf demo-data

dev: setup-run build ## server, web UI with hot reload, simulated camera and dock
	@exec scripts/dev

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test

setup-attack:
	@scripts/setup attack

build: web build/custos build/custos-dock build/custos-verify ## the three binaries, with the web UI inside

.PHONY: build/custos build/custos-dock build/custos-verify
build/custos build/custos-dock build/custos-verify:
	@mkdir -p build
	@echo "Building $@"
	@go build $(GOFLAGS_BUILD) -o $@ ./cmd/$(notdir $@)

WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/verify/node_modules -prune -o -type f -print)
web: web/dist/index.html
web/node_modules/.installed web/verify/node_modules/.installed ingest/testdata/tusclient/node_modules/.installed test/e2e/age/node_modules/.installed: %/node_modules/.installed: %/package-lock.json %/package.json
	@echo "Installing the npm packages of $*"
	@cd $* && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed
web/dist/index.html: web/node_modules/.installed web/verify/node_modules/.installed $(WEB_SOURCES)
	@echo "Building the web UI"
	@cd web && npm run --silent build

tools: build/tools/fsck build/tools/age build/tools/pebble build/tools/litewitness
build/tools/fsck:
	@GOBIN=$(CURDIR)/build/tools go install $(TESSERA_FSCK)
build/tools/pebble:
	@GOBIN=$(CURDIR)/build/tools go install $(PEBBLE)
build/tools/age:
	@GOBIN=$(CURDIR)/build/tools go install $(AGE)
build/tools/litewitness:
	@GOBIN=$(CURDIR)/build/tools go install $(LITEWITNESS)

test: setup-test build tools test-web test-go test-browser ## everything: Go with -race, web, both databases, the browser
	@echo "make test: all passed"

test-web: web ## types, lint and unit tests of the web UI and the browser's verifier
	@cd web && npm run --silent check
	@cd web/verify && npm run --silent check

test-go: web tools ingest/testdata/tusclient/node_modules/.installed ## Go tests with the race detector, on both databases
	@CGO_ENABLED=1 CUSTOS_TEST_ALL=1 CUSTOS_PEBBLE=$(CURDIR)/build/tools/pebble CUSTOS_AGE=$(CURDIR)/build/tools/age CUSTOS_TESSERA_FSCK=$(CURDIR)/build/tools/fsck \
		go test -race -timeout 15m $$(go list ./... | grep -v /test/)

test-browser: build tools test/e2e/age/node_modules/.installed ## the real binaries from dock to verifier, in Debian's Chromium; a short torture
	@CUSTOS_TEST_ALL=1 CUSTOS_BUILD=$(CURDIR)/build CUSTOS_AGE=$(CURDIR)/build/tools/age CUSTOS_TESSERA_FSCK=$(CURDIR)/build/tools/fsck CUSTOS_LITEWITNESS=$(CURDIR)/build/tools/litewitness \
		go test -timeout 20m ./test/...

check: floors lint generated vulnerabilities ## floors, lint, generated files, known vulnerabilities

floors:
	@go test -count=1 -run Floors .

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt these:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@go vet ./... && go vet -tags torture ./cmd/custos
	@go run $(STATICCHECK) ./...
	@go mod tidy -e -diff 2>/dev/null || { echo "go.mod is not tidy: run go mod tidy -e"; exit 1; }

generated: build
	@scripts/generated

vulnerabilities:
	@if [ -f ../shared/vulndb/vulndb.tar.xz ]; then \
		mkdir -p build/vulndb && tar xJf ../shared/vulndb/vulndb.tar.xz -C build/vulndb && \
		go run $(GOVULNCHECK) -db file://$(CURDIR)/build/vulndb/vulndb ./...; \
	else echo "vulnerabilities: skipped, there is no ../shared/vulndb on this machine"; fi

bench: build tools ## measures beside age, sha256sum, cp and net/http: make bench QUICK=1 ONLY=read (docs/benchmarks.md)
	@go test -c -o build/bench.test ./test/bench
	@cd test/bench && CUSTOS_BENCH=$(if $(QUICK),quick,full) CUSTOS_BENCH_ONLY='$(ONLY)' CUSTOS_BENCH_OUT=$(CURDIR)/build/bench.json \
		CUSTOS_BUILD=$(CURDIR)/build CUSTOS_AGE=$(CURDIR)/build/tools/age CUSTOS_LITEWITNESS=$(CURDIR)/build/tools/litewitness $(CURDIR)/build/bench.test -test.run TestBench -test.timeout 2h

torture: setup-attack ## kills, faults, power cuts and attacks: make torture ROUNDS=500 CUTS=300 SEED=1 (docs/torture.md)
	@CUSTOS_ATTACK=1 CUSTOS_TORTURE_ROUNDS=$(or $(ROUNDS),500) CUSTOS_TORTURE_CUTS=$(or $(CUTS),300) CUSTOS_TORTURE_SEED=$(SEED) CUSTOS_TORTURE_TIME=$(TIME) \
		go test -count=1 -v -timeout 24h -parallel $(or $(LANES),2) ./test/torture

clean: ## remove what was built (not the demo's data)
	rm -rf build web/dist/assets web/dist/index.html* web/node_modules web/verify/node_modules ingest/testdata/tusclient/node_modules test/e2e/age/node_modules
