# Targets: dev (the product, running), test (all that pip alone can install), test-system (the rest), bench, clean.

VENV := .venv
BIN := $(VENV)/bin
# Debian names of what `make test-system` needs beside Python.
SYSTEM_PACKAGES := chromium
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	$$p -c '$(SUITABLE)' >/dev/null 2>&1 && { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help dev install test lint test-system bench clean

help:
	@sed -n 1p Makefile

# The stamps make a second start fast; setup.py decides when to install again.
dev: $(VENV)/.installed
	@exec $(BIN)/resilience dev

install: $(VENV)/.installed

$(BIN)/python:
	@'$(or $(PYTHON),python3)' -c '$(SUITABLE)' >/dev/null 2>&1 || { \
	echo "Python 3.11 to 3.14 with venv is needed ($(or $(PYTHON),python3): $$('$(or $(PYTHON),python3)' --version 2>&1 | head -n 1)); install one (Debian: python3 and python3-venv) or name it: make $(or $(MAKECMDGOALS),dev) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@'$(PYTHON)' -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python setup.py
	@echo "Installing into $(VENV) (a minute or two, the first time only)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: $(BIN)/python setup.py
	@echo "Installing with the test extra into $(VENV) (a minute or two, the first time only)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest

$(VENV)/.installed-system: $(VENV)/.installed-dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,system]'
	@touch $@

test-system: $(VENV)/.installed-system
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SYSTEM_PACKAGES); \
	else echo "Not root or no apt-get: tests whose system package ($(SYSTEM_PACKAGES)) is missing will be skipped."; fi
	@$(BIN)/pytest -m system

bench: $(VENV)/.installed-dev
	@for file in benchmarks/[a-z]*.py; do [ -e "$$file" ] || continue; \
		$(BIN)/python -m benchmarks.$$(basename "$$file" .py) --json || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find resilience_assets resilience_assets_tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
