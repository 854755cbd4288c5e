# The developer's door. Needs git, make and Python 3.11 or newer with its venv module.
#   make demo   build the demo workspace in out/demo and open the console on it
#   make test   run every test
#   make quick  the inner loop: lint of what changed, and the tests that start nothing
#   make check  lint, types and import contracts, then every test (what CI runs)
#   make trainers  train three steps on the demo's exports, and show what was learnt
#   make faults fail disks and kill commands at every point, for twenty minutes; writes docs/reliability.md
#   make mutants change 120 places of the code, one at a time, and see whether a test notices; an hour or two,
#                goes on where it ended; writes docs/mutants.md
#   make bench  measure the figures of docs/benchmarks.md on this machine
#   make bench-peers  ours beside comparable tools on a smaller job: lines a CPU second
#   make scaling  measure docs/scaling.md: runs of 10 thousand to a million lines
#   make sbom   write dist/sbom.cdx.json: what an installed copy is made of, with versions and licences
#   make pages  make every page anew that is made from code
#   make browser  look at the page of `distill report` in a headless Chromium
#   make tour   take the pictures of docs/tour anew

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
DEMO := out/demo

# The first interpreter that is new enough and can make environments. constraints.txt is
# tested with 3.11, so it is asked first.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)

# What is installed is right for one place and one list of versions; a moved or copied
# checkout would otherwise run the code of the old one.
INSTALLED_FOR = $(CURDIR) $$(cat pyproject.toml constraints.txt | cksum)

# What Python compiled is kept, whatever the shell says: without it each of the tests' workers compiles
# every test anew, and each program that they start compiles the product.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick check lint types imports faults mutants bench bench-peers scaling trainers sbom pages screenshots tour browser setup setup-dev setup-peers setup-sbom setup-trainers clean

demo: setup
	@$(BIN)/distill demo --dir $(DEMO)

# One more than there are cores: many tests wait for a terminal, a process or a lock.
WORKERS ?= $$(( $$(getconf _NPROCESSORS_ONLN) + 1 ))

test: setup-dev
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

# Pure functions, readers and models: half a minute on two cores, where `test` takes many.
QUICK = tests/pipeline/contracts tests/pipeline/stages tests/pipeline/schemas tests/pipeline/settings \
	tests/pipeline/streams tests/pipeline/storage tests/pipeline/checks tests/pipeline/drift \
	tests/console/presentation tests/console/widgets

quick: setup-dev
	@changed="$$(git diff --name-only --diff-filter=d HEAD -- '*.py')"; \
	[ -z "$$changed" ] || $(BIN)/ruff check --quiet $$changed
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile $(QUICK)

check: lint types imports test

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup-dev
	@$(BIN)/mypy pipeline console runbook tests

imports: setup-dev
	@$(BIN)/lint-imports

faults: setup-dev
	@$(BIN)/python -m tests.faults --page docs/reliability.md

mutants: setup-dev
	@$(BIN)/python -m tests.mutation --page docs/mutants.md

bench: setup-dev
	@$(BIN)/python -m tests.benchmarks

# The peers bring 700 MB that nothing else needs: a place of their own.
PEERS := .venv-peers

bench-peers: setup-peers
	@$(PEERS)/bin/python -m tests.benchmarks.peers

scaling: setup-dev
	@$(BIN)/python -m tests.benchmarks.scaling

# Offline once it is installed, on the CPU. torch alone takes a GB or more, so that it has a place of its own;
# run it before a release and at night.
TRAINERS := .venv-trainers

trainers: setup-trainers
	@$(TRAINERS)/bin/python -m pytest -q -p no:cacheprovider -m trainers tests/pipeline/formats tests/trainers
	@$(TRAINERS)/bin/python -m tests.trainers

# The tool has a place of its own; what it looks at is the runtime by the pins, and nothing beside it.
SBOM := .venv-sbom
RUNTIME := build/runtime

sbom: setup-sbom
	@$(SBOM)/bin/python -m venv --clear --without-pip $(RUNTIME)
	@$(SBOM)/bin/python -m pip --python $(RUNTIME) install --quiet --disable-pip-version-check -c constraints.txt .
	@mkdir -p dist
	@$(SBOM)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --validate \
	--output-file dist/sbom.cdx.json $(RUNTIME)
	@echo dist/sbom.cdx.json

screenshots: setup-dev
	@$(BIN)/python -m tests.screenshots

# Everything that is made from code: docs/*.md, the man page, docs/runbook.
pages: setup-dev
	@$(BIN)/python -m tests.docs.pages

browser: setup-dev
	@$(BIN)/python -m pytest -q -p no:cacheprovider -m browser tests/console/report

tour: setup-dev
	@$(BIN)/python -m tests.tour

# `setup` is what the demo needs; `setup-dev` adds tests, checks and benchmarks.
setup:
	@[ "$$(cat $(VENV)/installed-for 2>/dev/null)" = "$(INSTALLED_FOR)" ] \
	|| [ "$$(cat $(VENV)/installed-for-dev 2>/dev/null)" = "$(INSTALLED_FOR)" ] \
	|| $(MAKE) --no-print-directory install EXTRAS= RECORD=installed-for

setup-dev:
	@[ "$$(cat $(VENV)/installed-for-dev 2>/dev/null)" = "$(INSTALLED_FOR)" ] \
	|| $(MAKE) --no-print-directory install EXTRAS='[dev,bench]' RECORD=installed-for-dev

setup-peers:
	@[ "$$(cat $(PEERS)/installed-for-peers 2>/dev/null)" = "$(INSTALLED_FOR)" ] \
	|| $(MAKE) --no-print-directory install VENV=$(PEERS) EXTRAS='[peers]' RECORD=installed-for-peers

setup-sbom:
	@[ "$$(cat $(SBOM)/installed-for-sbom 2>/dev/null)" = "$(INSTALLED_FOR)" ] \
	|| $(MAKE) --no-print-directory install VENV=$(SBOM) EXTRAS='[sbom]' RECORD=installed-for-sbom

setup-trainers:
	@[ "$$(cat $(TRAINERS)/installed-for-trainers 2>/dev/null)" = "$(INSTALLED_FOR)" ] \
	|| $(MAKE) --no-print-directory install VENV=$(TRAINERS) EXTRAS='[dev,trainers]' RECORD=installed-for-trainers

.PHONY: install
install:
	@[ -n "$(PYTHON)" ] || { \
	echo "what happened  No Python 3.11 or newer with venv was found."; \
	echo "kept safe      Nothing was changed."; \
	echo "do next        Install one, or name it: make PYTHON=/path/to/python3.11 demo"; exit 2; } >&2
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $(VENV)/installed-for $(VENV)/installed-for-dev $(VENV)/installed-for-peers $(VENV)/installed-for-sbom $(VENV)/installed-for-trainers
	@echo "Installing into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.$(EXTRAS)'
	@echo "$(INSTALLED_FOR)" > $(VENV)/$(RECORD)

clean:
	rm -rf $(VENV) $(PEERS) $(SBOM) $(TRAINERS) $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
