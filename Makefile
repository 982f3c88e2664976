PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test test-nightly lint docs bench clean

help:           ## list the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: .*## /\t/' | expand -t 16

setup: .venv/installed  ## virtual environment in .venv, with prnn and the tools for development

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,figures,tune,joblib,slurm,export,serve]'
	@touch $@

demo: setup     ## train on generated data and print the table: a first result in about a minute
	$(BIN)/prnn train

test: setup     ## the tests that every change must pass
	$(BIN)/pytest -m 'not nightly' -n auto --dist worksteal  # a file's tests stay together, with what they share

test-nightly: setup  ## all tests, the long ones too, and sixty times as many generated cases
	PRNN_CASES=20 $(BIN)/pytest

lint: setup     ## ruff, mypy and the order of the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup     ## write docs/options.md, docs/datasets.md and README's table of logs anew, from configs/
	$(BIN)/python scripts/write_docs.py

bench: setup    ## time preparation, training, ranking and item-kNN on this machine
	$(BIN)/prnn bench

clean:          ## remove the environment, caches and build output; runs/ stays
	rm -rf .venv build dist cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
