# The checks themselves are in .ci/checks, one step each.

.DEFAULT_GOAL := help
.PHONY: help setup format vet lint test

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

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
