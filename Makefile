# Bookbridge. `make` lists the targets; `make demo` and `make test` set themselves up.

SHELL := /bin/bash
PY := .venv/bin/python
# Compiled files are kept even where the machine's default says otherwise: every process of a test starts with them.
export PYTHONDONTWRITEBYTECODE :=

# Options of the demo: make demo ONCE=1 LEDGER=xero AGAIN=1 DATA=folder LIMITS=off LATENCY=model PORT=8300 FIX=1
ONCE ?=
FIX ?=
LEDGER ?= quickbooks
AGAIN ?=
DATA ?=
LIMITS ?= on
LATENCY ?= off
PORT ?= 8300
# Options of the simulation: make simulate SEEDS=300 START=0 WHAT=campaign|machines|platforms|residual|ablations|races
SEEDS ?= 50
START ?= 0
WHAT ?= campaign
# Options of the chaos run: make chaos MINUTES=30 SEED=1
MINUTES ?= 30
SEED ?= 1
# Options of the books: make books INVOICES=1000 PROFILES="uk au"
INVOICES ?= 1000
PROFILES ?=
# Options of the orders: make orders ORDERS=500 PROBLEMS=60 LEDGER=xero
ORDERS ?= 500
PROBLEMS ?= 60
# How many problems are planted: make problems COUNT=200
COUNT ?= 200
# How many test processes; the tests with real processes mostly wait, so a few more than cores is right.
JOBS ?= 3
# Which tests: make test T=tests/unit/test_money.py, or T="-k money"
T ?=

.DEFAULT_GOAL := help
.PHONY: help demo test sure fast format lint types simulate chaos crash bench books orders problems assets clean

help: ## This list
	@printf 'Bookbridge: Autotask documents to QuickBooks Online and Xero, exactly once.\n\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nOptions: make demo ONCE=1 LEDGER=xero AGAIN=1 DATA=folder LIMITS=off LATENCY=model PORT=8300\n'
	@printf '         make test T="tests/unit -k money" JOBS=3    make simulate SEEDS=50 START=0\n'

demo: ## Start everything, sync a month of invoices, leave the site running (ONCE=1: count, judge, exit)
	@tools/setup.sh run
	@exec $(PY) -m tools.demo --port $(PORT) --limits $(LIMITS) --latency $(LATENCY) \
	  --ledger $(LEDGER) $(if $(ONCE),--once) $(if $(FIX),--fix) $(if $(AGAIN),--again) $(if $(DATA),--data "$(DATA)")

test: ## Set up and run every test: unit to browser, SQLite and PostgreSQL, real Redis and workers
	@tools/setup.sh test
	@$(PY) -m pytest -n $(JOBS) --dist loadgroup $(T)

sure: ## Before handing over: format, lint, types, fast tests
	@tools/setup.sh run
	@$(MAKE) --no-print-directory format lint types fast

fast: ## The tests that need no real process, browser or PostgreSQL
	@$(PY) -m pytest -n $(JOBS) --dist loadgroup -m "not process and not browser and not postgres and not slow" $(T)

format: ## Put imports in order and drop what newer Python made needless (lines are broken by hand)
	@$(PY) -m ruff check -q --fix-only --select I,UP,RUF100 .

lint: ## ruff on the code, djlint on the templates
	@$(PY) -m ruff check -q .
	@if [ -d templates ]; then $(PY) -m djlint --quiet --lint templates; fi

types: ## mypy: strict for domain, sync and connectors
	@$(PY) -m mypy --no-error-summary

simulate: ## Seeded simulation of crashes and lost answers: SEEDS=300 START=0 (WHAT=machines|platforms|residual|ablations|races)
	@tools/setup.sh run
	@$(PY) -m tests.simulation --what $(WHAT) --seeds $(SEEDS) --start $(START)

chaos: ## A whole installation, broken for a while: MINUTES=30 SEED=1
	@tools/setup.sh test
	@$(PY) -m tests.chaos --minutes $(MINUTES) --seed $(SEED)

crash: ## kill -9 at every failpoint, for every kind of write, on both ledgers and both databases
	@tools/setup.sh test
	@CRASH_MATRIX=all $(PY) -m pytest -n $(JOBS) --dist loadgroup tests/crash

bench: ## Measure calls per invoice, memory and time on the sandbox
	@tools/setup.sh run
	@$(PY) -m bench

books: ## Generated invoices per tax profile against sums added up by hand: INVOICES=1000 PROFILES="uk au"
	@tools/setup.sh run
	@$(PY) -m bench.books --invoices $(INVOICES) $(PROFILES)

orders: ## Generated purchase orders with problems, through a crash, counted in the sandbox: ORDERS=500 PROBLEMS=60 LEDGER=xero
	@tools/setup.sh run
	@$(PY) -m bench.orders --orders $(ORDERS) --problems $(PROBLEMS) $(if $(LEDGER),--ledger $(LEDGER))

problems: ## The real month with planted problems of every cause, from Fault to books: COUNT=200 DATA=folder
	@tools/setup.sh run
	@$(PY) -m bench.problems --count $(COUNT) $(if $(DATA),--data "$(DATA)")

assets: ## Build static/vendor/ again (stylesheet, htmx, font, icons)
	@tools/setup.sh run

clean: ## Remove everything that can be made again; var/ (your data) stays
	@rm -rf .venv node_modules static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
