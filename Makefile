# SPDX-License-Identifier: Apache-2.0
GO ?= go

.PHONY: build test race monkey soak bench bench-checker lint proto clean

build: ## the five programs, into bin/
	$(GO) build -o bin/ ./cmd/...

proto: ## regenerate drummer/drummerpb (needs protoc on the PATH)
	$(GO) build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
	PATH="$(CURDIR)/bin:$$PATH" protoc -I drummer/drummerpb --go_out=drummer/drummerpb --go_opt=paths=source_relative \
		--go-grpc_out=drummer/drummerpb --go-grpc_opt=paths=source_relative drummer/drummerpb/*.proto
