# What there is to do with this tree. `make demo` and `make test` need Go and nothing else.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# The race detector needs cgo, which Go turns on where it finds a C compiler. SQLite's own code, translated from C, is spared: it took most of the time.
# That package alone: one that uses a generic type of Go's library brings a copy of its methods, and the linker may give the copy that tells the
# detector nothing to everybody, who then seem to race.
RACE    := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race -gcflags=modernc.org/sqlite/lib=-race=false)
# Tools have a go.mod of their own, so that Parkwire's lists what Parkwire is made of.
TOOL    := $(GO) tool -modfile=.ci/tools/go.mod
SCRIPTS := .ci/run $(wildcard .ci/*.sh deploy/*.sh test/kit/*.sh test/kit/images/*.sh test/*/*.sh)

.DEFAULT_GOAL := help
.PHONY: help demo build test vet race lint servers test-servers chaos broken bench web web-test image clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## run Parkwire with a generated city on http://localhost:5000 (ARGS="--listen :6000")
	bin/parkwire demo $(ARGS)

build: ## build bin/parkwire, one static file
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/parkwire ./cmd/parkwire

test: vet ## run every test that needs Go alone (ARGS="-run Replay ./test/e2e")
	$(GO) test $(RACE) $(or $(ARGS),./...)

vet:
	$(GO) vet $(RACE) ./...

race: # prints the flags with which tests are built, for who builds with them too
	@echo $(RACE)

lint: vet ## check the code: gofmt, vet, staticcheck, go.mod, and shellcheck if it is installed
	@test -z "$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go'))" || { gofmt -l $$(git ls-files -co --exclude-standard '*.go'); exit 1; }
	$(TOOL) staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) mod verify
	@! command -v shellcheck >/dev/null || shellcheck -x -P SCRIPTDIR $(SCRIPTS)

servers: ## start Kafka (3 nodes), Redis and PostgreSQL for the tests (test/kit/servers.sh stop ends them)
	test/kit/servers.sh start

test-servers: servers ## run the tests on these servers too (ARGS="-run Replay ./test/e2e")
	eval "$$(test/kit/servers.sh env)" && PARKWIRE_TEST_DISTRIBUTED=1 $(GO) test $(RACE) -count=1 $(or $(ARGS),./...)

chaos: ## kill, cut off and flood a whole platform while it delivers (ARGS="-list", ARGS="-long", ARGS="storm random")
	$(GO) run ./test/chaos $(ARGS)

broken: ## break Parkwire on purpose, and see that make chaos finds it
	$(GO) run ./test/chaos/broken $(ARGS)

bench: ## measure the fan-out beside other servers, and write docs/benchmarks.md (ARGS=-quick, ARGS=-list, ARGS="-rounds 5 all")
	$(GO) run ./test/bench/fanout $(ARGS)

web: ## rebuild the dashboard into web/dist, which is committed (needs Node)
	cd web && npm ci --no-audit --no-fund && npm run check && npm run build

web-test: ## run the dashboard's unit tests
	cd web && npm test

image: ## build the image parkwire:dev (needs Docker)
	docker build -f deploy/Dockerfile -t parkwire:dev --build-arg VERSION="$(VERSION)" \
	  --build-arg REVISION="$$(git rev-parse HEAD)" --build-arg SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" .

clean: ## remove bin/
	rm -rf bin
