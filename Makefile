# The checks themselves are in .ci/checks, one step each.

.DEFAULT_GOAL := help
.PHONY: help setup format vet lint test bench bench-quick

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Install what the tests need (Debian, as root), or say what is missing
	@.ci/checks setup

format: ## Check that the Go files are formatted
	@.ci/checks format

vet: ## Run go vet, for Windows and macOS as well
	@.ci/checks vet

lint: ## Run staticcheck
	@.ci/checks lint

test: ## Run everything: setup, format, vet, lint, and all tests with the race detector
	@.ci/checks

bench: ## Measure this framework beside its peers (Linux; 20 minutes on a quiet machine)
	@go run ./benchmarks/cmd/bench

bench-quick: ## The same in 3 minutes, with the core rows and the fastest peers
	@go run ./benchmarks/cmd/bench -quick
