export PYTHONPATH := $(CURDIR)
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
DOCS ?=
SCREENSHOTS ?=
WAREHOUSE ?=
ACCEPT ?=
SPEC ?= document_metadata
SQL ?= from nightshift.document_metadata
REASON ?= erased by hand with make erase
OUT ?= extracted.parquet
CORPUS ?= ../shared/corpora/dev
SIZES ?= 10000 100000
PEERS := operator llm_batch steadybatch curator
.DEFAULT_GOAL := help
.PHONY: help demo up down status query walkthrough rebuild-warehouse erase secrets compose-test test coverage test-browser chaos large compare bench bench-check lint audit types lock dictionary queries extract corpus-report plan forecast-report simulator

help: ## List the targets
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed 's/:.* ## /\t/' | expand -t 20

demo: $(READY) ## A whole night, twice, on this machine (DOCS=dir for documents of your own, WAREHOUSE=postgres)
	@$(BIN)/python -m local_stack demo $(if $(DOCS),--documents "$(DOCS)") $(if $(WAREHOUSE),--warehouse $(WAREHOUSE))

up: $(READY) ## Start the local stack: S3, simulator, Airflow (WAREHOUSE=postgres)
	@$(BIN)/python -m local_stack up $(if $(WAREHOUSE),--warehouse $(WAREHOUSE))

down: $(READY) ## Stop everything that up and demo started
	@$(BIN)/python -m local_stack down

status: $(READY) ## Tell what runs, and where
	@$(BIN)/python -m local_stack status

query: $(READY) ## Ask the newest local warehouse (SQL="from nightshift.document_metadata")
	@$(BIN)/python -m local_stack query "$(SQL)"

walkthrough: $(READY) ## Walk through three nights and compare the tables with docs/walkthrough.md (ACCEPT=1 writes it)
	@$(BIN)/python -m local_stack.walkthrough $(if $(ACCEPT),--accept)

rebuild-warehouse: $(READY) ## Load a local warehouse again from its bucket (SPEC=document_metadata); buys nothing
	@$(BIN)/python -m local_stack rebuild "$(SPEC)"

secrets: $(READY) ## Write a .env with new secrets, for a trial with docker compose
	@$(BIN)/python -m local_stack secrets

compose-test: $(READY) ## Bring the compose stack up, kill a worker during a night, tear it down (needs Docker, or root)
	$(BIN)/python -m pytest tests/compose --compose -rs

erase: $(READY) ## Erase what a document said from the local stack (URI=s3://bucket/key)
	@$(BIN)/python -m local_stack erase "$(URI)" "$(REASON)"

test: $(READY) ## Run every test, the nights under a real scheduler included
	$(BIN)/python -m pytest --numprocesses 2 --no-loadscope-reorder

coverage: $(READY) ## Run every test and tell which lines none of them reached (slower)
	$(BIN)/python -m pytest --numprocesses 2 --no-loadscope-reorder --cov --cov-report=term:skip-covered

test-browser: $(READY) ## The page, an approval and a backfill in Chromium, on a stack of its own (SCREENSHOTS=docs/images)
	$(BIN)/python -m pytest tests/browser --browser -rs $(if $(SCREENSHOTS),--screenshots "$(SCREENSHOTS)")

chaos: $(READY) ## Kill, cut and freeze at every step of a night, and print what came of it (takes long)
	$(BIN)/python -m pytest tests/chaos tests/e2e/test_chaos.py --all-faults --faults-page docs/chaos.md --quiet

large: $(READY) ## Load a million documents, and kill a load at every step, on either warehouse (takes long)
	$(BIN)/python -m pytest tests/integration/warehouse -m thorough --all-faults --quiet --capture=no

compare: $(READY) ## Throw the same faults at what people use instead (downloads it); writes docs/comparison.md
	@test -x .compare/bin/python || $(PYTHON) -m venv .compare
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python .compare/bin/python tests/compare/requirements.lock
	@$(BIN)/python -m tests.compare .compare/bin/python docs/comparison.md

bench-check: $(READY) ## Fail when a ratio of CPU to its floor got worse
	$(BIN)/python -m pytest tests/benchmarks --benchmarks --quiet

bench: $(READY) $(PEERS:%=.peers/%/.ready) ## Measure a night by stage, beside its floors and peers, which it downloads (SIZES="10000 100000")
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m tests.benchmarks $(SIZES)

.peers/%/.ready: tests/benchmarks/peers/%.lock $(READY)
	@$(PYTHON) -m venv .peers/$*
	-@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python .peers/$*/bin/python $< && touch $@

lint: $(READY) ## Check style, imports, spelling and SQL, and the packages where the network allows it
	$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/lint-imports --no-cache && $(BIN)/codespell
	$(BIN)/sqlfluff lint --quiet include/warehouse/sql
	@$(BIN)/python -m local_stack.audit --if-reachable

audit: $(READY) ## Ask a database of vulnerabilities about all pinned packages (needs the network)
	@$(BIN)/python -m local_stack.audit

types: $(READY) ## Check the types
	$(BIN)/mypy

lock: $(READY) ## Pin all packages, with hashes, for any platform and Python 3.11 or newer
	$(COMPILE) --upgrade requirements.txt -o requirements.lock
	$(COMPILE) -c requirements.lock requirements-simulator.txt -o requirements-simulator.lock
	$(COMPILE) --upgrade -c requirements-simulator.lock requirements-dev.txt -o requirements-dev.lock

dictionary: $(READY) ## Write docs/data-dictionary.md, with the specs as they are now
	@$(BIN)/python -m include.warehouse docs/data-dictionary.md

queries: $(READY) ## Write into docs/queries.md what its queries return
	@$(BIN)/python -m tests.integration.warehouse.queries_page

extract: $(READY) ## Turn the files below DOCS into text in OUT, as the night would
	@$(BIN)/python -m include.documents "$(DOCS)" "$(OUT)"

corpus-report: $(READY) ## Extract the test corpus in CORPUS and tell formats, outcomes, hits and speed
	@$(BIN)/python -m include.documents "$(CORPUS)" .local/corpus.parquet --manifest tests/integration/documents/corpus.csv

plan: $(READY) ## Foretell what the files below DOCS would cost (SPEC=document_metadata); buys nothing, needs no account
	@$(BIN)/python -m include.folder_plan "$(DOCS)" "$(SPEC)"

forecast-report: $(READY) ## Foretell two nights over CORPUS for each spec, run them at the simulator, and compare
	@$(BIN)/python -m tests.forecast "$(CORPUS)/docs"

simulator: $(READY) ## Run the Message Batches simulator alone
	@mkdir -p .local && $(BIN)/python -m include.simulator --db .local/simulator.db

$(READY): requirements-dev.lock
	test -x $(BIN)/uv || ($(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet uv)
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python $<
	@touch $@
