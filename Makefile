# Consult. `make` alone lists the commands.

PYTHON_IN_VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run down test check fmt e2e faults fuzz audit bench-intake bench-office bench-profile migrations css sites map
.PHONY: clean venv venv-dev

help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: venv ## Start everything on this machine; Ctrl-C stops it
	@exec $(PYTHON_IN_VENV) -m consult.cli up

down: venv ## End what a killed `make run` left running
	@$(PYTHON_IN_VENV) -m consult.cli down

test: venv-dev ## Run everything that has to pass: checks, tests, sites, browser
	@exec $(PYTHON_IN_VENV) tools/steps.py test

check: venv-dev ## Run the fast part: format, lint, types, imports, migrations (under a minute)
	@exec $(PYTHON_IN_VENV) tools/steps.py check

fmt: venv-dev ## Format the code and put right what can be put right
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .

e2e: venv-dev ## Run the end-to-end tests in a real browser
	@exec $(PYTHON_IN_VENV) tools/steps.py e2e

faults: venv-dev ## Break everything around the edge under load, for long (about 30 minutes; make test has the short form)
	@exec $(PYTHON_IN_VENV) tools/steps.py faults

fuzz: venv-dev ## Fuzz the JSON API for long, in every role (about 30 minutes; make test has the short form)
	@exec $(PYTHON_IN_VENV) tools/steps.py fuzz

audit: venv-dev ## Look for known weaknesses and licences of what we stand on, list all of it (asks the registries)
	@exec $(PYTHON_IN_VENV) tools/audit.py

bench-office: venv-dev ## Measure a signed-in page and the start of the office (half an hour with a million enquiries, a quiet machine; a minute with args="--rows 0")
	@exec $(PYTHON_IN_VENV) -m bench.office $(args)

bench-intake: venv-dev ## Measure the intake beside its peers (15 minutes, a quiet machine): make bench-intake args="--rounds 1"
	@exec $(PYTHON_IN_VENV) -m bench.intake $(args)

bench-profile: venv-dev ## Show what one submission costs the edge, and where
	@exec $(PYTHON_IN_VENV) -m bench.profile_edge --table $(args)

migrations: venv-dev ## Write the migrations for changed models: make migrations name=add_phone
	@$(PYTHON_IN_VENV) manage.py makemigrations $(if $(name),--name $(name))

css: ## Build the office's stylesheet and scripts (needs npm)
	@cd assets && { [ -d node_modules ] || npm ci; } && npm run build

sites: ## Build the clients' sites (needs npm)
	@cd sites && { [ -d node_modules ] || npm ci; } && npm run build

map: ## Show where things are
	@cat docs/map.md

clean: ## Remove what can be made again; the data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles artifacts var/bench
	rm -rf assets/node_modules sites/node_modules sites/*/node_modules sites/*/dist sites/*/.astro
	find consult edge tests -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@tools/make-venv requirements/local.txt

venv-dev:
	@tools/make-venv requirements/dev.txt
