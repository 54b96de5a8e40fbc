# `make demo` runs the main job, `make test` all checks; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: help demo docs test coverage test-wheel test-all lint fixtures test-long test-large garbage boot-all bench fuzz clean

help:
	@echo "make demo        open depots, compose an image, write an ISO and a bundle, read both back"
	@echo "make docs        build the documentation site into build/site/html; a warning is an error"
	@echo "make test        lint, types and all tests"
	@echo "make test-wheel  unit tests, properties, stories and hostile input against the built and installed wheel"
	@echo "make test-all    the same with every CPython from 3.11 on that is found here"
	@echo "make lint        lint and types only"
	@echo "make fixtures    rebuild the fixtures and say whether they are the same bytes"
	@echo "make coverage    count branches in the tests of single examples"
	@echo "make test-long   unit tests, properties and real files with all examples, five times as many"
	@echo "make test-large  the 4 GB streaming test (10 GB of disk, minutes)"
	@echo "make garbage     give every argument of the interface all garbage there is (a minute)"
	@echo "make boot-all    boot every generation's layout in QEMU and write docs/boot-matrix.md (minutes)"
	@echo "make fuzz        fuzz every parser with atheris for SECONDS each (60), and add to docs/fuzzing.md"
	@echo "make bench       benchmarks against cp, unzip and xorriso"

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group test --group lint
	@touch $@

demo: $(STAMP)
	$(BIN)/python fixtures/demo.py

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python docs/build_site.py

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n auto

coverage: $(STAMP)
	$(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered tests/unit tests/stories tests/house

test-wheel: $(STAMP)
	.ci/test-wheel $(PYTHON)

test-all: $(STAMP)
	.ci/test-wheel $$(.ci/interpreters 3.11 3.12 3.13 3.14 | cut -d' ' -f2)

fixtures: $(STAMP)
	$(BIN)/python fixtures/make_fixtures.py --check

test-long: $(STAMP)
	ESXIMAGE_LONG=1 $(BIN)/python -m pytest -n auto tests/properties tests/unit tests/realdata

test-large: $(STAMP)
	ESXIMAGE_LARGE=1 $(BIN)/python -m pytest -m large

garbage: $(STAMP)
	ESXIMAGE_GARBAGE=all $(BIN)/python -m pytest tests/house/test_garbage.py

boot-all: $(STAMP)
	ESXIMAGE_BOOT_ALL=1 $(BIN)/python -m pytest -m matrix tests/boot/test_boot_matrix.py

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

# atheris is for Linux and few releases of CPython, so it has an environment of its own.
FUZZ_PYTHON ?= python3
FUZZ_VENV := .venv-fuzz
SECONDS ?= 60

$(FUZZ_VENV)/.ready: pyproject.toml
	$(FUZZ_PYTHON) -m venv $(FUZZ_VENV)
	$(FUZZ_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(FUZZ_VENV)/bin/python -m pip install --quiet --editable ".[signatures,zstd]" --group fuzz
	@touch $@

fuzz: $(FUZZ_VENV)/.ready
	$(FUZZ_VENV)/bin/python tests/fuzz/run.py --seconds $(SECONDS)
	$(FUZZ_VENV)/bin/python tests/fuzz/collect.py

clean:
	rm -rf $(VENV) $(FUZZ_VENV) tests/fuzz/.state build dist demo-output .pytest_cache .mypy_cache .ruff_cache .hypothesis
