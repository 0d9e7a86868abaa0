# SPDX-License-Identifier: Apache-2.0
GO ?= go
SEED ?= 0
HOURS ?= 8

# The packages whose tests are quick enough under the race detector. Those of simdisk are
# not; monkey/sim and monkey/fault use it from many goroutines.
RACE_PACKAGES = ./checker/... ./drummer/agent/... ./drummer/client/... ./drummer/db/... \
	./drummer/nodehostapi/... ./drummer/schedule/... ./drummer/server/... ./monkey/engine/... ./monkey/fault/... ./monkey/judge/... \
	./monkey/rundir/... ./monkey/smtest/... ./monkey/timeline/... ./monkey/sim ./monkey/sim/simnet/... \
	./monkey/statemachine/... ./monkey/workload/... ./scenarios/...

.PHONY: build test race monkey monkey-short soak bench bench-sim bench-checker bench-drummer histories known-bad lint proto mutation

build: ## the five programs, into bin/
	$(GO) build -o bin/ ./cmd/...

test: ## everything that fits in minutes; needs Go and nothing else
	$(GO) test ./...

# One thread each: in Go 1.26 threads that run timers of one bubble at once share
# a context of the race detector without a lock (bubble.timers.raceCtx in the runtime's
# time.go), and it crashes. One thread finds the same races: the detector compares what
# happens before what, not what happens at once.
race: ## the quick packages under the race detector
	GOMAXPROCS=1 $(GO) test -p $$(nproc) -race -short -timeout 30m $(RACE_PACKAGES)

monkey: ## the chaos suites, in full; a seed of your own with SEED=n
	$(GO) test -tags monkey -timeout 60m -v -run Chaos ./monkey -args -monkey.seed=$(SEED)

monkey-short: ## one seed of the quickest of them, and modules of users; seven minutes
	$(GO) test -tags monkey -short -timeout 25m -run 'Chaos|Foreign' ./monkey

soak: ## nights of chaos: HOURS=n
	$(GO) run ./cmd/monkey soak --for $(HOURS)h scenarios/quickstart.yaml

bench: ## every benchmark
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-sim: ## what simulations cost, and where it goes
	$(GO) run ./cmd/monkey bench

bench-checker: ## the checker end to end, against porcupine and its goals; about six minutes and several GB
	$(GO) run ./cmd/checker --bench

bench-drummer: ## Drummer on fleets of up to a million nodes, against its goals; about 20 minutes and several GB. RUNS=n
	$(GO) run ./drummer/internal/fleetsim/bench -runs $(or $(RUNS),1) -profiles bin/profiles

histories: ## record testdata/histories again, with the monkey; some minutes
	$(GO) build -o bin/ ./cmd/monkey
	rm -f testdata/histories/*
	$(GO) run ./monkey/record -monkey bin/monkey

known-bad: ## what is found of the planted bugs of monkey/mutant, ten seeds each: hours; goes on where it was
	$(GO) run ./monkey/mutant/knownbad -page docs/known-bad.md

lint: ## gofmt, vet and staticcheck; versions are pinned in go.mod
	@files="$$(gofmt -l .)"; test -z "$$files" || (echo "gofmt would change $$files" >&2; exit 1)
	$(GO) vet ./...
	$(GO) vet -tags monkey ./...
	$(GO) tool staticcheck ./...

mutation: ## which small changes of a package its own tests do not notice: PKG=./drummer/db; some seconds a change
	$(GO) run github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0 unleash $(PKG)

proto: ## regenerate drummer/drummerpb; needs protoc on the PATH
	$(GO) build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
	PATH="$(CURDIR)/bin:$$PATH" protoc -I drummer/drummerpb --go_out=drummer/drummerpb --go_opt=paths=source_relative \
		--go-grpc_out=drummer/drummerpb --go-grpc_opt=paths=source_relative drummer/drummerpb/*.proto
