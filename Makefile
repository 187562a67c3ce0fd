# Every target sets up what it needs. `make` alone says what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo executor-env test test-long unit chaos lint format up down status docs report bench clean

PYTHON ?= python3.11
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

.tools/bin/uv:
	@echo "uv is missing: installing it into .tools"
	@$(PYTHON) -m venv .tools && .tools/bin/pip install --quiet uv==$(UV_VERSION)

# The environment is made anew when the lock or the project's metadata changes.
$(VENV)/.made: requirements.lock pyproject.toml | $(if $(filter .tools/bin/uv,$(UV)),.tools/bin/uv)
	@test -x $(BIN)/python || $(UV) venv --quiet --python 3.11 $(VENV)
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python -e .
	@touch $@

setup: $(VENV)/.made ## make the Python environment and fetch the JVM artefacts
	@$(BIN)/python -m lakehouse.artefacts

demo: setup ## start the services and run the main job on 5,000 synthetic movies
	@$(BIN)/lakehouse demo

# An environment of its own: the driver's is eight times as large, and linked to this folder.
EXECUTOR_ENV := dist/executor-env
executor-env: $(VENV)/.made ## dist/executor-env.tar.gz: the Python that a cluster's executors get
	@$(UV) venv --quiet --clear --python 3.11 $(EXECUTOR_ENV)
	@$(UV) pip install --quiet --python $(EXECUTOR_ENV)/bin/python --constraint requirements.lock --group executor
	@$(UV) pip install --quiet --no-deps --python $(EXECUTOR_ENV)/bin/python .
	@$(BIN)/venv-pack --prefix $(EXECUTOR_ENV) --output $(EXECUTOR_ENV).tar.gz --force --quiet
	@ls -sh $(EXECUTOR_ENV).tar.gz

test: setup ## the tests, in two processes: those of the real services in one, unit and Spark in the other
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

unit: $(VENV)/.made ## the unit tests alone: no service, no JVM
	@$(BIN)/python -m pytest tests/unit

test-long: setup ## all tests and those of whole cycles: real records, damaged input, kills, twenty publications
	@TMDB_LONG_TESTS=1 TMDB_TEST_PUBLISHES=20 $(BIN)/python -m pytest

chaos: setup ## kill -9 at ten random moments of each step, at two hundred of an ingestion from the API
	@TMDB_LONG_TESTS=1 TMDB_TEST_KILLS=10 TMDB_TEST_API_KILLS=200 \
		$(BIN)/python -m pytest tests/integration/test_kill.py tests/integration/test_api_kills.py

lint: $(VENV)/.made ## format, style, types, SQL, dbt conventions, import direction, secrets
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/sqlfluff lint --disable-progress-bar dbt_project
	@cd dbt_project && ../$(BIN)/dbt --quiet parse && ../$(BIN)/dbt-bouncer run
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

format: $(VENV)/.made ## rewrite Python and SQL as lint wants them
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .
	@$(BIN)/sqlfluff fix --disable-progress-bar dbt_project

up: setup ## start the services
	@$(BIN)/lakehouse up

down: $(VENV)/.made ## end the services; tables stay
	@$(BIN)/lakehouse down

status: $(VENV)/.made ## say how each service is
	@$(BIN)/lakehouse status

docs: up ## make the lineage site and serve it on http://127.0.0.1:8580
	@$(BIN)/lakehouse docs

report: up ## make the report: the last run, the scores, what Gold says; serve it on http://127.0.0.1:8581
	@$(BIN)/lakehouse report --serve

bench: setup ## what everything costs, into docs/performance.md: hours; with QUICK=1 ten minutes, printed only
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

clean: ## remove the environment, this instance's data and caches of tools
	@if [ -x $(BIN)/lakehouse ]; then $(BIN)/lakehouse down; fi
	@rm -rf $(VENV) .tools .lakehouse .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt_project/target dbt_project/logs
