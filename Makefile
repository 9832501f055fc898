# What people type. Everything runs in a virtual environment made here, from the
# newest suitable Python; PYTHON=… names another one.

PYTHON ?= $(shell command -v python3.13 || command -v python3.12 || command -v python3.11 || command -v python3.10 || command -v python3)
BIN := .venv/bin

.PHONY: demo ui test lint bench clean

demo: .venv/demo  ## export a quarter, materialize it with Dagster, answer the reference question
	$(BIN)/star-assets demo

ui: .venv/demo  ## Dagster's web UI and daemon on http://127.0.0.1:3000
	$(BIN)/dagster dev

test: .venv/test  ## every test
	$(BIN)/pytest -n auto

lint: .venv/test  ## format, lint and types
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

bench: .venv/bench  ## how fast, against peers; writes bench/results.md
	$(BIN)/python -m bench.run

clean:  ## remove the environment, the sample lake and Dagster's history
	rm -rf .venv lake .dagster

.venv/demo: setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/test: setup.py .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

.venv/bench: setup.py .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[spark]'
	touch $@
