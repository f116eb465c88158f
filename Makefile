# Everything a user or developer does here. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PINS := $(shell cat pyproject.toml constraints.txt | sha256sum | cut -c1-12)
SERVE_STAMP := $(VENV)/.serve-$(PINS)
DEV_STAMP := $(VENV)/.dev-$(PINS)
PYTEST := $(BIN)/python -m pytest
WEB_STAMP := web/node_modules/.installed-$(shell sha256sum web/package-lock.json | cut -c1-12)
NPM := cd web && PATH="$(abspath $(BIN)):$$PATH" npm --no-fund --no-audit --loglevel=error
SEQUENCES := tests/integration/test_job_sequences.py
COUNT ?= 10000
SEED ?= 0
SOAK_SECONDS := $(or $(SECONDS),720)
CONTRACT_SECONDS := $(or $(SECONDS),600)
WEBHOOK_SECONDS := $(or $(SECONDS),600)
SOAK_SEEDS := $(if $(filter-out file default,$(origin SEED)),$(SEED),1 2 3)

# Installs Debian's package $(2) unless the command $(1) succeeds already.
need = $(1) >/dev/null 2>&1 || { echo "Installing $(2) …"; \
	$(SUDO) sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(2)' >/dev/null; }

.PHONY: help run demo test check lint types imports unit page web screenshots openapi contract bench evaluation ablations formats robustness fuzz faults soak soak-webhooks samples clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "%-13s %s\n", $$1, $$2}'

run: $(SERVE_STAMP) ## Serve on port 8000, classify one bundled song, stay up until Ctrl-C
	@$(BIN)/genrewiz serve --sample

demo: $(SERVE_STAMP) ## Start everything on free ports, classify one bundled song, stop
	@$(BIN)/genrewiz demo

test: check $(VENV)/.tools ## Everything: what CI runs
	$(PYTEST) -n auto tests/files tests/training $(SEQUENCES)
	$(PYTEST) -n 2 --dist loadfile tests/integration tests/e2e --ignore $(SEQUENCES)
	$(PYTEST) -m "not long_faults" tests/faults

check: lint types imports page unit ## The quick part: format, lint, types, import contracts, unit tests, those of the page

lint: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV_STAMP)
	$(BIN)/mypy

imports: $(DEV_STAMP)
	$(BIN)/lint-imports

unit: $(DEV_STAMP)
	$(PYTEST) -n auto tests/unit tests/architecture

page: $(WEB_STAMP)
	$(NPM) run -s check
	$(NPM) test -s

web: $(WEB_STAMP) ## Build the page into api/static/page, to be committed
	$(NPM) run -s types
	$(NPM) run -s build
	$(BIN)/python web/stamp.py api/static/page

screenshots: $(DEV_STAMP) $(VENV)/.tools ## Write docs/screenshots anew: each state of the page, narrow and wide, light and dark
	PYTHONPATH=.:tests $(BIN)/python tests/e2e/screenshots.py

openapi: $(DEV_STAMP) ## Write docs/openapi.json anew, from the code
	$(BIN)/genrewiz openapi --output docs/openapi.json

contract: $(DEV_STAMP) ## Ask the API everything that its description allows and forbids, for SECONDS (600), by SEED (0)
	PYTHONPATH=.:tests $(BIN)/python tests/contract/run.py --seconds $(CONTRACT_SECONDS) --seed $(SEED)

bench: $(DEV_STAMP) ## Measure start-up, CPU idle and a job, threads, sandbox, the model, recovery, a long queue, HTTP, webhooks (docs/benchmarks.json)
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/startup.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/overhead.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/pipelines.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/sandbox.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/window.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/recovery.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/long_queue.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/http_get.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/http_upload.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/http_memory.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/http_streams.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/webhooks.py

evaluation: $(DEV_STAMP) ## Train what a release lacks (hours) and write docs/evaluation.md; RELEASE=1 puts the best seed in its place
	$(BIN)/python -m worker.training.release.publication --runs runs/release $(if $(RELEASE),--release)

ablations: $(DEV_STAMP) ## Train the recipe without each of its parts (hours) and write docs/ablations.md
	$(BIN)/python -m worker.training.release.ablations

formats: $(DEV_STAMP) ## Measure what decoding every format is off by (docs/formats.md)
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/formats.py

robustness: $(DEV_STAMP) ## Measure what codecs, narrow bands and excerpts do to answers (docs/robustness.md); needs the data folder
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/robustness.py

fuzz: $(DEV_STAMP) ## Decode COUNT damaged files (10000), the same ones for the same SEED (0); finds go to tests/fuzz/seeds
	PYTHONPATH=tests $(BIN)/python tests/fuzz/run.py --count $(COUNT) --seed $(SEED)

faults: $(DEV_STAMP) ## Every fault scenario, one by one: some minutes
	$(PYTEST) tests/faults

soak: $(DEV_STAMP) ## All faults at random for SECONDS (720) with each SEED (1 2 3); writes docs/faults.md
	PYTHONPATH=.:tests $(BIN)/python tests/faults/soak.py --record --seconds $(SOAK_SECONDS) --seeds $(SOAK_SEEDS)

soak-webhooks: $(DEV_STAMP) ## Receivers and everything else at random for SECONDS (600), by SEED (1); writes docs/faults.md
	PYTHONPATH=.:tests $(BIN)/python tests/faults/webhook_soak.py --record --seconds $(WEBHOOK_SECONDS) --seed $(firstword $(SOAK_SEEDS))

samples: $(DEV_STAMP) ## Make the sample songs anew
	$(BIN)/python web/samples/make_samples.py

clean: ## Remove everything that was installed or cached here
	rm -rf $(VENV) web/node_modules *.egg-info .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(call need,$(PYTHON) -c "import ensurepip; import venv",python3-venv)
	@$(PYTHON) -m venv $(VENV)

$(SERVE_STAMP): | $(BIN)/python
	@if [ ! -e $(DEV_STAMP) ]; then \
		echo "Installing GenreWiz into $(VENV) (once, some minutes) …"; \
		$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[serve]'; \
	fi
	@touch $@

$(DEV_STAMP): | $(BIN)/python
	@echo "Installing GenreWiz and its tools into $(VENV) (once, some minutes) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(SERVE_STAMP)

# Node itself comes with the tools, from PyPI: Debian's is too old to build the page.
$(WEB_STAMP): | $(DEV_STAMP)
	@echo "Installing what builds the page into web/node_modules (once) …"
	@$(NPM) ci
	@touch $@

# What tests start besides Python: a browser, curl for the README's own lines, what cuts a server's power (by a
# trace of its writes) and sets its clock, and what runs the receivers of docs/webhooks: Node, PHP and Liquidsoap.
$(VENV)/.tools: Makefile | $(BIN)/python
	@$(call need,command -v chromium,chromium)
	@$(call need,command -v curl,curl)
	@$(call need,command -v strace,strace)
	@$(call need,ls /usr/lib/*/faketime/libfaketime.so.1,libfaketime)
	@$(call need,command -v node,nodejs)
	@$(call need,command -v php,php-cli)
	@$(call need,command -v liquidsoap,liquidsoap)
	@touch $@
