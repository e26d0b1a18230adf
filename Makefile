# Everything a fresh clone needs: `make run`, `make test`. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
# How many tests run side by side, and what else pytest is told: make test t="-k company".
JOBS ?= 2
t ?=
# What the benchmark is told: make bench b="--no-write --part files".
b ?=
CATALOGUES := $(wildcard backoffice/translations/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.PHONY: help run test test-long bench bench-lock lint format check migration dictionary translations lock browser imap

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

run: .venv/run $(CATALOGUES:.po=.mo) ## Start the back office (PORT, BACKOFFICE_* settings)
	@$(BIN)/python run.py serve

test: .venv/dev $(CATALOGUES:.po=.mo) browser imap ## Run the tests, real PostgreSQL and browser included
	$(BIN)/python -m pytest -n $(JOBS) $(t)

test-long: .venv/dev $(CATALOGUES:.po=.mo) browser imap ## Run the tests that take minutes
	$(BIN)/python -m pytest -n $(JOBS) -m long --timeout 3600 $(t)

bench: .venv/dev .venv/bench/ready $(CATALOGUES:.po=.mo) ## Measure beside the rivals (25 minutes): make bench b="--tickets 10000"
	$(BIN)/python -m bench --write $(b)

lint: .venv/dev ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet . || { echo "Unformatted files: run make format."; exit 1; }
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev ## Bring all files into the common format
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

check: .venv/dev $(CATALOGUES:.po=.mo) ## Check the declarations and that migrations agree with them
	$(BIN)/python run.py check
	$(BIN)/python -m backoffice.migrate drift

migration: .venv/dev ## Write the next migration: make migration m="add call notes"
	@test -n "$(m)" || { echo 'Say what it does: make migration m="add call notes"'; exit 1; }
	$(BIN)/python -m backoffice.migrate new "$(m)"

dictionary: .venv/dev ## Write docs/data-dictionary.md anew from the declarations
	$(BIN)/python -m backoffice.dictionary

translations: .venv/dev ## Collect the sentences of the code into the Italian catalogue
	@mkdir -p var
	$(BIN)/pybabel extract $(EXTRACT) --output-file=var/messages.pot .
	$(BIN)/pybabel update --input-file=var/messages.pot --output-dir=backoffice/translations --locale=it \
		--init-missing --ignore-obsolete --ignore-pot-creation-date --no-fuzzy-matching --width=120

# The test of the catalogue reads this line too. Folders such as _macros count; those with a dot do not.
EXTRACT := --mapping-file=pyproject.toml --keywords=_l --keywords=_lp:1c,2 '--ignore-dirs=.*' --add-location=file --sort-output --project=Backoffice

lock: .venv/dev ## Find the newest allowed versions and pin them with hashes
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(COMPILE) --output-file=requirements.lock requirements.in
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(COMPILE) --output-file=requirements-dev.lock requirements-dev.in

bench-lock: .venv/dev ## The same for what is measured beside the product
	CUSTOM_COMPILE_COMMAND="make bench-lock" $(BIN)/pip-compile $(COMPILE) --output-file=bench/requirements.lock bench/requirements.in

# The lock files name no index: each machine uses its own.
COMPILE := --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3 run"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run: requirements.lock | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.venv/dev: requirements-dev.lock | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@ .venv/run

# The rivals are installed apart from the product.
.venv/bench/ready: bench/requirements.lock | .venv/bin/python
	$(BIN)/python -m venv .venv/bench
	.venv/bench/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

%.mo: %.po | .venv/bin/python
	$(BIN)/pybabel compile --input-file=$< --output-file=$@

browser:
	@.ci/browser

imap:
	@.ci/imap
