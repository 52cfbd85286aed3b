# make run        install what is needed into .venv and run the main job
# make test       install and pass every quick check
# make notebooks  carry out the notebooks from top to bottom, into build/notebooks
# make browser    look at the pages in a browser (installs Chromium from the system's packages if there is none)
# make docs       build the site of the documents into build/site, and carry out every command that they show
# make check-long the tests that take minutes, or a quiet machine: the page's speed and ten visitors among them
# make tables     write the tables of the documents anew from the code, and the picture of who influences whom
# make posterior  make the posterior anew that comes with the package (minutes)
# make pins       choose the exact versions anew (needs the network)
# make clean      remove the environment, caches and builds
#
# Another interpreter: make test PYTHON=python3.12
# More for the job:    make run ARGS="scenario=tight_leash seed=7"

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
SUDO ?= $(if $(filter-out 0,$(shell id -u)),sudo)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INPUTS := pyproject.toml constraints.txt sim/__init__.py
EXECUTED := $(patsubst notebooks/%.py,build/notebooks/%.ipynb,$(wildcard notebooks/*.py))

.DEFAULT_GOAL := run
.PHONY: run test notebooks browser docs check-long tables posterior pins clean

run: $(VENV)/run.stamp
	$(BIN)/lull run $(ARGS)

test: $(VENV)/test.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

notebooks: $(VENV)/taught.stamp
	$(BIN)/pytest -m notebook -n $(WORKERS)

browser: $(VENV)/shown.stamp
	@command -v chromium chromium-browser google-chrome >/dev/null || { $(SUDO) apt-get update --quiet && $(SUDO) apt-get install --yes --quiet chromium; }
	$(BIN)/pytest -m "browser and not long"

docs: $(VENV)/taught.stamp $(EXECUTED)
	rm -rf build/site
	$(BIN)/python docs/pages.py build/pages
	$(BIN)/sphinx-build -W -n -E --keep-going --quiet -d build/doctrees -c docs build/pages build/site
	$(BIN)/pytest -m docs -n $(WORKERS) --dist worksteal

build/notebooks/%.ipynb: notebooks/%.py | $(VENV)/taught.stamp
	$(BIN)/pytest -m notebook -k 'from_top_to_bottom and $*'

check-long: $(VENV)/test.stamp
	$(BIN)/pytest -m long

tables: $(VENV)/run.stamp
	$(BIN)/python -m sim.reporting.docs_tables *.md docs/*.md experiments/*/README.md docs/images/influences.png

posterior: $(VENV)/run.stamp
	$(BIN)/lull calibrate output.dir=build/posterior
	cp build/posterior/posterior.parquet seeds/posterior.parquet
	$(BIN)/python -m sim.analysis.pattern_tests seeds/patterns_over_prior.yaml
	$(BIN)/lull calibrate mechanisms.pause=false calibration.draws=3e6 calibration.hypothesis_draws=0 \
		calibration.rejection_draws=0 calibration.sbc_datasets=20 output.dir=build/by_degrees
	$(BIN)/python -m sim.analysis.durations build/by_degrees/posterior.parquet seeds/outlook_by_degrees.yaml

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed: set PYTHON=, for example PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Each stamp is newer than the inputs it was installed from, so an unchanged checkout installs nothing.
$(VENV)/run.stamp: $(INPUTS) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/test.stamp: $(INPUTS) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	@touch $(VENV)/run.stamp $@

$(VENV)/taught.stamp: $(INPUTS) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e '.[test,notebooks,docs]'
	@touch $(VENV)/run.stamp $(VENV)/test.stamp $@

$(VENV)/shown.stamp: $(INPUTS) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e '.[test,solara]'
	@touch $(VENV)/run.stamp $(VENV)/test.stamp $@

pins:
	$(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip install --quiet uv
	build/pins/bin/uv pip compile pyproject.toml --all-extras --universal --upgrade --no-header --quiet -o constraints.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find sim tests -name __pycache__ -type d -prune -exec rm -rf {} +
