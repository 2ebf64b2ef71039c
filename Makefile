PYTHON ?= $(firstword $(foreach version,3.12 3.13 3.11,$(if $(shell python$(version) --version 2>/dev/null),python$(version))) python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
# Byte code is written when a module is first imported: for all of them it takes a minute, and few are ever imported.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
# What is compiled stays so: an installation that does not know of it could not load it.
COMPILED = $(if $(wildcard transforms/split/*.so),1)
# LANG is the locale too: only `make stack LANG=...` counts.
STACK_LANGUAGE = $(if $(findstring command,$(origin LANG)),$(LANG),python)

.PHONY: help sample stack native tiny-model test test-slow lint bench clean
.DEFAULT_GOAL := help

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "stackfim needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	STACKFIM_COMPILE=$(COMPILED) $(PIP) -e .
	@touch $@

$(READY): $(INSTALLED)
	STACKFIM_COMPILE=$(COMPILED) $(PIP) -e '.[dev]'
	@touch $@

# Once it is there it stays: the packages that it is made of are more after `make test`.
sample: $(INSTALLED) ## Examples from 5,200 files of the packages that the set-up installed, scored, in sample/
	@test -f sample/manifest.json && echo "sample/ is complete; remove it to make it anew" \
	  || $(BIN)/stackfim build "code:$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" --limit 5200 --set split.max_slots=4 --out sample

stack: $(INSTALLED) ## The same on The Stack dedup: make stack LANG=python
	$(BIN)/stackfim build hf://datasets/bigcode/the-stack-dedup@v1.1/data/$(STACK_LANGUAGE) --out stack/$(STACK_LANGUAGE)

native: $(INSTALLED) ## Compile the splitter, which then takes a sixth less CPU; needs a C compiler and a minute
	rm -f *__mypyc*.so transforms/split/*.so
	STACKFIM_COMPILE=1 $(PIP) -e .

tiny-model: $(READY) ## Train model/tiny on examples of the installed packages, or of a run: make tiny-model DATA=DIR
	@test -n "$(DATA)" || $(BIN)/stackfim build "code:$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" --out tiny-data
	$(BIN)/python -m stackfim.model.training.train "$(or $(DATA),tiny-data)" --out model/tiny --origin "$(ORIGIN)"
	$(BIN)/python -m stackfim.model.training.evaluate "$(or $(DATA),tiny-data)" --model model/tiny --sample tests/data/tiny/examples.parquet --card

test: $(READY) ## The test suite
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow'

test-slow: $(READY) ## The suite with the tests that take minutes, and those of the Dataflow extra
	STACKFIM_COMPILE=$(COMPILED) $(PIP) -e '.[dev,dataflow]'
	$(BIN)/python -m pytest -n auto --dist loadfile -m ''

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) sample ## Every claim of speed, measured
	@for name in build dedup filters score split "scoring_stage --model tiny sample"; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

clean: ## Remove what the targets above made
	rm -rf $(VENV) sample stack build dist *.egg-info .hypothesis .mypy_cache .ruff_cache *.so transforms/split/*.so
