# Everything a person or CI does here, in one place. `make help` lists it.
SHELL := /bin/bash
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup demo playground test bench check format lint types contracts docs wheel evals clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## make .venv, install everything, export the encoder, build the index
	@deploy/setup.sh

demo: setup ## a live incident in a simulated fleet, asked and answered
	@$(PY) -m evals.demo

playground: setup ## a Slack channel on a local page, over the demo's fleet
	@$(PY) -m evals.playground

test: setup ## the whole suite, on WORKERS=3 processes: most of a test is waiting
	@deploy/test-peers.sh
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PY) -m pytest -q -n $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder

bench: setup ## speed, as ratios to raw baselines measured in the same run
	@$(PY) -m evals.bench

evals: setup ## incidents and questions, scored
	@$(PY) -m evals

check: format lint types contracts docs ## all that CI checks beside the tests

format: ## is the code formatted?
	@$(PY) -m ruff format --check .

lint: ## what the linter says
	@$(PY) -m ruff check .

types: ## what the type checker says
	@$(PY) -m mypy

contracts: ## does data flow one way?
	@.venv/bin/lint-imports --no-cache

docs: ## are the generated pages current?
	@$(PY) -m tools.handbook --check
	@$(PY) -m knowledge.overviews --check
	@$(PY) -m tools.hardware_pages --check
	@$(PY) -m bot.checklist_map --check

wheel: ## the built wheel, tried in a clean environment
	@deploy/try-wheel.sh

clean: ## remove what set-up made
	@rm -rf .venv .rackside tests/peers/node_modules
