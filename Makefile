PYTHON ?= $(firstword $(foreach version,3.12 3.13 3.11,$(if $(shell python$(version) --version 2>/dev/null),python$(version))) python3)
VENV := .venv
BIN := $(VENV)/bin
CREATED := $(VENV)/.created
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
# Byte code is written when a module is first imported: writing it for all of them takes a minute, and few are ever imported.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
# Where this is set, as in many containers, every process of a run or of the tests would compile Beam and PyTorch anew.
export PYTHONDONTWRITEBYTECODE :=
# A splitter that was compiled is compiled again: the modules of a later installation could not load the old libraries.
COMPILED = $(if $(wildcard transforms/split/*.so),1)
# LANG is also the locale, so it counts only where it is given as `make stack LANG=...`.
STACK_LANGUAGE = $(if $(findstring command,$(origin LANG)),$(LANG),python)
PACKAGES = $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

.PHONY: help sample stack native tiny-model test test-slow lint bench clean
.DEFAULT_GOAL := help

help: ## Show these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(CREATED):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "stackfim needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt | $(CREATED)
	STACKFIM_COMPILE=$(COMPILED) $(PIP) -e .
	@touch $@

$(READY): pyproject.toml constraints.txt | $(CREATED)
	STACKFIM_COMPILE=$(COMPILED) $(PIP) -e '.[dev]'
	@touch $(INSTALLED) $@

# A complete sample is kept: `make test` installs more packages, and a sample made after it would be another one.
sample: $(INSTALLED) ## Make examples from 5,200 files of the packages that the set-up installed, scored, in sample/
	@test -f sample/manifest.json && echo "sample/ is complete; remove it to make it anew" \
	  || $(BIN)/stackfim build "code:$(PACKAGES)" --limit 5200 --set split.max_slots=4 --out sample

stack: $(INSTALLED) ## The same on The Stack dedup: make stack LANG=python
	$(BIN)/stackfim build hf://datasets/bigcode/the-stack-dedup@v1.1/data/$(STACK_LANGUAGE) --out stack/$(STACK_LANGUAGE)

native: $(INSTALLED) ## Compile the splitter, which then takes a sixth less CPU; needs a C compiler and a minute
	rm -f *__mypyc*.so transforms/split/*.so
	STACKFIM_COMPILE=1 $(PIP) -e .

tiny-model: $(READY) ## Train model/tiny on examples of the installed packages, or of a run: make tiny-model DATA=DIR
	@test -n "$(DATA)" || $(BIN)/stackfim build "code:$(PACKAGES)" --out tiny-data
	$(BIN)/python -m stackfim.model.training.train "$(or $(DATA),tiny-data)" --out model/tiny --origin "$(ORIGIN)"
	$(BIN)/python -m stackfim.model.training.evaluate "$(or $(DATA),tiny-data)" --model model/tiny --sample tests/data/tiny/examples.parquet --card

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow'

test-slow: $(READY) ## Run all tests, also those that take minutes and those of the Dataflow extra
	STACKFIM_COMPILE=$(COMPILED) $(PIP) -e '.[dev,dataflow]'
	$(BIN)/python -m pytest -n auto --dist loadfile -m ''

lint: $(READY) ## Run ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) sample ## Measure every claim of speed
	@for name in build dedup filters score split "scoring_stage --model tiny sample"; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

clean: ## Remove what the targets above made
	rm -rf $(VENV) sample stack tiny-data build dist *.egg-info .hypothesis .mypy_cache .ruff_cache *.so transforms/split/*.so
