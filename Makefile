# Everything a newcomer runs. Each target makes its own environment (.venv) first; nothing else is needed
# than python3 (3.11 or newer, with venv and pip) and git. PYTHON=... chooses the interpreter.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Start times are measured, and used, with compiled bytecode, as an installed package has it.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
ENV := .venv/.stamp
LOCK := requirements/dev.lock
CODE := $(wildcard src tests tools bench examples)
WORKERS ?= auto
ARGS ?=
export ROUNDS

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(ENV): pyproject.toml $(LOCK) tools/environment.sh
	sh tools/environment.sh

.PHONY: env
env: $(ENV) ## Make or renew .venv

.PHONY: run
run: $(ENV) ## See it work: a server on this folder, two agents at work, and how to connect yours
	$(BIN)/python -m comity.demo.served $(ARGS)

.PHONY: demo
demo: $(ENV) ## Four agents share out tasks through one file, one is killed (comity demo)
	$(BIN)/comity demo $(ARGS)

.PHONY: test
test: $(ENV) ## Run all tests (ARGS="-k poll -x" for some, WORKERS=0 for one process, ROUNDS=all for every repetition)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

.PHONY: hosts
hosts: $(ENV) ## Drive the real Claude Code, Codex, Gemini CLI and OpenCode, from npm (2.2 GB in a cache), offline
	COMITY_HOST_PROGRAMS="$$($(BIN)/python -m tests.e2e.hosts.programs)" && export COMITY_HOST_PROGRAMS && \
	    $(BIN)/python -m pytest -n 3 tests/e2e/hosts $(ARGS)

.PHONY: conformance
conformance: $(ENV) ## Run the public MCP conformance runner, from npm (260 MB in a cache), against our MCP over HTTP
	$(BIN)/python -m tests.conformance.runner

.PHONY: check
check: $(ENV) ## Format, lint, types, import contracts, house rules, generated files
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/python -m mypy $(CODE)
	$(BIN)/python -m tools.generate --check
	$(BIN)/python -m pytest -q tests/test_house.py

.PHONY: audit
audit: $(ENV) ## Ask whether a vulnerability is known of any version in the lock; skipped when nobody answers
	$(BIN)/python tools/audit.py $(LOCK)

.PHONY: format
format: $(ENV) ## Format and mend what can be mended
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

.PHONY: generate
generate: $(ENV) ## Write the generated files anew (lists of operations and tools, reference pages)
	$(BIN)/python -m tools.generate

.PHONY: bench
bench: $(ENV) ## Measure; figures belong in docs/benchmarks.md
	$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: $(ENV) ## Resolve the development environment anew (UPGRADE=1: newest versions)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) --group dev pyproject.toml -o $(LOCK)

.PHONY: dist
dist: $(ENV) ## Build wheel and sdist into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist

.PHONY: clean
clean: ## Remove the environment, caches and builds
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
