# Everything a developer runs. `make demo` and `make test` set up what they need, from the lock, in
# .venv; they presume git, make and Python 3.11 to 3.13. Another Python: make test PYTHON=python3.13

ENVIRONMENT := .venv
BIN := $(ENVIRONMENT)/bin
# Another PYTHON is another environment, so its name is in the name of the stamp.
STAMP := $(ENVIRONMENT)/.installed-$(subst /,-,$(PYTHON))
SOURCES := ordain tests $(wildcard bench)

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format types bench docs lock clean

help:  ## List the targets.
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' $(MAKEFILE_LIST)

install: $(STAMP)  ## Install the locked environment and this project into .venv.
	@# Cold start is a promise of this project, so a first run must not be the one that compiles.
	@$(BIN)/python -m compileall -q ordain

$(STAMP): requirements.lock bootstrap.lock pyproject.toml .ci/install
	@.ci/install $(ENVIRONMENT)
	@touch $@

demo: install  ## The main job, from an empty estate to a served and explained prediction.
	@$(BIN)/ordain demo $(ARGS)

test: install  ## The tests. One file: make test ARGS=tests/specs/test_loader.py
	@$(BIN)/python -m pytest $(ARGS)

lint: install  ## Style, formatting and the contract of the rooms.
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/lint-imports

format: install  ## Rewrite the sources as the formatter wants them.
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

types: install  ## mypy, strict.
	$(BIN)/mypy

docs: install  ## Write docs/reference anew from the code.
	@$(BIN)/python docs/generate.py

bench: install  ## Every benchmark; each prints a ratio.
	@set -e; for script in bench/[!_]*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

# Releases of the last seven days are left to others to try first. One version of each library on
# every Python (fewest), so that a model gives the same numbers on all of them.
COMPILE := pip compile --universal --python-version 3.11 --fork-strategy fewest \
	--exclude-newer "7 days" --generate-hashes --no-header --no-annotate --quiet

lock:  ## Resolve the locks anew (needs uv); read docs/decisions/0002 before.
	uv $(COMPILE) $(ARGS) --all-extras --group dev pyproject.toml --output-file requirements.lock
	uv $(COMPILE) $(ARGS) --group bootstrap --output-file bootstrap.lock

clean:  ## Remove what the targets above have made.
	rm -rf $(ENVIRONMENT) .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache dist
	find ordain tests $(wildcard bench) -name __pycache__ -type d -prune -exec rm -rf {} +
