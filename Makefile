# The commands of the house. `make demo` and `make test` need Python 3.11+ and Java 17, nothing
# else of ours: uv is brought by pip where it is missing, everything else by uv.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin/python
SOURCES := lakehouse jobs models synth dags tests bench

.PHONY: help setup demo test test-airflow check bench bench-synth bench-land bench-link prove-landing prove-faults prove-link airflow docs clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.ready

# Re-made only when what it was made from changes: a second run of a target installs nothing.
.venv/.ready: pyproject.toml uv.lock
	@$(PYTHON) bin/preflight.py
	$(UV) sync --frozen --quiet --compile-bytecode
	$(RUN) -c "from lakehouse.spark import jars; jars()"
	@touch $@

demo: setup ## everything on a synthetic county, from deliveries to a map and a model
	$(RUN) -m lakehouse demo $(ARGS)

test: setup ## all tests but those that run every DAG
	$(RUN) -m pytest -q $(ARGS)

test-airflow: setup ## every DAG run for real, and Airflow as a service
	$(RUN) -m pytest -q -m airflow tests/dags $(ARGS)

check: setup ## style, types, security
	$(RUN) -m ruff check $(SOURCES)
	$(RUN) -m ruff format --check $(SOURCES)
	$(RUN) -m mypy lakehouse
	$(RUN) -m bandit -q -r lakehouse jobs models synth -c pyproject.toml

bench: setup ## what the machine costs against a bare scan
	$(RUN) -m bench

bench-land: setup ## a day of calls landed and made into silver against Parquet; 60 days in a row
	$(RUN) -m bench.land $(ARGS)

bench-link: setup ## six registers of one city linked, beside Splink, as the city grows
	$(UV) sync --frozen --quiet --inexact --group bench
	$(RUN) -m bench.link $(ARGS)

bench-synth: setup ## a whole city of made-up people, calls included: rows a second, memory
	$(RUN) -m bench.synth $(ARGS)

prove-faults: setup ## each fault of a county against what the house made of it: a table
	$(RUN) -m bench.prove_faults $(ARGS)

prove-landing: setup ## landing killed at every step, two at once, a full disk: the same tables
	$(RUN) -m bench.prove_landing $(ARGS)

prove-link: setup ## people of six registers linked under harsh faults, against the truth
	$(RUN) -m bench.prove_link $(ARGS)

airflow: setup ## a local Airflow with our DAGs; prints where to look and how to log in
	$(RUN) -m lakehouse.airflow_local

docs: setup ## a page per table under site/
	$(RUN) -m lakehouse docs --out site

clean: ## remove what the targets made here (the lake of the demo included)
	rm -rf .bangfu site .venv .uv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
