# A fresh machine needs Python >= 3.11 and make; everything else is installed into .venv, once per change of pyproject.toml.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test test-peers check bench clean
.DELETE_ON_ERROR:

demo: .venv/.base
	$(BIN)/python examples/derive.py
	$(BIN)/python examples/generate.py
	$(BIN)/python examples/verify.py

test: .venv/.dev
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow and not peers"

test-peers: .venv/.peers
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "peers and not slow" tests

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/pyright

bench: .venv/.bench
	$(BIN)/klsym bench

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "klsym needs Python 3.11 or later; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/.base: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[jit,cert]'
	touch $@

.venv/.dev: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[dev,jit,cert]'
	touch $@

.venv/.bench: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[jit,cert,peers]'
	touch $@

.venv/.peers: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[dev,jit,cert,peers]'
	touch $@
